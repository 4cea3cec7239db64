"""The tables of registry. Nothing outside this service imports them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, MetaData, UniqueConstraint
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


class Organization(Table, table=True):
    """A social organization that applied to a community. `credit_code` never leaves registry in a fact."""

    __tablename__ = "organizations"
    __table_args__ = (
        UniqueConstraint("community", "name_zh"),
        CheckConstraint("status IN ('applied', 'registered')", name="status"),
        CheckConstraint("(status = 'applied') = (registered_at IS NULL)", name="registered_at"),
        CheckConstraint(
            "organization_class IN ('public-welfare', 'harmony', 'culture', 'emergency', 'mutual-aid')",
            name="organization_class",
        ),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id")
    name_zh: str
    name_en: str
    organization_class: str
    introduction_zh: str
    introduction_en: str
    credit_code: str | None
    status: str
    applied_at: datetime = Field(sa_type=UTCDateTime)
    registered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Agreement(Table, table=True):
    """A service agreement. `items` are the ids its scope came to when it was signed; both dates are included."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="term"),
        CheckConstraint("status IN ('in-force', 'ended')", name="status"),
        CheckConstraint("(status = 'in-force') = (ended_at IS NULL)", name="ended_at"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(foreign_key="communities.id", index=True)
    organization: str = Field(foreign_key="organizations.id", index=True)
    items: list[str] = Field(sa_type=JSON)
    starts_on: date
    ends_on: date
    status: str
    signed_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
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
    status: str
    published_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


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
