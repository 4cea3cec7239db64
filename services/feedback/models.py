"""Feedback's tables: its own, and what it keeps of other services' facts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, MetaData, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.database import JSON, NAMING, UTCDateTime


class Table(SQLModel):
    """Base of this service's tables."""

    metadata = MetaData(naming_convention=NAMING)


class Evaluation(Table, table=True):
    """One evaluation by one party. A resident's carries nothing that leads to the request or the resident: `evaluator`
    is empty, and which request it was for stands in `ratings` alone."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("party", "evaluator", "organization", "season"),
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
    offer: str | None = None
    item: str | None = None
    score: int
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
    """A subject of satisfaction: the community, an organization, an offer or an item. Its row is what evaluations of
    the same subject wait for one another at, so that the last fact told of it counts them all."""

    __tablename__ = "satisfactions"
    __table_args__ = (
        UniqueConstraint("community", "kind", "of"),
        CheckConstraint("kind IN ('community', 'organization', 'offer', 'item')", name="kind"),
    )

    id: str = Field(primary_key=True)
    community: str
    kind: str
    of: str
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


class Community(Table, table=True):
    """Kept of registry's facts: the communities there are."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    sequence: int


class Taxonomy(Table, table=True):
    """Kept of registry's facts: the ids of the items of a community's taxonomy."""

    __tablename__ = "taxonomies"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    items: list[str] = Field(sa_type=JSON)
    sequence: int


class Organization(Table, table=True):
    """Kept of registry's facts: the organizations there are."""

    __tablename__ = "organizations"

    id: str = Field(primary_key=True)
    community: str
    sequence: int


class Offer(Table, table=True):
    """Kept of registry's facts: who offers which item."""

    __tablename__ = "offers"

    id: str = Field(primary_key=True)
    community: str
    organization: str
    item: str
    sequence: int


class Request(Table, table=True):
    """Kept of matching's facts: how far a request is, and who served it when."""

    __tablename__ = "requests"

    id: str = Field(primary_key=True)
    community: str
    status: str
    organization: str | None = None
    offer: str | None = None
    item: str | None = None
    served_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    sequence: int
