"""What feedback tells: evaluations by residents, station and experts, and the satisfaction that follows from them.

A resident's rating is hidden from the organization as such: no fact of it carries the request's id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.events.base import Fact

Party = Literal["resident", "station", "expert"]
SatisfactionKind = Literal["community", "organization", "offer", "item"]


class EvaluationState(Fact, about="evaluation"):
    """One evaluation by one party. `score` runs from 0 to 100; a resident's 1 to 5 stars count as 0, 25, 50, 75, 100."""

    evaluation: str
    party: Party
    organization: str
    offer: str | None
    item: str | None
    score: float
    season: str
    recorded_at: datetime


class EvaluationRecorded(EvaluationState, type="fenghe.evaluation.recorded.v1"):
    """An evaluation was recorded and counts from now on."""


class SatisfactionState(Fact, about="satisfaction"):
    """The satisfaction with one organization, offer or item, or with the community as a whole (`kind`, `of` its id).
    `score`, `low` and `high` run from 0 to 100 (a 95 % interval); `ratings` counts residents' ratings alone,
    `evaluations` all parties'. `stars` (0 to 5, one decimal) is None below five ratings."""

    satisfaction: str
    kind: SatisfactionKind
    of: str
    score: float
    low: float
    high: float
    ratings: int
    evaluations: int
    stars: float | None


class SatisfactionChanged(SatisfactionState, type="fenghe.satisfaction.changed.v1"):
    """An evaluation changed the satisfaction with a subject."""
