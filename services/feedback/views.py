"""What feedback's API takes and gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from shared.events.feedback import Party, SatisfactionKind
from shared.written import Day

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Purpose = Literal["service"]
Score = Annotated[StrictInt, Field(ge=0, le=100)]
By = Literal["category", "class", "organization", "season"]


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


class CriteriaScores(BaseModel):
    """A score from 0 to 100 for each of the published criteria (`GET /api/feedback/method`)."""

    model_config = ConfigDict(extra="forbid")

    results: Score
    reliability: Score
    care: Score
    conduct: Score


class EvaluationTerms(BaseModel):
    """An evaluation by the station or an expert, of an organization or of one offer or item of it: `score` from 0 to 100,
    or a score for each of the criteria, from which it follows."""

    model_config = ConfigDict(extra="forbid")

    community: Id
    organization: Id
    offer: Id | None = None
    item: Id | None = None
    score: Score | None = None
    criteria: CriteriaScores | None = None
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
    project: str | None
    session: str | None
    score: int
    criteria: CriteriaScores | None
    note: str | None
    season: str
    recorded_at: datetime


class MemberTerms(BaseModel):
    """A member of the evaluation body. `subject`: of a colleague of the station the subject of the token (`station` where it
    has none), of an expert the expert's id, of a resident the id of a request of theirs that was served, or, of one who is
    or was a member of this body, the id of the membership."""

    model_config = ConfigDict(extra="forbid")

    party: Party
    subject: Id


Members = Annotated[list[MemberTerms], Field(min_length=3, max_length=50)]


class BodyTerms(BaseModel):
    """An evaluation body from today to `ends_on`, that day included, with members of all three parties."""

    model_config = ConfigDict(extra="forbid")

    community: Id
    ends_on: Day
    members: Members


class BodyMembers(BaseModel):
    """The members that the evaluation body has from now on."""

    model_config = ConfigDict(extra="forbid")

    members: Members


class MemberView(BaseModel):
    """A member of the evaluation body. A resident's `subject` is an id of the membership alone."""

    party: Party
    subject: str


class BodyView(BaseModel):
    """An evaluation body with its members and its term, both days included."""

    id: str
    community: str
    members: list[MemberView]
    starts_on: date
    ends_on: date
    status: Literal["appointed", "ended"]
    ended_because: Literal["expired", "dissolved"] | None


class SessionTerms(BaseModel):
    """A session about an organization, or about a project that was delivered: one of the two."""

    model_config = ConfigDict(extra="forbid")

    community: Id
    organization: Id | None = None
    project: Id | None = None


class ScoreTerms(BaseModel):
    """What a member gives in a session."""

    model_config = ConfigDict(extra="forbid")

    criteria: CriteriaScores
    note: Words | None = None


class ScoreView(BaseModel):
    """What a member gave in a session."""

    party: Party
    subject: str
    score: int
    criteria: CriteriaScores
    note: str | None
    given_at: datetime


class PublicationTerms(BaseModel):
    """The findings in words, as everybody will read them."""

    model_config = ConfigDict(extra="forbid")

    statement_zh: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    statement_en: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class CancellationTerms(BaseModel):
    """Why a session is called off."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class FindingView(BaseModel):
    """What one party said: the mean of its scores, how many there are, and the mean by criterion. Residents' ratings of
    the services they received are in the mean where there are five or more; criteria only the members score."""

    party: Party
    mean: float
    scores: int
    criteria: dict[str, float]


class SessionView(BaseModel):
    """A session of the evaluation body. `score` with its interval, the findings and the statement are there once it is
    published; who gave which score is never public."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    community: str
    body: str
    organization: str
    project: str | None
    season: str
    status: Literal["opened", "published", "cancelled"]
    opened_at: datetime
    published_at: datetime | None
    score: float | None
    low: float | None
    high: float | None
    findings: list[FindingView]
    statement_zh: str | None
    statement_en: str | None
    cancelled_because: Literal["called-off", "body-ended"] | None
    reason: str | None


class SatisfactionView(BaseModel):
    """Satisfaction with a subject (`kind`, `of` its id), of one `season` or of all time (null). `score`,
    `low`, `high` from 0 to 100, `stars` from 0 to 5. Where fewer than five residents have rated, `stars` is null, and the
    scores are null for all but the station."""

    id: str
    community: str
    kind: SatisfactionKind
    of: str
    season: str | None
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


class Outcome(BaseModel):
    """What was done for residents in one category, one class, by one organization, or in one season (`key`; null: in none).
    `activities` counts those held, `requests` those served, `projects` those delivered. `beneficiaries` adds up the people
    reached by activities, the residents who were served what they asked for, alone or together ("+1"), and those whom projects
    served; who was served within a project is counted there alone. Who disputes it was not reached."""

    key: str | None
    name_zh: str
    name_en: str
    activities: int
    requests: int
    projects: int
    beneficiaries: int


class Outcomes(BaseModel):
    """A community's outcomes: the rows, and the whole (`total`), which is their sum. What belongs to none, such as requests
    that nobody could put into a category, has the last row, where there is any."""

    community: str
    by: By
    season: str | None
    rows: list[Outcome]
    total: Outcome


class BilingualText(BaseModel):
    """A text in Chinese and English."""

    zh: str
    en: str


class Source(BaseModel):
    """What a formula was taken from."""

    used_for: str
    reference: str


class Criterion(BaseModel):
    """A criterion that station, experts and members of the evaluation body score from 0 to 100; `weight` in percent."""

    id: str
    weight: int
    zh: str
    en: str


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
    criteria: list[Criterion]
    subjects: list[SatisfactionKind]
    seasonal: list[SatisfactionKind]
    formula: str
    description: BilingualText
    sources: list[Source]
