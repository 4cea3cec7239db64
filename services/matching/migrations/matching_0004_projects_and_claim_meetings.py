"""Projects, and the meetings at which they are claimed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "matching_0004"
down_revision: str | None = "matching_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "meetings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("objection_days", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=True),
        sa.Column("concluded_at", UTCDateTime(), nullable=True),
        sa.Column("objections_until", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('scheduled', 'opened', 'concluded', 'confirmed', 'cancelled')", name=op.f("ck_meetings_status")
        ),
        sa.CheckConstraint(
            "status NOT IN ('concluded', 'confirmed') OR concluded_at IS NOT NULL", name=op.f("ck_meetings_concluded_at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
    )
    with op.batch_alter_table("meetings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meetings_community"), ["community"], unique=False)

    op.create_table(
        "allocations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("instance", JSON, nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("solved_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_allocations_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocations")),
        sa.UniqueConstraint("meeting", "round", name=op.f("uq_allocations_meeting_round")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("scope_zh", sa.String(), nullable=False),
        sa.Column("scope_en", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("items", JSON, nullable=False),
        sa.Column("requests", JSON, nullable=False),
        sa.Column("beneficiaries", sa.Integer(), nullable=False),
        sa.Column("fee_mode", sa.String(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("budget", sa.String(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=True),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("relieved", sa.String(), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("fee_mode IN ('free', 'low', 'paid')", name=op.f("ck_projects_fee_mode")),
        sa.CheckConstraint("(fee_mode = 'free') = (price IS NULL)", name=op.f("ck_projects_price")),
        sa.CheckConstraint(
            "kind IN ('elderly-care', 'childcare', 'housekeeping', 'medical', 'culture', 'legal-aid', 'employment', 'assistance', 'safety', 'neighbourhood')",
            name=op.f("ck_projects_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('proposed', 'opened', 'assigned', 'delivered', 'evaluated', 'closed')", name=op.f("ck_projects_status")
        ),
        sa.CheckConstraint(
            "status NOT IN ('assigned', 'delivered', 'evaluated') OR organization IS NOT NULL",
            name=op.f("ck_projects_organization"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('delivered', 'evaluated') OR delivered_at IS NOT NULL", name=op.f("ck_projects_delivered_at")
        ),
        sa.CheckConstraint("status NOT IN ('proposed', 'opened') OR organization IS NULL", name=op.f("ck_projects_free")),
        sa.CheckConstraint("beneficiaries >= 0", name=op.f("ck_projects_beneficiaries")),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_projects_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.create_index("ix_projects_community_status", ["community", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_projects_meeting"), ["meeting"], unique=False)

    op.create_table(
        "assignments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("assigned_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_assignments_meeting")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_assignments_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_organization"), ["organization"], unique=False)
        batch_op.create_index(
            "uq_assignments_project",
            ["project"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "claims",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("wish", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("reason_zh", sa.String(), nullable=True),
        sa.Column("reason_en", sa.String(), nullable=True),
        sa.CheckConstraint("status IN ('standing', 'withdrawn', 'won', 'lost', 'relieved')", name=op.f("ck_claims_status")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_claims_capacity")),
        sa.CheckConstraint("wish >= 1", name=op.f("ck_claims_wish")),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_claims_meeting")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_claims_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claims_meeting"), ["meeting"], unique=False)
        batch_op.create_index(batch_op.f("ix_claims_organization"), ["organization"], unique=False)
        batch_op.create_index(batch_op.f("ix_claims_project"), ["project"], unique=False)
        batch_op.create_index(
            "uq_claims_standing",
            ["project", "organization"],
            unique=True,
            sqlite_where=sa.text("status = 'standing'"),
            postgresql_where=sa.text("status = 'standing'"),
        )
        batch_op.create_index(
            "uq_claims_wish",
            ["meeting", "organization", "wish"],
            unique=True,
            sqlite_where=sa.text("status = 'standing'"),
            postgresql_where=sa.text("status = 'standing'"),
        )

    op.create_table(
        "objections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("raised_at", UTCDateTime(), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'raised') = (decision IS NULL)", name=op.f("ck_objections_decision")),
        sa.CheckConstraint("status IN ('raised', 'upheld', 'rejected')", name=op.f("ck_objections_status")),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_objections_meeting")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_objections_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
    )
    with op.batch_alter_table("objections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_objections_meeting"), ["meeting"], unique=False)

    op.create_table(
        "pairs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('pinned', 'forbidden')", name=op.f("ck_pairs_kind")),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_pairs_meeting")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_pairs_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairs")),
        sa.UniqueConstraint("meeting", "project", "organization", name=op.f("uq_pairs_meeting_project_organization")),
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["meeting"], ["meetings.id"], name=op.f("fk_questions_meeting")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_questions_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_questions_meeting"), ["meeting"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questions_meeting"))

    op.drop_table("questions")
    op.drop_table("pairs")
    with op.batch_alter_table("objections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_objections_meeting"))

    op.drop_table("objections")
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_claims_wish", sqlite_where=sa.text("status = 'standing'"), postgresql_where=sa.text("status = 'standing'")
        )
        batch_op.drop_index(
            "uq_claims_standing", sqlite_where=sa.text("status = 'standing'"), postgresql_where=sa.text("status = 'standing'")
        )
        batch_op.drop_index(batch_op.f("ix_claims_project"))
        batch_op.drop_index(batch_op.f("ix_claims_organization"))
        batch_op.drop_index(batch_op.f("ix_claims_meeting"))

    op.drop_table("claims")
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_assignments_project", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_assignments_organization"))

    op.drop_table("assignments")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_projects_meeting"))
        batch_op.drop_index("ix_projects_community_status")

    op.drop_table("projects")
    op.drop_table("allocations")
    with op.batch_alter_table("meetings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_meetings_community"))

    op.drop_table("meetings")
