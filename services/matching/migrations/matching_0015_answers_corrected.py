"""What the station had answered to a question before it corrected the answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import JSON

revision: str = "matching_0015"
down_revision: str | None = "matching_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questions", sa.Column("earlier", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.drop_column("earlier")
