"""fairness of meetings, lifted pairs, prices of capacity"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "matching_0006"
down_revision: str | None = "matching_0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "capacity_prices",
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_capacity_prices_meeting")),
        sa.PrimaryKeyConstraint("organization", "community", name=op.f("pk_capacity_prices")),
    )
    with op.batch_alter_table("capacity_prices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capacity_prices_community"), ["community"], unique=False)

    # A meeting that was announced without terms of fairness is solved without.
    with op.batch_alter_table("meetings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fairness", JSON, nullable=False, server_default=sa.text("'{}'")))

    with op.batch_alter_table("pairs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lifted_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("pairs", schema=None) as batch_op:
        batch_op.drop_column("lifted_at")

    with op.batch_alter_table("meetings", schema=None) as batch_op:
        batch_op.drop_column("fairness")

    with op.batch_alter_table("capacity_prices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_capacity_prices_community"))

    op.drop_table("capacity_prices")
