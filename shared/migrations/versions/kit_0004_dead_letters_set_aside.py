"""When, by whom and why a dead letter was set aside."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import UTCDateTime

revision: str = "kit_0004"
down_revision: str | None = "kit_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("dead_letters", sa.Column("set_aside_at", UTCDateTime()))
    op.add_column("dead_letters", sa.Column("set_aside_by", sa.String()))
    op.add_column("dead_letters", sa.Column("set_aside_because", sa.String()))


def downgrade() -> None:
    for column in ("set_aside_because", "set_aside_by", "set_aside_at"):
        op.drop_column("dead_letters", column)
