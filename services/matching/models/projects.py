"""Projects, the meetings at which they are claimed, and what came of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.matching.models.base import Table
from shared.database import JSON, UTCDateTime

STANDING = text("status = 'standing'")
HELD = text("ended_at IS NULL")


class Project(Table, table=True):
    """Requests gathered to be claimed by one organization. `requests` (ids) are those inside; those of a closed project are
    kept as they were. `uncovered`: the organization that has it may not carry it (any more). `reason` is why it was closed or
    reopened last, in the station's words."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('elderly-care', 'childcare', 'housekeeping', 'medical', 'culture', 'legal-aid', 'employment', "
            "'assistance', 'safety', 'neighbourhood')",
            name="kind",
        ),
        CheckConstraint("status IN ('proposed', 'opened', 'assigned', 'delivered', 'evaluated', 'closed')", name="status"),
        CheckConstraint(
            "status NOT IN ('assigned', 'delivered', 'evaluated') OR organization IS NOT NULL", name="organization"
        ),
        CheckConstraint("status NOT IN ('proposed', 'opened') OR organization IS NULL", name="free"),
        CheckConstraint("status NOT IN ('delivered', 'evaluated') OR delivered_at IS NOT NULL", name="delivered_at"),
        CheckConstraint("fee_mode IN ('free', 'low', 'paid')", name="fee_mode"),
        CheckConstraint("(fee_mode = 'free') = (price IS NULL)", name="price"),
        CheckConstraint("beneficiaries >= 0", name="beneficiaries"),
        Index("ix_projects_community_status", "community", "status"),
    )

    id: str = Field(primary_key=True)
    community: str
    kind: str
    title_zh: str
    title_en: str
    scope_zh: str
    scope_en: str
    category: str | None
    items: list[str] = Field(sa_type=JSON)
    requests: list[str] = Field(sa_type=JSON)
    beneficiaries: int
    fee_mode: str
    price: str | None
    budget: str | None
    deadline: date | None
    status: str
    proposed_at: datetime = Field(sa_type=UTCDateTime)
    meeting: str | None = Field(default=None, foreign_key="meetings.id", index=True)
    organization: str | None = None
    delivered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    overdue: bool = False
    uncovered: bool = False
    relieved: str | None = None
    merged_into: str | None = None
    reason: str | None = None


class Meeting(Table, table=True):
    """A claim meeting. `seed` settles ties; `fairness` are the terms its allocation is solved with, published with it;
    `objection_days` is how long claimants may object to a result."""

    __tablename__ = "meetings"
    __table_args__ = (
        CheckConstraint("status IN ('scheduled', 'opened', 'concluded', 'confirmed', 'cancelled')", name="status"),
        CheckConstraint("status NOT IN ('concluded', 'confirmed') OR concluded_at IS NOT NULL", name="concluded_at"),
    )

    id: str = Field(primary_key=True)
    community: str = Field(index=True)
    title_zh: str
    title_en: str
    starts_at: datetime = Field(sa_type=UTCDateTime)
    seed: int = Field(sa_type=BigInteger)
    fairness: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    objection_days: int
    status: str
    opened_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    concluded_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    objections_until: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Claim(Table, table=True):
    """An organization's claim of a project at a meeting. `score`, `parts` and the reasons are those of the last allocation,
    or the reasons why it was withdrawn; `won` and `lost` are final."""

    __tablename__ = "claims"
    __table_args__ = (
        CheckConstraint("status IN ('standing', 'withdrawn', 'won', 'lost', 'relieved')", name="status"),
        CheckConstraint("wish >= 1", name="wish"),
        CheckConstraint("capacity >= 1", name="capacity"),
        Index("ix_claims_community", "community"),
        Index("uq_claims_standing", "project", "organization", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
        Index(
            "uq_claims_wish",
            "meeting",
            "organization",
            "wish",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
    )

    id: str = Field(primary_key=True)
    community: str
    project: str = Field(foreign_key="projects.id", index=True)
    meeting: str = Field(foreign_key="meetings.id", index=True)
    organization: str = Field(index=True)
    wish: int
    capacity: int
    status: str
    claimed_at: datetime = Field(sa_type=UTCDateTime)
    won: bool | None = None
    score: int | None = None
    parts: dict[str, float] = Field(default_factory=dict, sa_type=JSON)
    reason_zh: str | None = None
    reason_en: str | None = None


class Assignment(Table, table=True):
    """A project in an organization's hands, from `assigned_at` until it was relieved of it: one at a time."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("uq_assignments_project", "project", unique=True, sqlite_where=HELD, postgresql_where=HELD),
        Index("ix_assignments_organization_assigned_at", "organization", "assigned_at"),
    )

    id: str = Field(primary_key=True)
    community: str
    project: str = Field(foreign_key="projects.id")
    meeting: str = Field(foreign_key="meetings.id")
    organization: str
    assigned_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Pair(Table, table=True):
    """A project and an organization that the station, with a reason, brings together (`pinned`) or keeps apart
    (`forbidden`) in the allocation, until it is lifted: by the station, or because a pinned claim was withdrawn."""

    __tablename__ = "pairs"
    __table_args__ = (
        UniqueConstraint("meeting", "project", "organization"),
        CheckConstraint("kind IN ('pinned', 'forbidden')", name="kind"),
    )

    id: str = Field(primary_key=True)
    meeting: str = Field(foreign_key="meetings.id")
    project: str = Field(foreign_key="projects.id")
    organization: str
    kind: str
    reason: str
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Allocation(Table, table=True):
    """What was solved and what came out, word for word: the first `round` when the bell rang, further ones after
    objections that were upheld."""

    __tablename__ = "allocations"
    __table_args__ = (UniqueConstraint("meeting", "round"),)

    id: str = Field(primary_key=True)
    meeting: str = Field(foreign_key="meetings.id")
    round: int
    instance: dict[str, Any] = Field(sa_type=JSON)
    result: dict[str, Any] = Field(sa_type=JSON)
    solved_at: datetime = Field(sa_type=UTCDateTime)


class CapacityPrice(Table, table=True):
    """What one more project of an organization would have been worth at the last claim meeting of its community, in points:
    its price in the certificate of the confirmed allocation."""

    __tablename__ = "capacity_prices"

    organization: str = Field(primary_key=True)
    community: str = Field(primary_key=True, index=True)
    meeting: str = Field(foreign_key="meetings.id")
    price: float


class Question(Table, table=True):
    """What an organization asked about a project before the bell, and the station's answer; the answers that it corrected stand
    in `earlier`, as in `AnswerView`, oldest first."""

    __tablename__ = "questions"

    id: str = Field(primary_key=True)
    community: str
    meeting: str = Field(foreign_key="meetings.id", index=True)
    project: str = Field(foreign_key="projects.id")
    organization: str
    text: str
    asked_at: datetime = Field(sa_type=UTCDateTime)
    answer: str | None = None
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    earlier: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class Objection(Table, table=True):
    """An organization's objection to how a project it had claimed was allocated, and the station's decision."""

    __tablename__ = "objections"
    __table_args__ = (
        CheckConstraint("status IN ('raised', 'upheld', 'rejected')", name="status"),
        CheckConstraint("(status = 'raised') = (decision IS NULL)", name="decision"),
    )

    id: str = Field(primary_key=True)
    community: str
    meeting: str = Field(foreign_key="meetings.id", index=True)
    project: str = Field(foreign_key="projects.id")
    organization: str
    reason: str
    status: str
    raised_at: datetime = Field(sa_type=UTCDateTime)
    decision: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
