"""What the station says about ranking, and what it is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from services.matching.views.base import Id, Terms, Words


class WeightingTerms(Terms):
    """The weights by which a community's candidates are ranked: one for each part, each 0 to 1, together 1; null for the
    published ones. Why, in words that are published with them."""

    weights: dict[str, Annotated[float, Field(ge=0, le=1)]] | None
    reason: Words


class WeightingView(BaseModel):
    """The weights in use from `set_at` on."""

    weights: dict[str, float]
    reason: str
    set_at: datetime


class WeightingsView(BaseModel):
    """The weights in use in a community, and all that its station ever set, newest first."""

    weights: dict[str, float]
    history: list[WeightingView]


class ConflictTerms(Terms):
    """A conflict of interests: the organization is not to be asked for this request, or for those of a compound, of an item, or
    of both. What is left out stands for all."""

    organization: Id
    request: Id | None = None
    compound: Id | None = None
    item: Id | None = None
    reason: Words


class ConflictView(BaseModel):
    """A conflict of interests, as the station recorded it."""

    id: str
    community: str
    organization: str
    request: str | None
    compound: str | None
    item: str | None
    reason: str
    recorded_at: datetime
    ended_at: datetime | None
