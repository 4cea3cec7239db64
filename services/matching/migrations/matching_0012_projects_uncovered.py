"""Which projects are in the hands of organizations that may not carry them any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "matching_0012"
down_revision: str | None = "matching_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("uncovered", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("uncovered")
