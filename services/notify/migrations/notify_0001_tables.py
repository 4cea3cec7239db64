"""The tables of notify."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "notify_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("notify",)
depends_on: str | None = None


def upgrade() -> None:

    op.create_table(
        "communities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("compounds", JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
    )
    op.create_table(
        "counters",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counters")),
    )
    op.create_table(
        "feed_facts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("event", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_facts")),
        sa.UniqueConstraint("position", name=op.f("uq_feed_facts_position")),
        sa.UniqueConstraint("source", "fact", name=op.f("uq_feed_facts_source_fact")),
    )
    with op.batch_alter_table("feed_facts", schema=None) as batch_op:
        batch_op.create_index("ix_feed_facts_community", ["community", "position"], unique=False)
        batch_op.create_index("ix_feed_facts_type", ["type", "position"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("recipient_kind", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("occurred_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("recipient_kind IN ('resident', 'organization', 'station')", name=op.f("ck_notices_recipient_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("fact", "recipient_kind", "recipient", name=op.f("uq_notices_fact_recipient_kind_recipient")),
        sa.UniqueConstraint("position", name=op.f("uq_notices_position")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index("ix_notices_community", ["community"], unique=False)
        batch_op.create_index("ix_notices_inbox", ["recipient_kind", "recipient", "position"], unique=False)

    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
    )
    op.create_table(
        "taxonomies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomies")),
    )
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_taxonomies_community"), ["community"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_taxonomies_community"))

    op.drop_table("taxonomies")
    op.drop_table("organizations")
    op.drop_table("offers")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index("ix_notices_inbox")
        batch_op.drop_index("ix_notices_community")

    op.drop_table("notices")
    with op.batch_alter_table("feed_facts", schema=None) as batch_op:
        batch_op.drop_index("ix_feed_facts_type")
        batch_op.drop_index("ix_feed_facts_community")

    op.drop_table("feed_facts")
    op.drop_table("counters")
    op.drop_table("communities")
