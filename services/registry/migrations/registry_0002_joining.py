"""Joining: incubation, green channel, talents, experts, activities; agreements that are provisional, renewed or expire."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "registry_0002"
down_revision: str | None = "registry_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None

NAMED = sa.text("status IN ('applied', 'incubating', 'registered', 'suspended')")
ORGANIZATION_CHECKS = {
    "ck_organizations_status": (
        "status IN ('applied', 'incubating', 'registered', 'suspended', 'left', 'rejected', 'withdrawn')"
    ),
    "ck_organizations_registered_at": "(status IN ('registered', 'suspended', 'left')) = (registered_at IS NOT NULL)",
    "ck_organizations_origin": "origin IN ('incubated', 'formed', 'absorbed')",
}
AGREEMENT_CHECKS = {
    "ck_agreements_ended_because": "(status = 'in-force') = (ended_because IS NULL)",
    "ck_agreements_because": "ended_because IN ('terminated', 'expired', 'left')",
    "ck_agreements_guarantor": "provisional = (guarantor IS NOT NULL)",
    "ck_agreements_guarantor_other": "guarantor <> organization",
}


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("scores", JSON, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("about IN ('organization', 'incubation')", name=op.f("ck_decisions_about")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_decisions_community")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index("ix_decisions_about_of", ["about", "of"], unique=False)

    op.create_table(
        "experts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("conflicts", JSON, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("enrolled_at", UTCDateTime(), nullable=False),
        sa.Column("left_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'left') = (left_at IS NOT NULL)", name=op.f("ck_experts_left_at")),
        sa.CheckConstraint("status = 'enrolled' OR (name IS NULL AND contact IS NULL)", name=op.f("ck_experts_person")),
        sa.CheckConstraint("status IN ('enrolled', 'left')", name=op.f("ck_experts_status")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_experts_community")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experts")),
    )
    with op.batch_alter_table("experts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experts_community"), ["community"], unique=False)

    op.create_table(
        "talents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("enrolled_at", UTCDateTime(), nullable=False),
        sa.Column("left_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'left') = (left_at IS NOT NULL)", name=op.f("ck_talents_left_at")),
        sa.CheckConstraint("status = 'enrolled' OR (name IS NULL AND contact IS NULL)", name=op.f("ck_talents_person")),
        sa.CheckConstraint("status IN ('enrolled', 'left')", name=op.f("ck_talents_status")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_talents_community")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talents")),
    )
    with op.batch_alter_table("talents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_talents_community"), ["community"], unique=False)

    op.create_table(
        "activities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("place_zh", sa.String(), nullable=False),
        sa.Column("place_en", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("beneficiaries", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("announced_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("(status = 'cancelled') = (reason IS NOT NULL)", name=op.f("ck_activities_reason")),
        sa.CheckConstraint("(status = 'held') = (beneficiaries IS NOT NULL)", name=op.f("ck_activities_beneficiaries")),
        sa.CheckConstraint("status IN ('announced', 'held', 'cancelled')", name=op.f("ck_activities_status")),
        sa.CheckConstraint("beneficiaries >= 0", name=op.f("ck_activities_beneficiaries_count")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_activities_capacity")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_activities_term")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_activities_community")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_activities_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activities_community"), ["community"], unique=False)
        batch_op.create_index(batch_op.f("ix_activities_organization"), ["organization"], unique=False)

    op.create_table(
        "green_channels",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'open') = (ended_at IS NULL)", name=op.f("ck_green_channels_ended_at")),
        sa.CheckConstraint("status IN ('open', 'completed', 'closed')", name=op.f("ck_green_channels_status")),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_green_channels_community")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_green_channels_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_green_channels")),
    )
    with op.batch_alter_table("green_channels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_green_channels_community"), ["community"], unique=False)
        batch_op.create_index(
            "uq_green_channels_open",
            ["organization"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    op.create_table(
        "incubations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("scores", JSON, nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'open') = (ended_at IS NULL)", name=op.f("ck_incubations_ended_at")),
        sa.CheckConstraint("status IN ('open', 'completed', 'failed', 'withdrawn')", name=op.f("ck_incubations_status")),
        sa.CheckConstraint(
            "step IN ('application', 'initial-assessment', 'incubation', 'mid-term', 'conclusion')",
            name=op.f("ck_incubations_step"),
        ),
        sa.ForeignKeyConstraint(["community"], ["communities.id"], name=op.f("fk_incubations_community")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_incubations_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incubations")),
        sa.UniqueConstraint("organization", "attempt", name=op.f("uq_incubations_organization_attempt")),
    )
    with op.batch_alter_table("incubations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incubations_community"), ["community"], unique=False)
        batch_op.create_index(
            "uq_incubations_open",
            ["organization"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    op.create_table(
        "talent_links",
        sa.Column("talent", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("linked_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("how IN ('joined', 'led', 'founded')", name=op.f("ck_talent_links_how")),
        sa.ForeignKeyConstraint(["organization"], ["organizations.id"], name=op.f("fk_talent_links_organization")),
        sa.ForeignKeyConstraint(["talent"], ["talents.id"], name=op.f("fk_talent_links_talent")),
        sa.PrimaryKeyConstraint("talent", "organization", "how", name=op.f("pk_talent_links")),
    )
    op.create_table(
        "standards",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(answer IS NULL) = (answered_on IS NULL)", name=op.f("ck_standards_answer")),
        sa.CheckConstraint("(asked IS NULL) = (asked_on IS NULL)", name=op.f("ck_standards_asked")),
        sa.CheckConstraint("answer IS NULL OR asked IS NOT NULL", name=op.f("ck_standards_answer_asked")),
        sa.ForeignKeyConstraint(["channel"], ["green_channels.id"], name=op.f("fk_standards_channel")),
        sa.PrimaryKeyConstraint("channel", "position", name=op.f("pk_standards")),
    )
    op.add_column("agreements", sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("agreements", sa.Column("guarantor", sa.String(), nullable=True))
    op.add_column("agreements", sa.Column("renewals", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("agreements", sa.Column("ended_because", sa.String(), nullable=True))
    # What ended until now was ended by somebody.
    op.execute("UPDATE agreements SET ended_because = 'terminated' WHERE status = 'ended'")
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreements_guarantor"), ["guarantor"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_agreements_guarantor"), "organizations", ["guarantor"], ["id"])
        for name, condition in AGREEMENT_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(name), condition)

    op.add_column("organizations", sa.Column("origin", sa.String(), nullable=False, server_default="absorbed"))
    op.add_column("organizations", sa.Column("hub", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("organizations", sa.Column("parents", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_organizations_community_name_zh"), type_="unique")
        for name in ("ck_organizations_status", "ck_organizations_registered_at"):
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        for name, condition in ORGANIZATION_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(name), condition)
        batch_op.create_index(batch_op.f("ix_organizations_community"), ["community"], unique=False)
    # The name is free again when its organization is rejected, withdrew or left. After the table is made anew: it is the same name.
    op.create_index(
        "uq_organizations_community_name_zh",
        "organizations",
        ["community", "name_zh"],
        unique=True,
        sqlite_where=NAMED,
        postgresql_where=NAMED,
    )


def downgrade() -> None:
    op.drop_index("uq_organizations_community_name_zh", "organizations")
    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organizations_community"))
        for name in ORGANIZATION_CHECKS:
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_organizations_status"), "status IN ('applied', 'registered')")
        batch_op.create_check_constraint(
            batch_op.f("ck_organizations_registered_at"), "(status = 'applied') = (registered_at IS NULL)"
        )
        batch_op.create_unique_constraint(batch_op.f("uq_organizations_community_name_zh"), ["community", "name_zh"])
        for name in ("parents", "hub", "origin"):
            batch_op.drop_column(name)

    with op.batch_alter_table("agreements", schema=None) as batch_op:
        for name in AGREEMENT_CHECKS:
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_agreements_guarantor"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_agreements_guarantor"))
        for name in ("ended_because", "renewals", "guarantor", "provisional"):
            batch_op.drop_column(name)

    op.drop_table("standards")
    op.drop_table("talent_links")
    with op.batch_alter_table("incubations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_incubations_open", sqlite_where=sa.text("status = 'open'"), postgresql_where=sa.text("status = 'open'")
        )
        batch_op.drop_index(batch_op.f("ix_incubations_community"))

    op.drop_table("incubations")
    with op.batch_alter_table("green_channels", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_green_channels_open", sqlite_where=sa.text("status = 'open'"), postgresql_where=sa.text("status = 'open'")
        )
        batch_op.drop_index(batch_op.f("ix_green_channels_community"))

    op.drop_table("green_channels")
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activities_organization"))
        batch_op.drop_index(batch_op.f("ix_activities_community"))

    op.drop_table("activities")
    with op.batch_alter_table("talents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_talents_community"))

    op.drop_table("talents")
    with op.batch_alter_table("experts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experts_community"))

    op.drop_table("experts")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index("ix_decisions_about_of")

    op.drop_table("decisions")
