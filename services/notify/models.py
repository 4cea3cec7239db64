"""Notify's tables: its own, and the names it keeps of other services' facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.database import JSON, NAMING, UTCDateTime


class Table(SQLModel):
    """Base of this service's tables."""

    metadata = MetaData(naming_convention=NAMING)


class Notice(Table, table=True):
    """Something one recipient is to know. Only ids are kept (`parameters`); the sentence is made when it is read, with
    the names known by then. `position` is its place among all notices, in the order of commits."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("fact", "recipient_kind", "recipient"),
        UniqueConstraint("position"),
        CheckConstraint("recipient_kind IN ('resident', 'organization', 'station')", name="recipient_kind"),
        Index("ix_notices_inbox", "recipient_kind", "recipient", "position"),
        Index("ix_notices_community", "community"),
    )

    id: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    fact: str
    community: str
    recipient_kind: str
    recipient: str
    kind: str
    parameters: dict[str, str] = Field(sa_type=JSON)
    occurred_at: datetime = Field(sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


class FeedFact(Table, table=True):
    """A public fact, as it was told. `position` is its place in the feed, in the order of commits; an id is older than
    that and would hide a late fact from whoever has read on."""

    __tablename__ = "feed_facts"
    __table_args__ = (
        UniqueConstraint("source", "fact"),
        UniqueConstraint("position"),
        Index("ix_feed_facts_community", "community", "position"),
        Index("ix_feed_facts_type", "type", "position"),
        Index("ix_feed_facts_subject", "subject", "position"),
    )

    id: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    source: str
    fact: str
    type: str
    subject: str
    community: str
    event: dict[str, Any] = Field(sa_type=JSON)


class Webhook(Table, table=True):
    """A subscription whose facts are sent to an address. `position` is how far the feed was looked through for it. Its times
    are by its community's clock, save `leased_until`, which is by the machine's: until then the replica that took `lease`
    sees to it, and what was taken under a lower number is not written any more. `next_at` is when something of it is due, as
    far as it is known; `failures` counts attempts since one succeeded."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused', 'disabled')", name="status"),
        CheckConstraint("because IN ('failing', 'gone')", name="because"),
        CheckConstraint("(status = 'disabled') = (because IS NOT NULL)", name="disabled_because"),
        CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_secret"),
        Index("ix_webhooks_community", "community", "id"),
    )

    id: str = Field(primary_key=True)
    community: str
    url: str
    description: str
    types: list[str] = Field(sa_type=JSON)
    subject: str | None
    everywhere: bool
    status: str
    because: str | None = None
    secret: str
    previous_secret: str | None = None
    previous_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    position: int = Field(sa_type=BigInteger)
    failures: int = 0
    failing_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    throttled_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    lease: int = Field(default=0, sa_type=BigInteger)
    leased_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


_WAITING = text("status = 'waiting'")


class Delivery(Table, table=True):
    """A fact on its way to a webhook, and what became of it. `tries` counts the attempts of the schedule, `attempts` has the
    last of them all: when, status code, milliseconds, error."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'delivered', 'failed')", name="status"),
        CheckConstraint("(status = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        Index("ix_webhook_deliveries_due", "webhook", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_webhook_deliveries_waiting", "webhook", "position", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_webhook_deliveries_ended_at", "ended_at"),
    )

    webhook: str = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    fact: str
    type: str
    subject: str
    community: str
    status: str
    tries: int
    due_at: datetime = Field(sa_type=UTCDateTime)
    attempts: list[dict[str, Any]] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Counter(Table, table=True):
    """The last position given in a list (a table's name). Its row is locked from the giving to the commit."""

    __tablename__ = "counters"

    id: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)


class Community(Table, table=True):
    """Kept of registry's facts: the names of communities and, by id, of their compounds ([zh, en])."""

    __tablename__ = "communities"

    id: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    compounds: dict[str, list[str]] = Field(sa_type=JSON)
    sequence: int


class Taxonomy(Table, table=True):
    """Kept of registry's facts: the names, by id, of a community's service items ([zh, en])."""

    __tablename__ = "taxonomies"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    items: dict[str, list[str]] = Field(sa_type=JSON)
    sequence: int


class Organization(Table, table=True):
    """Kept of registry's facts: the names of organizations."""

    __tablename__ = "organizations"

    id: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    sequence: int


class Project(Table, table=True):
    """Kept of matching's facts: the titles of projects."""

    __tablename__ = "projects"

    id: str = Field(primary_key=True)
    title_zh: str
    title_en: str
    sequence: int


class Offer(Table, table=True):
    """Kept of registry's facts: the titles of offers."""

    __tablename__ = "offers"

    id: str = Field(primary_key=True)
    title_zh: str
    title_en: str
    sequence: int
