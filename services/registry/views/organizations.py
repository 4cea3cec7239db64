"""Organizations."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, StrictBool

from services.registry.views.agreements import GuaranteeView
from services.registry.views.base import UNCHANGED, Id, Name, Terms, Text
from shared.events.registry import OrganizationClass, OrganizationStatus, Origin


class OrganizationApplication(Terms):
    """An organization's application to join a community. `origin` says how it comes: to be absorbed as it is, to be
    incubated, or formed around talents."""

    community: str = Field(max_length=80)
    name_zh: Name
    name_en: Name
    organization_class: OrganizationClass
    introduction_zh: Text
    introduction_en: Text
    origin: Origin = "absorbed"
    based_in: Id | None = Field(default=None, description="The compound from which it works.")
    credit_code: str | None = Field(
        default=None, max_length=40, description="Unified social credit code (统一社会信用代码), 18 characters."
    )


class OrganizationChanges(Terms):
    """What is to be changed of an organization; what is left out stays. Only its station says whether it is a hub."""

    name_zh: Name = UNCHANGED
    name_en: Name = UNCHANGED
    organization_class: OrganizationClass = UNCHANGED
    introduction_zh: Text = UNCHANGED
    introduction_en: Text = UNCHANGED
    hub: StrictBool = UNCHANGED
    based_in: Id | None = UNCHANGED


class OrganizationView(BaseModel):
    """An organization. `credit_code` is shown to its station and to itself only. `parents` are the ids of the hubs and
    associations it belongs to."""

    id: str
    community: str
    name_zh: str
    name_en: str
    organization_class: OrganizationClass
    introduction_zh: str
    introduction_en: str
    credit_code: str | None
    status: OrganizationStatus
    origin: Origin
    hub: bool
    parents: list[str]
    based_in: str | None
    applied_at: datetime
    registered_at: datetime | None


class OrganizationDetail(OrganizationView):
    """An organization with the provisional agreements in force of which it is the guarantor (`answers_for`), and those under
    which it serves itself (`answered_for_by`)."""

    answers_for: list[GuaranteeView]
    answered_for_by: list[GuaranteeView]


class DecisionView(BaseModel):
    """What somebody decided, with the reason. `decided_by` is the subject of the token. Of a gate of the incubation: its
    `step`, and the score (0 to 100) of each criterion."""

    verdict: str
    step: str | None
    scores: dict[str, int]
    reason: str
    decided_by: str | None
    decided_at: datetime
