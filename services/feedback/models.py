"""Feedback's tables: its own, and what it keeps of other services' facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.database import JSON, NAMING, UTCDateTime


class Table(SQLModel):
    """Base of this service's tables."""

    metadata = MetaData(naming_convention=NAMING)


def _unique_where(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class Evaluation(Table, table=True):
    """One evaluation by one party. A resident's carries nothing that leads to the request or the resident: `evaluator`
    is empty, and which request it was for stands in `ratings` alone. `category` and `organization_class` are those of the
    moment: what an evaluation counts for does not change when the organization does."""

    __tablename__ = "evaluations"
    __table_args__ = (
        _unique_where("uq_evaluations_organization", "party", "evaluator", "organization", "season", where="project IS NULL"),
        _unique_where("uq_evaluations_project", "party", "evaluator", "project", where="project IS NOT NULL"),
        CheckConstraint("party IN ('resident', 'station', 'expert')", name="party"),
        CheckConstraint("(party = 'resident') = (evaluator IS NULL)", name="evaluator"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        Index("ix_evaluations_community_organization", "community", "organization", "id"),
    )

    id: str = Field(primary_key=True)
    community: str
    party: str
    evaluator: str | None = None
    organization: str
    organization_class: str | None = None
    offer: str | None = None
    item: str | None = None
    category: str | None = None
    project: str | None = None
    session: str | None = None
    score: int
    criteria: dict[str, int] | None = Field(default=None, sa_type=JSON)
    note: str | None = None
    season: str
    recorded_at: datetime = Field(sa_type=UTCDateTime)


class Rating(Table, table=True):
    """A resident's rating of a service: the only place that joins an evaluation to a request, and the only one that has
    the resident's words.

    A request may be served again after it was reopened, and each of those services may be rated once. What tells them
    apart is `served_at`, the moment the request was reported as served: unlike a count of facts heard it does not
    depend on the order in which they arrive, nor on hearing all of them.
    """

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("request", "purpose", "served_at"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("purpose IN ('service')", name="purpose"),
    )

    evaluation: str = Field(primary_key=True, foreign_key="evaluations.id")
    request: str
    purpose: str
    served_at: datetime = Field(sa_type=UTCDateTime)
    stars: int
    comment: str | None = None


class Satisfaction(Table, table=True):
    """A subject of satisfaction: the community, an organization, an offer, an item, a category, a class or a project, of
    one `season` or (empty) of all time. Its row is what evaluations of the same subject wait for one another at, so that
    the last fact told of it counts them all."""

    __tablename__ = "satisfactions"
    __table_args__ = (
        UniqueConstraint("community", "kind", "of", "season"),
        CheckConstraint("kind IN ('community', 'organization', 'offer', 'item', 'category', 'class', 'project')", name="kind"),
    )

    id: str = Field(primary_key=True)
    community: str
    kind: str
    of: str
    season: str = ""
    evaluations: int


class PartySum(Table, table=True):
    """What one party's evaluations of a subject add up to: their number `n`, the `total` of the scores and the total of
    their `squares`. Integers, so that no order of adding gives another result."""

    __tablename__ = "party_sums"
    __table_args__ = (CheckConstraint("n > 0", name="n"),)

    satisfaction: str = Field(primary_key=True, foreign_key="satisfactions.id")
    party: str = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    squares: int = Field(sa_type=BigInteger)


class Body(Table, table=True):
    """An evaluation body (评估机构) and its term, both days included. A community has one at a time."""

    __tablename__ = "bodies"
    __table_args__ = (
        _unique_where("uq_bodies_appointed", "community", where="status = 'appointed'"),
        CheckConstraint("status IN ('appointed', 'ended')", name="status"),
        CheckConstraint("(status = 'ended') = (ended_because IS NOT NULL)", name="ended_because"),
        CheckConstraint("starts_on <= ends_on", name="term"),
    )

    id: str = Field(primary_key=True)
    community: str
    starts_on: date
    ends_on: date
    status: str
    ended_because: str | None = None


class BodyMember(Table, table=True):
    """A member of an evaluation body. A resident is known by a request that was served, which stands here and in
    `body_seats` alone; everywhere else by `subject`, an id made for the membership."""

    __tablename__ = "body_members"
    __table_args__ = (
        UniqueConstraint("body", "request"),
        CheckConstraint("party IN ('resident', 'station', 'expert')", name="party"),
        CheckConstraint("(party = 'resident') = (request IS NOT NULL)", name="request"),
    )

    body: str = Field(primary_key=True, foreign_key="bodies.id")
    party: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    request: str | None = None


class BodySeat(Table, table=True):
    """The id under which a resident was ever a member of an evaluation body: who leaves it and is seated again is the same
    member, and has scored where they had scored."""

    __tablename__ = "body_seats"
    __table_args__ = (UniqueConstraint("body", "subject"),)

    body: str = Field(primary_key=True, foreign_key="bodies.id")
    request: str = Field(primary_key=True)
    subject: str


class EvaluationSession(Table, table=True):
    """A session of the evaluation body about an organization, or about a project it delivered."""

    __tablename__ = "evaluation_sessions"
    __table_args__ = (
        _unique_where(
            "uq_evaluation_sessions_organization",
            "organization",
            "season",
            where="status IN ('opened', 'published') AND project IS NULL",
        ),
        _unique_where(
            "uq_evaluation_sessions_project", "project", where="status IN ('opened', 'published') AND project IS NOT NULL"
        ),
        CheckConstraint("status IN ('opened', 'published', 'cancelled')", name="status"),
        CheckConstraint("(status = 'published') = (published_at IS NOT NULL)", name="published_at"),
        CheckConstraint("(status = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled_because"),
        Index("ix_evaluation_sessions_community", "community", "id"),
        Index("ix_evaluation_sessions_body", "body"),
    )

    id: str = Field(primary_key=True)
    community: str
    body: str = Field(foreign_key="bodies.id")
    organization: str
    project: str | None = None
    season: str
    status: str
    opened_at: datetime = Field(sa_type=UTCDateTime)
    published_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    score: float | None = None
    low: float | None = None
    high: float | None = None
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    statement_zh: str | None = None
    statement_en: str | None = None
    cancelled_because: str | None = None
    reason: str | None = None


class SessionScore(Table, table=True):
    """What one member gave in a session, once. It counts as an evaluation when the session is published, not before: a
    fact told earlier would show it to those who have not scored yet."""

    __tablename__ = "session_scores"
    __table_args__ = (CheckConstraint("score BETWEEN 0 AND 100", name="score"),)

    session: str = Field(primary_key=True, foreign_key="evaluation_sessions.id")
    party: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    score: int
    criteria: dict[str, int] = Field(sa_type=JSON)
    note: str | None = None
    given_at: datetime = Field(sa_type=UTCDateTime)


class Community(Table, table=True):
    """Kept of registry's facts: the communities there are."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    slug: str
    name_zh: str
    name_en: str
    sequence: int


class Taxonomy(Table, table=True):
    """Kept of registry's facts: a community's categories in their order, `{id, name_zh, name_en, items}`, the items by id."""

    __tablename__ = "taxonomies"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    categories: list[dict[str, Any]] = Field(sa_type=JSON)
    sequence: int


class Organization(Table, table=True):
    """Kept of registry's facts: the organizations there are."""

    __tablename__ = "organizations"
    __table_args__ = (Index("ix_organizations_community", "community"),)

    id: str = Field(primary_key=True)
    community: str
    name_zh: str
    name_en: str
    organization_class: str
    status: str
    sequence: int


class Agreement(Table, table=True):
    """Kept of registry's facts: who signed a service agreement."""

    __tablename__ = "agreements"
    __table_args__ = (Index("ix_agreements_organization", "organization"),)

    id: str = Field(primary_key=True)
    community: str
    organization: str
    status: str
    sequence: int


class Expert(Table, table=True):
    """Kept of registry's facts: the experts, and the organizations each has an interest in."""

    __tablename__ = "experts"

    id: str = Field(primary_key=True)
    community: str
    conflicts: list[str] = Field(sa_type=JSON)
    status: str
    sequence: int


class Offer(Table, table=True):
    """Kept of registry's facts: who offers which item."""

    __tablename__ = "offers"

    id: str = Field(primary_key=True)
    community: str
    organization: str
    item: str
    category: str
    sequence: int


class Activity(Table, table=True):
    """Kept of registry's facts: the activities, the season they begin in, whom they reached."""

    __tablename__ = "activities"
    __table_args__ = (Index("ix_activities_community", "community", "status"),)

    id: str = Field(primary_key=True)
    community: str
    organization: str
    category: str
    season: str
    status: str
    beneficiaries: int
    sequence: int


class Request(Table, table=True):
    """Kept of matching's facts: how far a request is, who served it when (in which `season`), and for how many residents
    it stands; one that is `merged` follows another's fate and stands for none of its own."""

    __tablename__ = "requests"
    __table_args__ = (Index("ix_requests_community", "community", "status"),)

    id: str = Field(primary_key=True)
    community: str
    status: str
    organization: str | None = None
    offer: str | None = None
    item: str | None = None
    category: str | None = None
    project: str | None = None
    merged: bool
    supporters: int
    served_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    season: str | None = None
    sequence: int


class Project(Table, table=True):
    """Kept of matching's facts: the projects, who delivered each and in which `season`."""

    __tablename__ = "projects"
    __table_args__ = (Index("ix_projects_community", "community", "status"),)

    id: str = Field(primary_key=True)
    community: str
    organization: str | None = None
    category: str | None = None
    status: str
    beneficiaries: int
    delivered: bool
    season: str | None = None
    sequence: int
