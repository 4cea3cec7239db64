"""Requests, what was said of them, and before whom they were put."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.matching.models.base import Table
from shared.database import JSON, UTCDateTime

OPEN = text("status IN ('classified', 'matched', 'unmatched', 'gathered', 'accepted')")
ALARMING = text("alarm IS NOT NULL AND attended_at IS NULL AND status IN ('submitted', 'classified', 'unmatched')")
"""An emergency that nobody at the station has seen to."""


class Request(Table, table=True):
    """A resident's request. `text` is the only copy of the resident's words. `candidates` are those of the fact, best
    first; `matched_at` is when organizations were found for it the first time. `intake` says how it reached the
    system, `channel` where the resident raised it. `alarm` is the kind of help that must be called at
    once, `attended_at` when somebody at the station saw to it; `understood` what was made of the words beside the item
    (`understanding.py`). `fee_limit` (yuan), `speaks`, `wanted_at` and `urgency` are what the resident asks of whoever comes.
    `resident` is the first request of the same resident or household, where an earlier one is known: more is not known of who
    asks. `unserved`: of a request that nobody can serve, how many organizations fail by which condition."""

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
        CheckConstraint("speaks IN ('zh', 'en')", name="speaks"),
        CheckConstraint("urgency IN ('routine', 'soon', 'urgent')", name="urgency"),
        CheckConstraint("intake IN ('web', 'paper', 'phone')", name="intake"),
        CheckConstraint("supporters >= 1", name="supporters"),
        CheckConstraint("status <> 'merged' OR merged_into IS NOT NULL", name="merged_into"),
        CheckConstraint("status <> 'gathered' OR project IS NOT NULL", name="project"),
        CheckConstraint(
            "(status NOT IN ('matched', 'accepted') AND served_at IS NULL) OR organization IS NOT NULL", name="organization"
        ),
        CheckConstraint("status NOT IN ('served', 'disputed') OR served_at IS NOT NULL", name="served_at"),
        CheckConstraint("served_at IS NULL OR status IN ('served', 'disputed', 'closed')", name="served"),
        Index("ix_requests_community_status_item", "community", "status", "item"),
        Index("ix_requests_open", "community", "compound", "item", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_requests_alarming", "community", "id", sqlite_where=ALARMING, postgresql_where=ALARMING),
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
    alarm: str | None = None
    understood: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    candidates: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    organization: str | None = None
    offer: str | None = None
    matched_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    served_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    intake: str = "web"
    supporters: int = 1
    merged_into: str | None = Field(default=None, foreign_key="requests.id", index=True)
    project: str | None = Field(default=None, index=True)
    fee_limit: str | None = None
    speaks: str | None = None
    wanted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    urgency: str = "routine"
    unserved: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    attended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    resident: str | None = None


class Referral(Table, table=True):
    """A request put before an organization, at most one open at a time, and before each organization at most once but for
    those that it handed on, and that were taken back from it. `delivered` is an accepted one whose organization reported that
    it served; `reason` is what a declining organization said. `handed_on_from` is the referral that was handed on to make this
    one, `hub` the hub that did so."""

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
            sqlite_where=text("status NOT IN ('handed-on', 'withdrawn')"),
            postgresql_where=text("status NOT IN ('handed-on', 'withdrawn')"),
        ),
        Index("ix_referrals_request", "request"),
        Index("ix_referrals_organization_status", "organization", "status"),
        Index("ix_referrals_community_status", "community", "status"),
        Index("ix_referrals_offer_made_at", "offer", "made_at"),
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


class Conflict(Table, table=True):
    """A conflict of interests that the station recorded: the organization is not asked for one request, for those of a
    compound, for those of an item, or for those of both (None: whichever). `ended_at` is when the station took it back."""

    __tablename__ = "conflicts"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    organization: str = Field(index=True)
    request: str | None = Field(default=None, foreign_key="requests.id", index=True)
    compound: str | None = None
    item: str | None = None
    reason: str
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Weighting(Table, table=True):
    """The weights by which a community's candidates were ranked from `set_at` on, and why the station set them; None stands
    for the published ones."""

    __tablename__ = "weightings"

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    weights: dict[str, float] | None = Field(default=None, sa_type=JSON)
    reason: str
    set_at: datetime = Field(sa_type=UTCDateTime)


class Label(Table, table=True):
    """What a request asks for in a person's judgement, to learn from with its text; without an item it asks for nothing the
    taxonomy has. `by` is the station or the resident. What is `held_out` is for judging alone, never learned from."""

    __tablename__ = "labels"
    __table_args__ = (CheckConstraint("(item IS NULL) = (category IS NULL)", name="category"),)

    request: str = Field(primary_key=True, foreign_key="requests.id")
    community: str = Field(index=True)
    category: str | None
    item: str | None
    held_out: bool
    by: str
    labelled_at: datetime = Field(sa_type=UTCDateTime)


class FittedModel(Table, table=True):
    """A model that reads a community's requests, or did, or was found no better than the one before (`refused`: kept without
    its weights). `lessons` is a digest of what it learned from, `measures` what the labels held out said of it and of the
    one in force then."""

    __tablename__ = "fitted_models"
    __table_args__ = (
        UniqueConstraint("community", "number"),
        CheckConstraint("status IN ('in-force', 'retired', 'refused')", name="status"),
        Index(
            "uq_fitted_models_in_force",
            "community",
            unique=True,
            sqlite_where=text("status = 'in-force'"),
            postgresql_where=text("status = 'in-force'"),
        ),
    )

    id: str = Field(primary_key=True)
    community: str
    number: int
    name: str
    taxonomy: str
    version: int
    lessons: str
    labels: int
    held_out: int
    measures: list[dict[str, Any]] = Field(sa_type=JSON)
    status: str
    fitted_at: datetime = Field(sa_type=UTCDateTime)
    weights: bytes | None


class Remark(Table, table=True):
    """Why somebody withdrew, disputed, reopened or closed a request, or what was done in an emergency, in their own words; kept
    here alone."""

    __tablename__ = "remarks"

    id: str = Field(primary_key=True)
    request: str = Field(foreign_key="requests.id", index=True)
    verb: str
    role: str
    reason: str
    said_at: datetime = Field(sa_type=UTCDateTime)
