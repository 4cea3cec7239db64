"""Keep under which id a resident was ever a member of an evaluation body; those who sit on one now keep theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "feedback_0003"
down_revision: str | None = "feedback_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "body_seats",
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["body"], ["bodies.id"], name=op.f("fk_body_seats_body")),
        sa.PrimaryKeyConstraint("body", "request", name=op.f("pk_body_seats")),
        sa.UniqueConstraint("body", "subject", name=op.f("uq_body_seats_body_subject")),
    )
    op.execute(
        "INSERT INTO body_seats (body, request, subject) SELECT body, request, subject FROM body_members WHERE party = 'resident'"
    )


def downgrade() -> None:
    op.drop_table("body_seats")
