"""Where compounds lie and organizations work from, and the languages in which an offer is served."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON

revision: str = "registry_0003"
down_revision: str | None = "registry_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("compounds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("latitude", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("longitude", sa.Float(), nullable=True))

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("languages", JSON, nullable=False, server_default='["zh"]'))

    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("based_in", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.drop_column("based_in")

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_column("languages")

    with op.batch_alter_table("compounds", schema=None) as batch_op:
        batch_op.drop_column("longitude")
        batch_op.drop_column("latitude")
