"""Activities."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, StrictInt

from services.registry.views.base import Name, Terms
from shared.events.registry import ActivityStatus
from shared.written import Moment


class ActivityTerms(Terms):
    """An activity to be announced. `capacity` counts people, null where there is no limit. One that has been already may be
    entered too, so that paper is not lost."""

    organization: str = Field(max_length=80)
    category: str = Field(max_length=80)
    item: str | None = Field(default=None, max_length=80)
    title_zh: Name
    title_en: Name
    starts_at: Moment
    ends_at: Moment
    place_zh: Name
    place_en: Name
    capacity: StrictInt | None = Field(default=None, ge=1, le=100_000)


class ActivityHolding(Terms):
    """How many people an activity reached."""

    beneficiaries: StrictInt = Field(ge=0, le=1_000_000)


class ActivityView(BaseModel):
    """An activity. `reason`, why it was cancelled, is for its station and its organization."""

    id: str
    community: str
    organization: str
    category: str
    item: str | None
    title_zh: str
    title_en: str
    starts_at: datetime
    ends_at: datetime
    place_zh: str
    place_en: str
    capacity: int | None
    status: ActivityStatus
    beneficiaries: int | None
    reason: str | None
    announced_at: datetime
