"""The tables of feedback."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime

revision: str = "feedback_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("feedback",)
depends_on: str | None = None


def upgrade() -> None:

    op.create_table(
        "communities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
    )
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("evaluator", sa.String(), nullable=True),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("season", sa.String(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("(party = 'resident') = (evaluator IS NULL)", name=op.f("ck_evaluations_evaluator")),
        sa.CheckConstraint("party IN ('resident', 'station', 'expert')", name=op.f("ck_evaluations_party")),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_evaluations_score")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint(
            "party", "evaluator", "organization", "season", name=op.f("uq_evaluations_party_evaluator_organization_season")
        ),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index("ix_evaluations_community_organization", ["community", "organization", "id"], unique=False)

    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("offer", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("served_at", UTCDateTime(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_table(
        "satisfactions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("evaluations", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('community', 'organization', 'offer', 'item')", name=op.f("ck_satisfactions_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfactions")),
        sa.UniqueConstraint("community", "kind", "of", name=op.f("uq_satisfactions_community_kind_of")),
    )
    op.create_table(
        "taxonomies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomies")),
    )
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_taxonomies_community"), ["community"], unique=False)

    op.create_table(
        "party_sums",
        sa.Column("satisfaction", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("squares", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("n > 0", name=op.f("ck_party_sums_n")),
        sa.ForeignKeyConstraint(["satisfaction"], ["satisfactions.id"], name=op.f("fk_party_sums_satisfaction")),
        sa.PrimaryKeyConstraint("satisfaction", "party", name=op.f("pk_party_sums")),
    )
    op.create_table(
        "ratings",
        sa.Column("evaluation", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("served_at", UTCDateTime(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.CheckConstraint("purpose IN ('service')", name=op.f("ck_ratings_purpose")),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_ratings_stars")),
        sa.ForeignKeyConstraint(["evaluation"], ["evaluations.id"], name=op.f("fk_ratings_evaluation")),
        sa.PrimaryKeyConstraint("evaluation", name=op.f("pk_ratings")),
        sa.UniqueConstraint("request", "purpose", "served_at", name=op.f("uq_ratings_request_purpose_served_at")),
    )


def downgrade() -> None:

    op.drop_table("ratings")
    op.drop_table("party_sums")
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_taxonomies_community"))

    op.drop_table("taxonomies")
    op.drop_table("satisfactions")
    op.drop_table("requests")
    op.drop_table("organizations")
    op.drop_table("offers")
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index("ix_evaluations_community_organization")

    op.drop_table("evaluations")
    op.drop_table("communities")
