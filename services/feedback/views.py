"""What feedback's API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from shared.events.feedback import Party, SatisfactionKind

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Purpose = Literal["service"]


class RatingTerms(BaseModel):
    """A resident's rating of the service the link is about: 1 to 5 stars, and a comment that only the station reads."""

    model_config = ConfigDict(extra="forbid")

    stars: Annotated[StrictInt, Field(ge=1, le=5)]
    comment: Words | None = None
    purpose: Purpose = "service"


class RatingView(BaseModel):
    """A rating as its resident sees it. The comment is not given back: what is answered may be kept for a repeated
    call, and the resident's words stand in one place only."""

    request: str
    purpose: Purpose
    organization: str
    stars: int
    recorded_at: datetime


class EvaluationTerms(BaseModel):
    """An evaluation by the station or an expert: `score` from 0 to 100, of an organization or of one offer or item of
    it."""

    model_config = ConfigDict(extra="forbid")

    community: Id
    organization: Id
    offer: Id | None = None
    item: Id | None = None
    score: Annotated[StrictInt, Field(ge=0, le=100)]
    note: Words | None = None


class EvaluationView(BaseModel):
    """An evaluation as the station sees it. Of a resident's there is no request and no resident; `note` is the
    comment."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    community: str
    party: Party
    organization: str
    offer: str | None
    item: str | None
    score: int
    note: str | None
    season: str
    recorded_at: datetime


class SatisfactionView(BaseModel):
    """Satisfaction with a subject (`kind`, `of` its id). `score`, `low`, `high` from 0 to 100, `stars` from 0 to 5.
    Where fewer than five residents have rated, `stars` is null, and the scores are null for all but the station."""

    id: str
    community: str
    kind: SatisfactionKind
    of: str
    score: float | None
    low: float | None
    high: float | None
    stars: float | None
    ratings: int
    evaluations: int


class Figures(BaseModel):
    """Feedback's part of a community's figures. `satisfaction` runs from 0 to 100 and is null until five residents have
    rated."""

    ratings: int
    evaluations: int
    satisfaction: float | None


class BilingualText(BaseModel):
    """A text in Chinese and English."""

    zh: str
    en: str


class Source(BaseModel):
    """What a formula was taken from."""

    used_for: str
    reference: str


class Method(BaseModel):
    """How satisfaction is computed: whatever is needed to compute it again from the evaluations."""

    weights: dict[Party, float]
    prior_mean: float
    prior_strength: float
    prior_deviation: float
    interval: str
    confidence: float
    ratings_floor: int
    scores_of_stars: dict[int, int]
    formula: str
    description: BilingualText
    sources: list[Source]
