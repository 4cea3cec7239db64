"""Whose earlier request it was, where that is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "matching_0011"
down_revision: str | None = "matching_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("resident", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_column("resident")
