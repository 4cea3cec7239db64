"""Ranking by hours, language, fee, capacity, conflicts, distance, awards and price; weights of a community's own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "matching_0007"
down_revision: str | None = "matching_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "weightings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("weights", JSON, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weightings")),
    )
    op.create_index(op.f("ix_weightings_community"), "weightings", ["community"], unique=False)
    op.create_table(
        "conflicts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=True),
        sa.Column("compound", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_conflicts_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
    )
    for column in ("community", "organization", "request"):
        op.create_index(op.f(f"ix_conflicts_{column}"), "conflicts", [column], unique=False)

    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignments_organization"))
        batch_op.create_index("ix_assignments_organization_assigned_at", ["organization", "assigned_at"], unique=False)

    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("places", JSON, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("weights", JSON, nullable=True))

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hours", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("languages", JSON, nullable=False, server_default='["zh"]'))
        batch_op.add_column(sa.Column("standing", sa.Float(), nullable=False, server_default="0"))
        batch_op.drop_index(batch_op.f("ix_offers_community_item"))
        batch_op.create_index("ix_offers_community_item_standing", ["community", "item", "standing", "title_zh"], unique=False)

    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("based_in", sa.String(), nullable=True))

    op.create_index("ix_referrals_offer_made_at", "referrals", ["offer", "made_at"], unique=False)

    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fee_limit", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("speaks", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("wanted_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("urgency", sa.String(), nullable=False, server_default="routine"))
        batch_op.add_column(sa.Column("unserved", JSON, nullable=False, server_default="{}"))
        batch_op.create_check_constraint("speaks", "speaks IN ('zh', 'en')")
        batch_op.create_check_constraint("urgency", "urgency IN ('routine', 'soon', 'urgent')")

    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("low", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("high", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.drop_column("high")
        batch_op.drop_column("low")

    with op.batch_alter_table("requests", schema=None) as batch_op:
        # As they were made above, without the prefix.
        batch_op.drop_constraint(batch_op.f("urgency"), type_="check")
        batch_op.drop_constraint(batch_op.f("speaks"), type_="check")
        for column in ("unserved", "urgency", "wanted_at", "speaks", "fee_limit"):
            batch_op.drop_column(column)

    op.drop_index("ix_referrals_offer_made_at", table_name="referrals")
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.drop_column("based_in")

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_index("ix_offers_community_item_standing")
        batch_op.create_index(batch_op.f("ix_offers_community_item"), ["community", "item"], unique=False)
        for column in ("standing", "languages", "hours"):
            batch_op.drop_column(column)

    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.drop_column("weights")
        batch_op.drop_column("places")

    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index("ix_assignments_organization_assigned_at")
        batch_op.create_index(batch_op.f("ix_assignments_organization"), ["organization"], unique=False)

    op.drop_table("conflicts")
    op.drop_table("weightings")
