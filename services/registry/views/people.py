"""Experts and the talent pool. What says who somebody is goes to the station alone, and never into a fact."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.registry.views.base import UNCHANGED, Id, Name, Terms
from shared.events.registry import ExpertStatus, HowLinked, TalentStatus

Contact = Annotated[str, Field(min_length=1, max_length=200, description="How the station reaches this person.")]
Categories = Annotated[list[Id], Field(min_length=1, max_length=50, description="Ids of categories of the taxonomy.")]
Conflicts = Annotated[list[str], Field(max_length=200, description="Ids of organizations that this expert has an interest in.")]


class ExpertTerms(Terms):
    """An expert to be enrolled."""

    community: str = Field(max_length=80)
    name: Name
    contact: Contact | None = None
    categories: Categories
    conflicts: Conflicts = []


class ExpertChanges(Terms):
    """What is to be changed of an expert; what is left out stays."""

    name: Name = UNCHANGED
    contact: Contact | None = UNCHANGED
    categories: Categories = UNCHANGED
    conflicts: Conflicts = UNCHANGED


class ExpertView(BaseModel):
    """An expert, by id alone: the `subject` of the expert's token."""

    id: str
    community: str
    categories: list[str]
    conflicts: list[str]
    status: ExpertStatus
    enrolled_at: datetime
    left_at: datetime | None


class ExpertRecord(ExpertView):
    """An expert as the station knows them. Name and contact are deleted when the expert leaves."""

    name: str | None
    contact: str | None


class TalentTerms(Terms):
    """Somebody to be taken into the talent pool. `skills` are ids of categories."""

    community: str = Field(max_length=80)
    name: Name
    contact: Contact | None = None
    skills: Categories


class TalentChanges(Terms):
    """What is to be changed of somebody in the talent pool; what is left out stays."""

    name: Name = UNCHANGED
    contact: Contact | None = UNCHANGED
    skills: Categories = UNCHANGED


class TalentLinkTerms(Terms):
    """An organization that a talent joins, leads or founds (加入、领办、创办)."""

    organization: str = Field(max_length=80)
    how: HowLinked


class TalentLinkView(BaseModel):
    """An organization that a talent joined, leads or founded."""

    organization: str
    how: Literal["joined", "led", "founded"]
    linked_at: datetime


class TalentView(BaseModel):
    """Somebody of the talent pool, by id alone."""

    id: str
    community: str
    skills: list[str]
    status: TalentStatus
    links: list[TalentLinkView]
    enrolled_at: datetime
    left_at: datetime | None


class TalentRecord(TalentView):
    """Somebody of the talent pool as the station knows them. Name and contact are deleted when they leave."""

    name: str | None
    contact: str | None
