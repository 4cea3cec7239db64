"""What matching keeps of other services' facts."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from services.matching.models.base import Table
from shared.database import JSON


class Community(Table, table=True):
    """Kept of registry's facts: the communities and their compounds (ids)."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    compounds: list[str] = Field(sa_type=JSON)
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

    id: str = Field(primary_key=True)
    community: str
    name_zh: str
    name_en: str
    status: str
    hub: bool = False
    parents: list[str] = Field(default_factory=list, sa_type=JSON)
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
    """Kept of registry's facts: the menu. `area` lists the compounds served, None for the whole community."""

    __tablename__ = "offers"
    __table_args__ = (Index("ix_offers_community_item", "community", "item"),)

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
    weekly_capacity: int
    status: str
    sequence: int


class Satisfaction(Table, table=True):
    """Kept of feedback's facts: the satisfaction with each organization. `stars` is None below five ratings."""

    __tablename__ = "satisfactions"

    id: str = Field(primary_key=True)
    community: str
    organization: str = Field(index=True)
    score: float
    stars: float | None
    ratings: int
    sequence: int
