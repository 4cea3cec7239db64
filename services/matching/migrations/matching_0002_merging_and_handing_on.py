"""Requests that follow others or a project; referrals with a time to answer, handed on by hubs and when they must be."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "matching_0002"
down_revision: str | None = "matching_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None

NOT_HANDED_ON = sa.text("status <> 'handed-on'")
REQUEST_CHECKS = {
    "ck_requests_status": (
        "status IN ('submitted', 'classified', 'matched', 'unmatched', 'gathered', 'merged', 'accepted', 'served', "
        "'disputed', 'closed', 'withdrawn')"
    ),
    "ck_requests_intake": "intake IN ('web', 'paper', 'phone')",
    "ck_requests_supporters": "supporters >= 1",
    "ck_requests_merged_into": "status <> 'merged' OR merged_into IS NOT NULL",
    "ck_requests_project": "status <> 'gathered' OR project IS NOT NULL",
}
REQUEST_STATUS_BEFORE = (
    "status IN ('submitted', 'classified', 'matched', 'unmatched', 'accepted', 'served', 'disputed', 'closed', 'withdrawn')"
)
REFERRAL_STATUS_BEFORE = "status IN ('made', 'accepted', 'delivered', 'declined', 'withdrawn')"
REFERRAL_STATUS = "status IN ('made', 'accepted', 'delivered', 'declined', 'expired', 'handed-on', 'withdrawn')"


def upgrade() -> None:
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hub", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("parents", JSON, nullable=False, server_default="[]"))

    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("hub", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("handed_on_from", sa.String(), nullable=True))
    op.execute("UPDATE referrals SET due_at = made_at")
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.alter_column("due_at", existing_type=UTCDateTime(), nullable=False)
        batch_op.drop_constraint(batch_op.f("uq_referrals_request_organization"), type_="unique")
        batch_op.drop_constraint(batch_op.f("ck_referrals_status"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_referrals_status"), REFERRAL_STATUS)
        batch_op.create_index(
            "uq_referrals_request_organization",
            ["request", "organization"],
            unique=True,
            sqlite_where=NOT_HANDED_ON,
            postgresql_where=NOT_HANDED_ON,
        )

    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("intake", sa.String(), nullable=False, server_default="web"))
        batch_op.add_column(sa.Column("supporters", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("merged_into", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("project", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_requests_merged_into"), ["merged_into"], unique=False)
        batch_op.create_index(batch_op.f("ix_requests_project"), ["project"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_requests_merged_into"), "requests", ["merged_into"], ["id"])
        batch_op.drop_constraint(batch_op.f("ck_requests_status"), type_="check")
        for name, condition in REQUEST_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(name), condition)


def downgrade() -> None:
    with op.batch_alter_table("requests", schema=None) as batch_op:
        for name in REQUEST_CHECKS:
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_requests_status"), REQUEST_STATUS_BEFORE)
        batch_op.drop_constraint(batch_op.f("fk_requests_merged_into"), type_="foreignkey")
        for name in ("ix_requests_merged_into", "ix_requests_project"):
            batch_op.drop_index(batch_op.f(name))
        for name in ("project", "merged_into", "supporters", "intake"):
            batch_op.drop_column(name)

    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_index("uq_referrals_request_organization")
        batch_op.drop_constraint(batch_op.f("ck_referrals_status"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_referrals_status"), REFERRAL_STATUS_BEFORE)
        batch_op.create_unique_constraint(batch_op.f("uq_referrals_request_organization"), ["request", "organization"])
        for name in ("handed_on_from", "hub", "due_at"):
            batch_op.drop_column(name)

    with op.batch_alter_table("organizations", schema=None) as batch_op:
        for name in ("parents", "hub"):
            batch_op.drop_column(name)
