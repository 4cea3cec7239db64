"""What feedback tells: evaluations by residents, station and experts, the satisfaction that follows from them, the evaluation
body and its sessions.

A resident's rating is hidden from the organization as such: no fact of it carries the request's id. The residents who are
members of the evaluation body are named by ids that lead nowhere but to the body.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from shared.events.base import Fact, Part

Party = Literal["resident", "station", "expert"]
SatisfactionKind = Literal["community", "organization", "offer", "item", "category", "class", "project"]


class EvaluationState(Fact, about="evaluation"):
    """One evaluation by one party. `score` runs from 0 to 100; a resident's 1 to 5 stars count as 0, 25, 50, 75, 100.
    `project` is set where the service was part of one, `session` where the evaluation body's session gave the score."""

    evaluation: str
    party: Party
    organization: str
    offer: str | None
    item: str | None
    score: float
    season: str
    recorded_at: datetime
    project: str | None = None
    session: str | None = None


class EvaluationRecorded(EvaluationState, type="fenghe.evaluation.recorded.v1"):
    """An evaluation was recorded and counts from now on."""


class SatisfactionState(Fact, about="satisfaction"):
    """The satisfaction with one organization, offer, item, category, class of organizations or project, or with the
    community as a whole (`kind`, `of` its id): of one season (`2026-Q4`), or of all time where `season` is None. `score`,
    `low` and `high` run from 0 to 100 (a 95 % interval); `ratings` counts residents' ratings alone, `evaluations` all
    parties'. `stars` (0 to 5, one decimal) is None below five ratings."""

    satisfaction: str
    kind: SatisfactionKind
    of: str
    season: str | None = None
    score: float
    low: float
    high: float
    ratings: int
    evaluations: int
    stars: float | None


class SatisfactionChanged(SatisfactionState, type="fenghe.satisfaction.changed.v1"):
    """An evaluation changed the satisfaction with a subject."""


class BodyMember(Part):
    """A member of an evaluation body: the party, and an opaque id: of a station's colleague or an expert the subject of
    the token, of a resident an id of this membership alone."""

    party: Party
    subject: str


class BodyState(Fact, about="body"):
    """A community's evaluation body (评估机构): station, experts and residents, appointed for a term from `starts_on` to
    `ends_on`, both included."""

    body: str
    members: tuple[BodyMember, ...]
    starts_on: date
    ends_on: date
    status: Literal["appointed", "ended"]
    ended_because: Literal["expired", "dissolved"] | None = None


class BodyAppointed(BodyState, type="fenghe.body.appointed.v1", public=True):
    """A community appointed its evaluation body."""


class BodyChanged(BodyState, type="fenghe.body.changed.v1", public=True):
    """Members joined or left the evaluation body."""


class BodyEnded(BodyState, type="fenghe.body.ended.v1", public=True):
    """The evaluation body's term came to its end, or the body was dissolved before it."""


class Finding(Part):
    """What one party said in a session: the mean of its scores (0 to 100) and how many there are. Of residents these are
    the members' scores, and the ratings of those who were served where there are five or more of them."""

    party: Party
    mean: float
    scores: int


class EvaluationSessionState(Fact, about="session"):
    """A session of the evaluation body about an organization, or about a `project` that the organization delivered. Once it
    is published it has its findings: `score` with its 95 % interval `low` to `high`, and each party's."""

    session: str
    body: str
    organization: str
    project: str | None = None
    season: str
    status: Literal["opened", "published", "cancelled"]
    opened_at: datetime
    published_at: datetime | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    findings: tuple[Finding, ...] = ()
    cancelled_because: Literal["called-off", "body-ended"] | None = None


class EvaluationSessionOpened(EvaluationSessionState, type="fenghe.evaluation-session.opened.v1", public=True):
    """The evaluation body opened a session: its members score, each without having seen the others' scores."""


class EvaluationSessionPublished(EvaluationSessionState, type="fenghe.evaluation-session.published.v1", public=True):
    """All three parties have spoken and the findings of the session were published. A project it was about is evaluated."""


class EvaluationSessionCancelled(EvaluationSessionState, type="fenghe.evaluation-session.cancelled.v1", public=True):
    """The session came to no findings: it was called off, or the body's term ended first."""
