"""The kit's timers, and the clocks of rehearsal communities."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import UTCDateTime

revision: str = "kit_0002"
down_revision: str | None = "kit_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "timers",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime()),
        sa.Column("last_error", sa.String()),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_timers"),
    )
    fresh, failed = sa.text("next_attempt_at IS NULL"), sa.text("next_attempt_at IS NOT NULL")
    op.create_index("ix_timers_due", "timers", ["due_at"], sqlite_where=fresh, postgresql_where=fresh)
    op.create_index("ix_timers_community_due", "timers", ["community", "due_at"], sqlite_where=fresh, postgresql_where=fresh)
    op.create_index("ix_timers_failed", "timers", ["next_attempt_at"], sqlite_where=failed, postgresql_where=failed)
    op.create_table(
        "clocks",
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("ahead_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community", name="pk_clocks"),
    )


def downgrade() -> None:
    op.drop_table("clocks")
    op.drop_table("timers")
