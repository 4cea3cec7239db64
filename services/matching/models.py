"""Matching's tables: its own, and what it keeps of other services' facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, MetaData, text
from sqlmodel import Field, SQLModel

from shared.database import JSON, NAMING, UTCDateTime


class Table(SQLModel):
    """Base of this service's tables."""

    metadata = MetaData(naming_convention=NAMING)


class Request(Table, table=True):
    """A resident's request. `text` is the only copy of the resident's words. `candidates` are those of the fact, best
    first; `matched_at` is when organizations were found for it the first time. `intake` says how it reached the
    system, `channel` where the resident raised it."""

    __tablename__ = "requests"
    __table_args__ = (
        CheckConstraint(
            "status IN ('submitted', 'classified', 'matched', 'unmatched', 'gathered', 'merged', 'accepted', 'served', "
            "'disputed', 'closed', 'withdrawn')",
            name="status",
        ),
        CheckConstraint(
            "channel IN ('website', 'mailbox', 'party-member', 'questionnaire', 'home-visit', 'discussion')",
            name="channel",
        ),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("intake IN ('web', 'paper', 'phone')", name="intake"),
        CheckConstraint("supporters >= 1", name="supporters"),
        CheckConstraint("status <> 'merged' OR merged_into IS NOT NULL", name="merged_into"),
        CheckConstraint("status <> 'gathered' OR project IS NOT NULL", name="project"),
        CheckConstraint(
            "status NOT IN ('matched', 'accepted', 'served', 'disputed', 'closed') OR organization IS NOT NULL",
            name="organization",
        ),
        CheckConstraint("(status IN ('served', 'disputed', 'closed')) = (served_at IS NOT NULL)", name="served_at"),
        Index("ix_requests_community_status_item", "community", "status", "item"),
    )

    id: str = Field(primary_key=True)
    community: str
    channel: str
    compound: str
    language: str
    text: str
    submitted_at: datetime = Field(sa_type=UTCDateTime)
    status: str
    item: str | None = None
    category: str | None = None
    confidence: float | None = None
    classifier: str | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    organization: str | None = None
    offer: str | None = None
    matched_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    served_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    intake: str = "web"
    supporters: int = 1
    merged_into: str | None = Field(default=None, foreign_key="requests.id", index=True)
    project: str | None = Field(default=None, index=True)


class Referral(Table, table=True):
    """A request put before an organization, at most one open at a time, and before each organization at most once but for
    those that it handed on. `delivered` is an accepted one whose organization reported that it served; `reason` is what a
    declining organization said. `handed_on_from` is the referral that was handed on to make this one, `hub` the hub that
    did so."""

    __tablename__ = "referrals"
    __table_args__ = (
        CheckConstraint(
            "status IN ('made', 'accepted', 'delivered', 'declined', 'expired', 'handed-on', 'withdrawn')", name="status"
        ),
        CheckConstraint("(status = 'made') = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("rank >= 1", name="rank"),
        Index(
            "uq_referrals_open",
            "request",
            unique=True,
            sqlite_where=text("status IN ('made', 'accepted')"),
            postgresql_where=text("status IN ('made', 'accepted')"),
        ),
        Index(
            "uq_referrals_request_organization",
            "request",
            "organization",
            unique=True,
            sqlite_where=text("status <> 'handed-on'"),
            postgresql_where=text("status <> 'handed-on'"),
        ),
        Index("ix_referrals_organization_status", "organization", "status"),
        Index("ix_referrals_community_status", "community", "status"),
    )

    id: str = Field(primary_key=True)
    community: str
    request: str = Field(foreign_key="requests.id")
    organization: str
    offer: str
    item: str
    category: str
    compound: str
    rank: int
    status: str
    made_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str | None = None
    hub: str | None = None
    handed_on_from: str | None = None


class Remark(Table, table=True):
    """Why somebody withdrew, disputed, reopened or closed a request, in their own words; kept here alone."""

    __tablename__ = "remarks"

    id: str = Field(primary_key=True)
    request: str = Field(foreign_key="requests.id", index=True)
    verb: str
    role: str
    reason: str
    said_at: datetime = Field(sa_type=UTCDateTime)


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
