"""Service agreements."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.registry.views.base import Id, Terms
from shared.events.registry import EndedBecause, OrganizationStatus
from shared.written import Day


class AgreementTerms(Terms):
    """The terms of a service agreement: scope (all items of the `categories`, and the `items`) and term, both days
    included. With a `guarantor`, a registered organization that answers for it, the agreement is provisional: for a group in
    the green channel."""

    organization: str = Field(max_length=80)
    categories: list[Id] = Field(default=[], max_length=200)
    items: list[Id] = Field(default=[], max_length=2000)
    starts_on: Day
    ends_on: Day
    guarantor: str | None = Field(default=None, max_length=80)


class AgreementRenewal(Terms):
    """Until when an agreement is renewed, that day included."""

    ends_on: Day


class GuaranteeView(BaseModel):
    """A provisional agreement in force as one of the two sees it who are bound by it, the group that serves under it and its
    guarantor: the other of them (`organization`), its name and where it stands."""

    agreement: str
    ends_on: date
    organization: str
    name_zh: str
    name_en: str
    status: OrganizationStatus


class AgreementView(BaseModel):
    """A service agreement. `reason`, why it was ended, is shown to its station and its organization only. `renewals` counts
    how often it was renewed."""

    id: str
    community: str
    organization: str
    items: list[str]
    starts_on: date
    ends_on: date
    status: Literal["in-force", "ended"]
    provisional: bool
    guarantor: str | None
    renewals: int
    signed_at: datetime
    ended_at: datetime | None
    ended_because: EndedBecause | None
    reason: str | None
