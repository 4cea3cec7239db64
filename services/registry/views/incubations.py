"""Incubation and the green channel."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictBool, StrictInt

from services.registry.views.base import UNCHANGED, Name, Reason, Terms, Text
from services.registry.views.organizations import DecisionView
from shared.events.registry import GreenChannelStatus, IncubationStatus, IncubationStep
from shared.written import Day

Score = Annotated[StrictInt, Field(ge=0, le=100)]


class Criterion(BaseModel):
    """What a gate of the incubation is decided by."""

    id: str
    name_zh: str
    name_en: str


class GateView(BaseModel):
    """A step of the incubation and the criteria that are scored (0 to 100) before it is left."""

    step: IncubationStep
    name_zh: str
    name_en: str
    criteria: list[Criterion]


class IncubationApplication(Terms):
    """A group's application to be incubated."""

    organization: str = Field(max_length=80)


class IncubationScores(Terms):
    """Scores for criteria of the step the incubation stands at; a criterion that is left out keeps its score."""

    scores: dict[str, Score] = Field(min_length=1, max_length=50)


class IncubationReturn(Reason):
    """To which earlier step an incubation goes back, and why."""

    to: IncubationStep


class IncubationView(BaseModel):
    """An incubation. `scores` are those of the step it stands at, `score` the mean at the last gate that was decided."""

    id: str
    community: str
    organization: str
    attempt: int
    step: IncubationStep
    status: IncubationStatus
    scores: dict[str, int]
    score: float | None
    applied_at: datetime
    ended_at: datetime | None


class IncubationRecord(IncubationView):
    """An incubation with everything that was decided of it, in order."""

    decisions: list[DecisionView]


class StandardTerms(Terms):
    """A registration standard that a group does not meet yet."""

    name_zh: Name
    name_en: Name


class GreenChannelTerms(Terms):
    """A green channel for a group: the registration standards it does not meet yet."""

    organization: str = Field(max_length=80)
    standards: list[StandardTerms] = Field(min_length=1, max_length=50)


class StandardChanges(Terms):
    """What is new of a standard: whom the station asked (a department or organization) and on which day, the answer and its
    day, whether it is met, which needs both. A day that is left out is today. Who is asked in another's place has not answered
    yet, unless the answer is given, too; what was on record before is kept."""

    asked: Name = UNCHANGED
    asked_on: Day = UNCHANGED
    answer: Text = UNCHANGED
    answered_on: Day = UNCHANGED
    met: StrictBool = UNCHANGED


class AskedView(BaseModel):
    """Whom the station asked about a standard, when, and the answer."""

    asked: str | None
    asked_on: date | None
    answer: str | None
    answered_on: date | None


class StandardView(StandardTerms, AskedView):
    """A registration standard, and what was done about it. `position` counts from 1. `earlier`: whom the station asked before,
    and what was answered, in order."""

    position: int
    earlier: list[AskedView]
    met: bool


class GreenChannelView(BaseModel):
    """A green channel with its standards."""

    id: str
    community: str
    organization: str
    status: GreenChannelStatus
    standards: list[StandardView]
    opened_at: datetime
    ended_at: datetime | None
