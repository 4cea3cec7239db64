"""The evaluation body and its sessions, satisfaction by category, class, project and season, outcomes.

What is kept of others' facts has new columns; `fenghe republish registry matching` fills them, and may be run at any time.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.database import JSON, UTCDateTime
from shared.identifiers import new_id

revision: str = "feedback_0002"
down_revision: str | None = "feedback_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None

KINDS = "kind IN ('community', 'organization', 'offer', 'item', 'category', 'class', 'project')"
NEW = "season <> '' OR kind IN ('category', 'class', 'project')"
KEPT = {
    "communities": ("slug", "name_zh", "name_en"),
    "offers": ("category",),
    "organizations": ("name_zh", "name_en", "organization_class", "status"),
    "requests": ("merged", "supporters"),
    "satisfactions": ("season",),
    "taxonomies": ("categories",),
}


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("season", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("beneficiaries", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.create_index("ix_activities_community", ["community", "status"], unique=False)

    op.create_table(
        "agreements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
    )
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index("ix_agreements_organization", ["organization"], unique=False)

    op.create_table(
        "bodies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'ended') = (ended_because IS NOT NULL)", name=op.f("ck_bodies_ended_because")),
        sa.CheckConstraint("status IN ('appointed', 'ended')", name=op.f("ck_bodies_status")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_bodies_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodies")),
    )
    with op.batch_alter_table("bodies", schema=None) as batch_op:
        batch_op.create_index(
            "uq_bodies_appointed",
            ["community"],
            unique=True,
            sqlite_where=sa.text("status = 'appointed'"),
            postgresql_where=sa.text("status = 'appointed'"),
        )

    op.create_table(
        "experts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("conflicts", JSON, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experts")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("beneficiaries", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("season", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.create_index("ix_projects_community", ["community", "status"], unique=False)

    op.create_table(
        "body_members",
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=True),
        sa.CheckConstraint("(party = 'resident') = (request IS NOT NULL)", name=op.f("ck_body_members_request")),
        sa.CheckConstraint("party IN ('resident', 'station', 'expert')", name=op.f("ck_body_members_party")),
        sa.ForeignKeyConstraint(["body"], ["bodies.id"], name=op.f("fk_body_members_body")),
        sa.PrimaryKeyConstraint("body", "party", "subject", name=op.f("pk_body_members")),
        sa.UniqueConstraint("body", "request", name=op.f("uq_body_members_body_request")),
    )
    op.create_table(
        "evaluation_sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=True),
        sa.Column("season", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("statement_zh", sa.String(), nullable=True),
        sa.Column("statement_en", sa.String(), nullable=True),
        sa.Column("cancelled_because", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_because IS NOT NULL)", name=op.f("ck_evaluation_sessions_cancelled_because")
        ),
        sa.CheckConstraint(
            "(status = 'published') = (published_at IS NOT NULL)", name=op.f("ck_evaluation_sessions_published_at")
        ),
        sa.CheckConstraint("status IN ('opened', 'published', 'cancelled')", name=op.f("ck_evaluation_sessions_status")),
        sa.ForeignKeyConstraint(["body"], ["bodies.id"], name=op.f("fk_evaluation_sessions_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_sessions")),
    )
    with op.batch_alter_table("evaluation_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_evaluation_sessions_body", ["body"], unique=False)
        batch_op.create_index("ix_evaluation_sessions_community", ["community", "id"], unique=False)
        batch_op.create_index(
            "uq_evaluation_sessions_organization",
            ["organization", "season"],
            unique=True,
            sqlite_where=sa.text("status IN ('opened', 'published') AND project IS NULL"),
            postgresql_where=sa.text("status IN ('opened', 'published') AND project IS NULL"),
        )
        batch_op.create_index(
            "uq_evaluation_sessions_project",
            ["project"],
            unique=True,
            sqlite_where=sa.text("status IN ('opened', 'published') AND project IS NOT NULL"),
            postgresql_where=sa.text("status IN ('opened', 'published') AND project IS NOT NULL"),
        )

    op.create_table(
        "session_scores",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("criteria", JSON, nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("given_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_session_scores_score")),
        sa.ForeignKeyConstraint(["session"], ["evaluation_sessions.id"], name=op.f("fk_session_scores_session")),
        sa.PrimaryKeyConstraint("session", "party", "subject", name=op.f("pk_session_scores")),
    )
    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("slug", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("name_zh", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("name_en", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organization_class", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("category", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("project", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("session", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("criteria", JSON, nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_evaluations_party_evaluator_organization_season"), type_="unique")
        batch_op.create_index(
            "uq_evaluations_organization",
            ["party", "evaluator", "organization", "season"],
            unique=True,
            sqlite_where=sa.text("project IS NULL"),
            postgresql_where=sa.text("project IS NULL"),
        )
        batch_op.create_index(
            "uq_evaluations_project",
            ["party", "evaluator", "project"],
            unique=True,
            sqlite_where=sa.text("project IS NOT NULL"),
            postgresql_where=sa.text("project IS NOT NULL"),
        )

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("category", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name_zh", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("name_en", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("organization_class", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("status", sa.String(), nullable=False, server_default=""))
        batch_op.create_index("ix_organizations_community", ["community"], unique=False)

    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("category", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("project", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("merged", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("supporters", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("season", sa.String(), nullable=True))
        batch_op.create_index("ix_requests_community", ["community", "status"], unique=False)

    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("season", sa.String(), nullable=False, server_default=""))
        batch_op.drop_constraint(batch_op.f("uq_satisfactions_community_kind_of"), type_="unique")
        batch_op.drop_constraint(batch_op.f("ck_satisfactions_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_satisfactions_kind"), KINDS)
        batch_op.create_unique_constraint(
            batch_op.f("uq_satisfactions_community_kind_of_season"), ["community", "kind", "of", "season"]
        )

    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("categories", JSON, nullable=False, server_default="[]"))
        batch_op.drop_column("items")

    # The defaults were for the rows that were there; whoever writes a new one says what it is.
    for table, columns in KEPT.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)
    for table in ("communities", "taxonomies", "organizations", "offers", "requests"):
        op.execute(sa.table(table, sa.column("sequence")).update().values(sequence=0))
    if sa.inspect(op.get_bind()).has_table("inbox"):
        op.execute("DELETE FROM inbox")
    for kind in ("community", "organization"):
        _add_up_seasons(kind)


def _add_up_seasons(kind: str) -> None:
    """The satisfaction of each season, from the evaluations there are."""
    connection = op.get_bind()
    evaluations = sa.table("evaluations", *map(sa.column, ("community", "organization", "season", "party", "score")))
    score, keys = evaluations.c.score, [evaluations.c[name] for name in ("community", kind, "season")]
    figures = (sa.func.count(), sa.func.sum(score), sa.func.sum(score * score))
    statement = sa.select(*keys, evaluations.c.party, *figures).group_by(*keys, evaluations.c.party)
    rows = [tuple(row) for row in connection.execute(statement)]
    ids = {(row[0], row[1], row[2]): new_id() for row in rows}
    satisfactions = sa.table("satisfactions", *map(sa.column, ("id", "community", "kind", "of", "season", "evaluations")))
    sums = sa.table("party_sums", *map(sa.column, ("satisfaction", "party", "n", "total", "squares")))
    for (community, subject, season), id in ids.items():
        count = sum(row[4] for row in rows if (row[0], row[1], row[2]) == (community, subject, season))
        row = {"id": id, "community": community, "kind": kind, "of": subject, "season": season, "evaluations": count}
        connection.execute(satisfactions.insert().values(row))
    for community, subject, season, party, n, total, squares in rows:
        row = {"satisfaction": ids[community, subject, season], "party": party}
        connection.execute(sums.insert().values(row | {"n": n, "total": int(total), "squares": int(squares)}))


def downgrade() -> None:
    with op.batch_alter_table("taxonomies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("items", JSON, nullable=False, server_default="[]"))
        batch_op.drop_column("categories")

    satisfactions, sums = sa.table("satisfactions", sa.column("id")), sa.table("party_sums", sa.column("satisfaction"))
    new = sa.select(satisfactions.c.id).where(sa.text(NEW))
    op.execute(sums.delete().where(sums.c.satisfaction.in_(new)))
    op.execute(satisfactions.delete().where(sa.text(NEW)))
    with op.batch_alter_table("satisfactions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_satisfactions_community_kind_of_season"), type_="unique")
        batch_op.drop_constraint(batch_op.f("ck_satisfactions_kind"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_satisfactions_kind"), "kind IN ('community', 'organization', 'offer', 'item')"
        )
        batch_op.create_unique_constraint(batch_op.f("uq_satisfactions_community_kind_of"), ["community", "kind", "of"])
        batch_op.drop_column("season")

    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index("ix_requests_community")
        batch_op.drop_column("season")
        batch_op.drop_column("supporters")
        batch_op.drop_column("merged")
        batch_op.drop_column("project")
        batch_op.drop_column("category")

    with op.batch_alter_table("organizations", schema=None) as batch_op:
        batch_op.drop_index("ix_organizations_community")
        batch_op.drop_column("status")
        batch_op.drop_column("organization_class")
        batch_op.drop_column("name_en")
        batch_op.drop_column("name_zh")

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_column("category")

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_evaluations_project",
            sqlite_where=sa.text("project IS NOT NULL"),
            postgresql_where=sa.text("project IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_evaluations_organization", sqlite_where=sa.text("project IS NULL"), postgresql_where=sa.text("project IS NULL")
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_evaluations_party_evaluator_organization_season"), ["party", "evaluator", "organization", "season"]
        )
        batch_op.drop_column("criteria")
        batch_op.drop_column("session")
        batch_op.drop_column("project")
        batch_op.drop_column("category")
        batch_op.drop_column("organization_class")

    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.drop_column("name_en")
        batch_op.drop_column("name_zh")
        batch_op.drop_column("slug")

    op.drop_table("session_scores")
    with op.batch_alter_table("evaluation_sessions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_evaluation_sessions_project",
            sqlite_where=sa.text("status IN ('opened', 'published') AND project IS NOT NULL"),
            postgresql_where=sa.text("status IN ('opened', 'published') AND project IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_evaluation_sessions_organization",
            sqlite_where=sa.text("status IN ('opened', 'published') AND project IS NULL"),
            postgresql_where=sa.text("status IN ('opened', 'published') AND project IS NULL"),
        )
        batch_op.drop_index("ix_evaluation_sessions_community")
        batch_op.drop_index("ix_evaluation_sessions_body")

    op.drop_table("evaluation_sessions")
    op.drop_table("body_members")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_index("ix_projects_community")

    op.drop_table("projects")
    op.drop_table("experts")
    with op.batch_alter_table("bodies", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_bodies_appointed",
            sqlite_where=sa.text("status = 'appointed'"),
            postgresql_where=sa.text("status = 'appointed'"),
        )

    op.drop_table("bodies")
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.drop_index("ix_agreements_organization")

    op.drop_table("agreements")
    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.drop_index("ix_activities_community")

    op.drop_table("activities")
