"""The tables of registry."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "registry_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("registry",)
depends_on: str | None = None


def upgrade() -> None:

    op.create_table(
        "communities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("rehearsal", sa.Boolean(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
        sa.UniqueConstraint("slug", name=op.f("uq_communities_slug")),
    )
    op.create_table(
        "satisfactions",
        sa.Column("satisfaction", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.Column("evaluations", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("satisfaction", name=op.f("pk_satisfactions")),
        sa.UniqueConstraint("community", "kind", "of", name=op.f("uq_satisfactions_community_kind_of")),
    )
    op.create_table(
        "compounds",
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_compounds_community")),
        sa.PrimaryKeyConstraint("community", "id", name=op.f("pk_compounds")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("organization_class", sa.String(), nullable=False),
        sa.Column("introduction_zh", sa.String(), nullable=False),
        sa.Column("introduction_en", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.Column("registered_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'applied') = (registered_at IS NULL)", name=op.f("ck_organizations_registered_at")),
        sa.CheckConstraint(
            "organization_class IN ('public-welfare', 'harmony', 'culture', 'emergency', 'mutual-aid')",
            name=op.f("ck_organizations_organization_class"),
        ),
        sa.CheckConstraint("status IN ('applied', 'registered')", name=op.f("ck_organizations_status")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_organizations_community")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("community", "name_zh", name=op.f("uq_organizations_community_name_zh")),
    )
    op.create_table(
        "taxonomies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_taxonomies_version")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_taxonomies_community")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomies")),
        sa.UniqueConstraint("community", name=op.f("uq_taxonomies_community")),
    )
    op.create_table(
        "agreements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("signed_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'in-force') = (ended_at IS NULL)", name=op.f("ck_agreements_ended_at")),
        sa.CheckConstraint("status IN ('in-force', 'ended')", name=op.f("ck_agreements_status")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_agreements_term")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_agreements_community")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_agreements_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
    )
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreements_community"), ["community"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreements_organization"), ["organization"], unique=False)

    op.create_table(
        "categories",
        sa.Column("taxonomy", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("phrases_zh", JSON, nullable=False),
        sa.Column("phrases_en", JSON, nullable=False),
        sa.ForeignKeyConstraint(["taxonomy"], ["taxonomies.id"], name=op.f("fk_categories_taxonomy")),
        sa.PrimaryKeyConstraint("taxonomy", "id", name=op.f("pk_categories")),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("fee_mode", sa.String(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("standard_zh", sa.String(), nullable=False),
        sa.Column("standard_en", sa.String(), nullable=False),
        sa.Column("area", JSON, nullable=True),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("weekly_capacity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(fee_mode = 'free') = (price IS NULL)", name=op.f("ck_offers_price")),
        sa.CheckConstraint("(status = 'published') = (withdrawn_at IS NULL)", name=op.f("ck_offers_withdrawn_at")),
        sa.CheckConstraint("fee_mode IN ('free', 'low', 'paid')", name=op.f("ck_offers_fee_mode")),
        sa.CheckConstraint("status IN ('published', 'withdrawn')", name=op.f("ck_offers_status")),
        sa.CheckConstraint("unit IN ('visit', 'hour', 'person', 'session', 'month', 'item')", name=op.f("ck_offers_unit")),
        sa.CheckConstraint("weekly_capacity >= 1", name=op.f("ck_offers_weekly_capacity")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_offers_community")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_offers_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offers_community"), ["community"], unique=False)
        batch_op.create_index(batch_op.f("ix_offers_organization"), ["organization"], unique=False)

    op.create_table(
        "items",
        sa.Column("taxonomy", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("phrases_zh", JSON, nullable=False),
        sa.Column("phrases_en", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["taxonomy", "category"], ["categories.taxonomy", "categories.id"], name=op.f("fk_items_taxonomy_category")
        ),
        sa.PrimaryKeyConstraint("taxonomy", "id", name=op.f("pk_items")),
    )


def downgrade() -> None:

    op.drop_table("items")
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offers_organization"))
        batch_op.drop_index(batch_op.f("ix_offers_community"))

    op.drop_table("offers")
    op.drop_table("categories")
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreements_organization"))
        batch_op.drop_index(batch_op.f("ix_agreements_community"))

    op.drop_table("agreements")
    op.drop_table("taxonomies")
    op.drop_table("organizations")
    op.drop_table("compounds")
    op.drop_table("satisfactions")
    op.drop_table("communities")
