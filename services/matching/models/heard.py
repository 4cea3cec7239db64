"""What matching keeps of other services' facts."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from services.matching.models.base import Table
from shared.database import JSON


class Community(Table, table=True):
    """Kept of registry's facts: the communities, their compounds (ids), and where those lie (`places`: id -> [latitude,
    longitude]), as far as that is known. `weights` are the station's own, by which candidates are ranked; None for the
    published ones."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    compounds: list[str] = Field(sa_type=JSON)
    places: dict[str, list[float]] = Field(default_factory=dict, sa_type=JSON)
    weights: dict[str, float] | None = Field(default=None, sa_type=JSON)
    sequence: int


class Taxonomy(Table, table=True):
    """Kept of registry's facts: what the classifier learns from, and the items' names (`names`: id -> [zh, en])."""

    __tablename__ = "taxonomies"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    name: str
    version: int
    categories: list[dict[str, Any]] = Field(sa_type=JSON)
    names: dict[str, list[str]] = Field(sa_type=JSON)
    sequence: int


class Organization(Table, table=True):
    """Kept of registry's facts: the organizations that are or were registered or in incubation."""

    __tablename__ = "organizations"
    __table_args__ = (Index("ix_organizations_community", "community"),)

    id: str = Field(primary_key=True)
    community: str
    name_zh: str
    name_en: str
    status: str
    hub: bool = False
    parents: list[str] = Field(default_factory=list, sa_type=JSON)
    based_in: str | None = None
    sequence: int


class Agreement(Table, table=True):
    """Kept of registry's facts: the items an organization may serve, from `starts_on` to `ends_on`, both included."""

    __tablename__ = "agreements"

    id: str = Field(primary_key=True)
    community: str
    organization: str = Field(index=True)
    items: list[str] = Field(sa_type=JSON)
    starts_on: date
    ends_on: date
    status: str
    sequence: int


class Offer(Table, table=True):
    """Kept of registry's facts: the menu. `area` lists the compounds served, None for the whole community. `standing`
    (`rank.standing`) is kept with the satisfaction: by it the best are found without looking at all."""

    __tablename__ = "offers"
    __table_args__ = (Index("ix_offers_community_item_standing", "community", "item", "standing", "title_zh"),)

    id: str = Field(primary_key=True)
    community: str
    organization: str = Field(index=True)
    item: str
    title_zh: str
    title_en: str
    fee_mode: str
    price: str | None
    unit: str
    area: list[str] | None = Field(sa_type=JSON)
    hours: str = ""
    weekly_capacity: int
    languages: list[str] = Field(default_factory=lambda: ["zh"], sa_type=JSON)
    status: str
    standing: float = 0.0
    sequence: int


class Satisfaction(Table, table=True):
    """Kept of feedback's facts: the satisfaction with each organization, its interval from `low` to `high`. `stars` is None
    below five ratings."""

    __tablename__ = "satisfactions"

    id: str = Field(primary_key=True)
    community: str
    organization: str = Field(index=True)
    score: float
    low: float | None = None
    high: float | None = None
    stars: float | None
    ratings: int
    sequence: int
