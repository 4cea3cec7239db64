"""What became of each replay of a dead letter."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import UTCDateTime

revision: str = "kit_0003"
down_revision: str | None = "kit_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replays"),
    )


def downgrade() -> None:
    op.drop_table("replays")
