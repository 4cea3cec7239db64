"""The kit's tables: outbox, inbox, sequences, dead letters, idempotency keys."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "kit_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("kit",)
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("time", sa.String(), nullable=False),
        sa.Column("traceparent", sa.String(), nullable=False),
        sa.Column("dataschema", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("entry_id", sa.String()),
        sa.PrimaryKeyConstraint("stream", "id", name="pk_outbox"),
        sa.UniqueConstraint("stream", "source", "subject", "sequence", name="uq_outbox_stream_source_subject_sequence"),
    )
    unsent = sa.text("entry_id IS NULL")
    op.create_index("ix_outbox_unsent", "outbox", ["created_at"], sqlite_where=unsent, postgresql_where=unsent)
    op.create_index("ix_outbox_community", "outbox", ["community"])
    op.create_table(
        "subject_sequences",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_subject_sequences"),
    )
    op.create_table(
        "trimmed",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_trimmed"),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("handled_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "source", "id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("consumer", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("source", sa.String()),
        sa.Column("fact_id", sa.String()),
        sa.Column("type", sa.String()),
        sa.Column("community", sa.String()),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("died_at", UTCDateTime(), nullable=False),
        sa.Column("replayed_at", UTCDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sa.UniqueConstraint("consumer", "stream", "entry_id", name="uq_dead_letters_consumer_stream_entry_id"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency_keys"),
    )


def downgrade() -> None:
    for table in ("idempotency_keys", "dead_letters", "inbox", "trimmed", "subject_sequences", "outbox"):
        op.drop_table(table)
