"""When the station saw to an emergency, and those it has not seen to yet found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import UTCDateTime

revision: str = "matching_0010"
down_revision: str | None = "matching_0009"
branch_labels = None
depends_on = None

ALARMING = sa.text("alarm IS NOT NULL AND attended_at IS NULL AND status IN ('submitted', 'classified', 'unmatched')")


def upgrade() -> None:
    op.add_column("requests", sa.Column("attended_at", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_requests_alarming",
        "requests",
        ["community", "id"],
        sqlite_where=ALARMING,
        postgresql_where=ALARMING,
    )


def downgrade() -> None:
    op.drop_index("ix_requests_alarming", table_name="requests")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_column("attended_at")
