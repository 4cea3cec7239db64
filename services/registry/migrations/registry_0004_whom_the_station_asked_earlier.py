"""Whom the station asked about a registration standard before it asked somebody else."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON

revision: str = "registry_0004"
down_revision: str | None = "registry_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("standards", sa.Column("earlier", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("standards", schema=None) as batch_op:
        batch_op.drop_column("earlier")
