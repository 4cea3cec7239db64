"""Find the newest open requests for an item in a compound without sorting all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "matching_0009"
down_revision: str | None = "matching_0008"
branch_labels = None
depends_on = None

OPEN = sa.text("status IN ('classified', 'matched', 'unmatched', 'gathered', 'accepted')")


def upgrade() -> None:
    op.create_index(
        "ix_requests_open",
        "requests",
        ["community", "compound", "item", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_requests_open", table_name="requests")
