"""The meetings at which organizations claim projects, what is asked there, and what is objected to. The words of questions and
objections stay in matching."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.events.base import Fact, Part
from shared.events.words import MeetingStatus, ObjectionStatus


class Outcome(Part):
    """What became of one claim, with the reason in words. `score` is the one it was weighed by."""

    project: str
    organization: str
    won: bool
    score: int
    reason_zh: str
    reason_en: str


class Fairness(Part):
    """The terms of fairness of a claim meeting, in points: see `GET /api/matching/method`."""

    first_project_bonus: int
    load_cost: int
    small_organization_bonus: int
    small_organization_capacity: int
    fairness_cap: float


class MeetingState(Fact, about="meeting"):
    """A claim meeting (认领大会) with the projects published to it. `seed` settles ties and is decided when the meeting is
    scheduled, as are the terms of `fairness`. `outcomes`: of every claim that stood at the bell, once concluded; until
    `objections_until` a claimant may object."""

    meeting: str
    title_zh: str
    title_en: str
    starts_at: datetime
    projects: tuple[str, ...]
    seed: int
    status: MeetingStatus
    opened_at: datetime | None = None
    concluded_at: datetime | None = None
    objections_until: datetime | None = None
    outcomes: tuple[Outcome, ...] = ()
    fairness: Fairness | None = None


class MeetingScheduled(MeetingState, type="fenghe.meeting.scheduled.v1", public=True):
    """A claim meeting was announced, with its seed and the projects published to it so far."""


class MeetingChanged(MeetingState, type="fenghe.meeting.changed.v1", public=True):
    """The meeting's time, title or projects changed."""


class MeetingOpened(MeetingState, type="fenghe.meeting.opened.v1", public=True):
    """The meeting began: organizations claim, and withdraw, until the bell."""


class MeetingConcluded(MeetingState, type="fenghe.meeting.concluded.v1", public=True):
    """The bell rang and the projects were allocated among the claims that stood, or allocated anew after an objection."""


class MeetingConfirmed(MeetingState, type="fenghe.meeting.confirmed.v1", public=True):
    """The result of the meeting holds: its projects are assigned."""


class MeetingCancelled(MeetingState, type="fenghe.meeting.cancelled.v1", public=True):
    """The meeting does not take place; its projects wait for another."""


class QuestionState(Fact, about="question"):
    """A question about a project before a claim meeting. Its words and the answer's are read in matching."""

    question: str
    meeting: str
    project: str
    organization: str
    status: Literal["asked", "answered"]


class QuestionAsked(QuestionState, type="fenghe.question.asked.v1"):
    """An organization asked about a project."""


class QuestionAnswered(QuestionState, type="fenghe.question.answered.v1"):
    """The station answered, for all to read."""


class QuestionCorrected(QuestionState, type="fenghe.question.corrected.v1"):
    """The station corrected its answer; the one before stays there to be read."""


class ObjectionState(Fact, about="objection"):
    """An organization's objection to how a project it had claimed was allocated. Its words are read in matching."""

    objection: str
    meeting: str
    project: str
    organization: str
    status: ObjectionStatus


class ObjectionRaised(ObjectionState, type="fenghe.objection.raised.v1"):
    """A claimant objected within the period."""


class ObjectionUpheld(ObjectionState, type="fenghe.objection.upheld.v1"):
    """The station upheld an objection: the meeting is allocated anew without the award objected to."""


class ObjectionRejected(ObjectionState, type="fenghe.objection.rejected.v1"):
    """The station did not uphold an objection, and said why."""
