"""The tables of matching."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "matching_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("matching",)
depends_on: str | None = None


def upgrade() -> None:

    op.create_table(
        "agreements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
    )
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreements_organization"), ["organization"], unique=False)

    op.create_table(
        "communities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("compounds", JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("fee_mode", sa.String(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("area", JSON, nullable=True),
        sa.Column("weekly_capacity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index("ix_offers_community_item", ["community", "item"], unique=False)
        batch_op.create_index(batch_op.f("ix_offers_organization"), ["organization"], unique=False)

    op.create_table(
        "organizations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("compound", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("submitted_at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("classifier", sa.String(), nullable=True),
        sa.Column("candidates", JSON, nullable=False),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("offer", sa.String(), nullable=True),
        sa.Column("matched_at", UTCDateTime(), nullable=True),
        sa.Column("served_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(status IN ('served', 'disputed', 'closed')) = (served_at IS NOT NULL)", name=op.f("ck_requests_served_at")
        ),
        sa.CheckConstraint(
            "channel IN ('website', 'mailbox', 'party-member', 'questionnaire', 'home-visit', 'discussion')",
            name=op.f("ck_requests_channel"),
        ),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_requests_language")),
        sa.CheckConstraint(
            "status IN ('submitted', 'classified', 'matched', 'unmatched', 'accepted', 'served', 'disputed', 'closed', 'withdrawn')",
            name=op.f("ck_requests_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('matched', 'accepted', 'served', 'disputed', 'closed') OR organization IS NOT NULL",
            name=op.f("ck_requests_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index("ix_requests_community_status_item", ["community", "status", "item"], unique=False)

    op.create_table(
        "satisfactions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("stars", sa.Float(), nullable=True),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfactions")),
    )
    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_satisfactions_organization"), ["organization"], unique=False)

    op.create_table(
        "taxonomies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomies")),
    )
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_taxonomies_community"), ["community"], unique=False)

    op.create_table(
        "referrals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("compound", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'made') = (decided_at IS NULL)", name=op.f("ck_referrals_decided_at")),
        sa.CheckConstraint(
            "status IN ('made', 'accepted', 'delivered', 'declined', 'withdrawn')", name=op.f("ck_referrals_status")
        ),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_referrals_rank")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_referrals_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("request", "organization", name=op.f("uq_referrals_request_organization")),
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index("ix_referrals_community_status", ["community", "status"], unique=False)
        batch_op.create_index("ix_referrals_organization_status", ["organization", "status"], unique=False)
        batch_op.create_index(
            "uq_referrals_open",
            ["request"],
            unique=True,
            sqlite_where=sa.text("status IN ('made', 'accepted')"),
            postgresql_where=sa.text("status IN ('made', 'accepted')"),
        )

    op.create_table(
        "remarks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("said_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_remarks_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
    )
    with op.batch_alter_table("remarks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remarks_request"), ["request"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("remarks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_remarks_request"))

    op.drop_table("remarks")
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_referrals_open",
            sqlite_where=sa.text("status IN ('made', 'accepted')"),
            postgresql_where=sa.text("status IN ('made', 'accepted')"),
        )
        batch_op.drop_index("ix_referrals_organization_status")
        batch_op.drop_index("ix_referrals_community_status")

    op.drop_table("referrals")
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_taxonomies_community"))

    op.drop_table("taxonomies")
    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_satisfactions_organization"))

    op.drop_table("satisfactions")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index("ix_requests_community_status_item")

    op.drop_table("requests")
    op.drop_table("organizations")
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offers_organization"))
        batch_op.drop_index("ix_offers_community_item")

    op.drop_table("offers")
    op.drop_table("communities")
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreements_organization"))

    op.drop_table("agreements")
