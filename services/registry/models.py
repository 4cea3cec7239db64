"""The tables of registry. Nothing outside this service imports them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.database import JSON, NAMING, UTCDateTime


class Table(SQLModel):
    """Base of this service's tables."""

    metadata = MetaData(naming_convention=NAMING)


class Community(Table, table=True):
    """A community that runs a supermarket."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    slug: str = Field(unique=True)
    name_zh: str
    name_en: str
    rehearsal: bool
    opened_at: datetime = Field(sa_type=UTCDateTime)


class Compound(Table, table=True):
    """A residential compound of a community. `position` keeps the order in which they were given."""

    __tablename__ = "compounds"

    community: str = Field(primary_key=True, foreign_key="communities.id")
    id: str = Field(primary_key=True)
    position: int
    name_zh: str
    name_en: str
    latitude: float | None = None
    longitude: float | None = None


class Taxonomy(Table, table=True):
    """The taxonomy of a community, in its current version. `name` is the document's own id."""

    __tablename__ = "taxonomies"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    id: str = Field(primary_key=True)
    community: str = Field(unique=True, foreign_key="communities.id")
    name: str
    version: int
    published_at: datetime = Field(sa_type=UTCDateTime)


class Category(Table, table=True):
    """A category of a taxonomy's current version."""

    __tablename__ = "categories"

    taxonomy: str = Field(primary_key=True, foreign_key="taxonomies.id")
    id: str = Field(primary_key=True)
    position: int
    name_zh: str
    name_en: str
    phrases_zh: list[str] = Field(sa_type=JSON)
    phrases_en: list[str] = Field(sa_type=JSON)


class Item(Table, table=True):
    """A service item of a taxonomy's current version. `position` counts through the whole taxonomy."""

    __tablename__ = "items"
    __table_args__ = (ForeignKeyConstraint(["taxonomy", "category"], ["categories.taxonomy", "categories.id"]),)

    taxonomy: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    category: str
    position: int
    name_zh: str
    name_en: str
    phrases_zh: list[str] = Field(sa_type=JSON)
    phrases_en: list[str] = Field(sa_type=JSON)


def _one(name: str, *columns: str, where: str) -> Index:
    """At most one row of these columns' values among those of the condition."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class Organization(Table, table=True):
    """A social organization, from its application on. `credit_code` never leaves registry in a fact. Who is rejected,
    withdrew or left gives the name free."""

    __tablename__ = "organizations"
    __table_args__ = (
        _one(
            "uq_organizations_community_name_zh",
            *("community", "name_zh"),
            where="status IN ('applied', 'incubating', 'registered', 'suspended')",
        ),
        CheckConstraint(
            "status IN ('applied', 'incubating', 'registered', 'suspended', 'left', 'rejected', 'withdrawn')", name="status"
        ),
        CheckConstraint(
            "(status IN ('registered', 'suspended', 'left')) = (registered_at IS NOT NULL)",
            name="registered_at",
        ),
        CheckConstraint(
            "organization_class IN ('public-welfare', 'harmony', 'culture', 'emergency', 'mutual-aid')",
            name="organization_class",
        ),
        CheckConstraint("origin IN ('incubated', 'formed', 'absorbed')", name="origin"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    name_zh: str
    name_en: str
    organization_class: str
    introduction_zh: str
    introduction_en: str
    credit_code: str | None
    status: str
    origin: str
    hub: bool = False
    parents: list[str] = Field(default_factory=list, sa_type=JSON)
    based_in: str | None = None
    applied_at: datetime = Field(sa_type=UTCDateTime)
    registered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Decision(Table, table=True):
    """What somebody decided of an organization or its incubation, with the reason: `about` is the kind of thing, `of` its id,
    `verdict` the verb. Of a gate of the incubation: its `step`, and the score of each criterion as it was then."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_about_of", "about", "of"),
        CheckConstraint("about IN ('organization', 'incubation')", name="about"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id")
    about: str
    of: str
    verdict: str
    step: str | None = None
    scores: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    reason: str
    decided_by: str | None
    decided_at: datetime = Field(sa_type=UTCDateTime)


class Incubation(Table, table=True):
    """A group's passage through the five steps. `scores` are those of the step it stands at, `score` the mean at the last
    gate that was decided."""

    __tablename__ = "incubations"
    __table_args__ = (
        _one("uq_incubations_open", "organization", where="status = 'open'"),
        UniqueConstraint("organization", "attempt"),
        CheckConstraint(
            "step IN ('application', 'initial-assessment', 'incubation', 'mid-term', 'conclusion')",
            name="step",
        ),
        CheckConstraint("status IN ('open', 'completed', 'failed', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended_at"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id")
    attempt: int
    step: str
    status: str
    scores: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    score: float | None = None
    applied_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class GreenChannel(Table, table=True):
    """The green channel of a group that falls short of the registration standards."""

    __tablename__ = "green_channels"
    __table_args__ = (
        _one("uq_green_channels_open", "organization", where="status = 'open'"),
        CheckConstraint("status IN ('open', 'completed', 'closed')", name="status"),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended_at"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id")
    status: str
    opened_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Standard(Table, table=True):
    """A registration standard that a group did not meet when its channel was opened: whom the station asked, and when; the
    answer; whether it is met now; and whom it asked `earlier`, with their answers, as in `AskedView`."""

    __tablename__ = "standards"
    __table_args__ = (
        CheckConstraint("(asked IS NULL) = (asked_on IS NULL)", name="asked"),
        CheckConstraint("(answer IS NULL) = (answered_on IS NULL)", name="answer"),
        CheckConstraint("answer IS NULL OR asked IS NOT NULL", name="answer_asked"),
    )

    channel: str = Field(primary_key=True, foreign_key="green_channels.id")
    position: int = Field(primary_key=True)
    name_zh: str
    name_en: str
    asked: str | None = None
    asked_on: date | None = None
    answer: str | None = None
    answered_on: date | None = None
    earlier: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    met: bool = False


class Agreement(Table, table=True):
    """A service agreement. `items` are the ids its scope came to when it was signed; both dates are included. A provisional
    one is of a group that is not registered yet, and has a guarantor."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="term"),
        CheckConstraint("status IN ('in-force', 'ended')", name="status"),
        CheckConstraint("(status = 'in-force') = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("(status = 'in-force') = (ended_because IS NULL)", name="ended_because"),
        CheckConstraint("ended_because IN ('terminated', 'expired', 'left')", name="because"),
        CheckConstraint("provisional = (guarantor IS NOT NULL)", name="guarantor"),
        CheckConstraint("guarantor <> organization", name="guarantor_other"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id", index=True)
    items: list[str] = Field(sa_type=JSON)
    starts_on: date
    ends_on: date
    status: str
    provisional: bool = False
    guarantor: str | None = Field(default=None, foreign_key="organizations.id", index=True)
    renewals: int = 0
    signed_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_because: str | None = None
    reason: str | None = None


class Offer(Table, table=True):
    """An entry of the menu. `price` is in yuan with two decimals; `area` is None for the whole community."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("status IN ('published', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'published') = (withdrawn_at IS NULL)", name="withdrawn_at"),
        CheckConstraint("fee_mode IN ('free', 'low', 'paid')", name="fee_mode"),
        CheckConstraint("(fee_mode = 'free') = (price IS NULL)", name="price"),
        CheckConstraint("unit IN ('visit', 'hour', 'person', 'session', 'month', 'item')", name="unit"),
        CheckConstraint("weekly_capacity >= 1", name="weekly_capacity"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id", index=True)
    item: str
    category: str
    title_zh: str
    title_en: str
    fee_mode: str
    price: str | None
    unit: str
    standard_zh: str
    standard_en: str
    area: list[str] | None = Field(sa_type=JSON)
    hours: str
    weekly_capacity: int
    languages: list[str] = Field(default_factory=lambda: ["zh"], sa_type=JSON)
    status: str
    published_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Expert(Table, table=True):
    """An expert. `name` and `contact` never leave registry, and are deleted when the expert leaves."""

    __tablename__ = "experts"
    __table_args__ = (
        CheckConstraint("status IN ('enrolled', 'left')", name="status"),
        CheckConstraint("(status = 'left') = (left_at IS NOT NULL)", name="left_at"),
        CheckConstraint("status = 'enrolled' OR (name IS NULL AND contact IS NULL)", name="person"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    name: str | None
    contact: str | None
    categories: list[str] = Field(sa_type=JSON)
    conflicts: list[str] = Field(sa_type=JSON)
    status: str
    enrolled_at: datetime = Field(sa_type=UTCDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Talent(Table, table=True):
    """Somebody of the talent pool. `name` and `contact` never leave registry, and are deleted when the talent leaves."""

    __tablename__ = "talents"
    __table_args__ = (
        CheckConstraint("status IN ('enrolled', 'left')", name="status"),
        CheckConstraint("(status = 'left') = (left_at IS NOT NULL)", name="left_at"),
        CheckConstraint("status = 'enrolled' OR (name IS NULL AND contact IS NULL)", name="person"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    name: str | None
    contact: str | None
    skills: list[str] = Field(sa_type=JSON)
    status: str
    enrolled_at: datetime = Field(sa_type=UTCDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class TalentLink(Table, table=True):
    """A talent joined, leads or founded an organization."""

    __tablename__ = "talent_links"
    __table_args__ = (CheckConstraint("how IN ('joined', 'led', 'founded')", name="how"),)

    talent: str = Field(primary_key=True, foreign_key="talents.id")
    organization: str = Field(primary_key=True, foreign_key="organizations.id", index=True)
    how: str = Field(primary_key=True)
    linked_at: datetime = Field(sa_type=UTCDateTime)


class Activity(Table, table=True):
    """An activity of an organization. `beneficiaries` are counted when it is held."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("status IN ('announced', 'held', 'cancelled')", name="status"),
        CheckConstraint("(status = 'held') = (beneficiaries IS NOT NULL)", name="beneficiaries"),
        CheckConstraint("beneficiaries >= 0", name="beneficiaries_count"),
        CheckConstraint("starts_at < ends_at", name="term"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("(status = 'cancelled') = (reason IS NOT NULL)", name="reason"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id", index=True)
    category: str
    item: str | None
    title_zh: str
    title_en: str
    starts_at: datetime = Field(sa_type=UTCDateTime)
    ends_at: datetime = Field(sa_type=UTCDateTime)
    place_zh: str
    place_en: str
    capacity: int | None
    status: str
    beneficiaries: int | None = None
    reason: str | None = None
    announced_at: datetime = Field(sa_type=UTCDateTime)


class Satisfaction(Table, table=True):
    """What feedback last told of the satisfaction with a community, an organization, an offer or an item."""

    __tablename__ = "satisfactions"
    __table_args__ = (UniqueConstraint("community", "kind", "of"),)

    satisfaction: str = Field(primary_key=True)
    sequence: int
    community: str
    kind: str
    of: str
    score: float
    ratings: int
    evaluations: int
    stars: float | None
