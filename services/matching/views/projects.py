"""What people send about projects and claim meetings, and what they are answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from services.matching.views.base import BilingualText, Id, Terms, Words
from shared.events.registry import FeeMode
from shared.events.words import MeetingStatus, ObjectionStatus, ProjectKind, ProjectStatus
from shared.written import Day, Moment

Title = Annotated[str, Field(min_length=1, max_length=200)]
Yuan = Annotated[str, Field(pattern=r"^[0-9]{1,9}\.[0-9]{2}$", examples=["8.00"])]
Ids = Annotated[list[Id], Field(max_length=2000)]
ClaimStatus = Literal["standing", "withdrawn", "won", "lost", "relieved"]


class ProjectTerms(Terms):
    """A project. Without a `kind` it is the one of its category. `requests` are gathered into it; where they are left out,
    all of the community's unmatched requests for its items are. `price` is given unless it is free. A suggestion may be sent
    back as it is: its `beneficiaries` are counted again, and the project it `joins` stays as it is."""

    community: Id
    kind: ProjectKind | None = None
    title_zh: Title
    title_en: Title
    scope_zh: Words
    scope_en: Words
    category: Id | None = None
    items: Ids = Field(default_factory=list)
    requests: Ids | None = None
    fee_mode: FeeMode = "free"
    price: Yuan | None = None
    budget: Yuan | None = None
    deadline: Day | None = None
    beneficiaries: Annotated[StrictInt | None, Field(ge=0)] = None
    joins: Id | None = None


class ProjectChanges(Terms):
    """What is to change of a project; what is left out stays. `items`: whoever claims it has an agreement for one of them, and
    the more of them the better it fits."""

    kind: ProjectKind | None = None
    items: Ids | None = None
    title_zh: Title | None = None
    title_en: Title | None = None
    scope_zh: Words | None = None
    scope_en: Words | None = None
    fee_mode: FeeMode | None = None
    price: Yuan | None = None
    budget: Yuan | None = None
    deadline: Day | None = None


class RequestsTerms(Terms):
    """Requests to be gathered into a proposed project, and requests to be released from it."""

    add: Ids = Field(default_factory=list)
    remove: Ids = Field(default_factory=list)


class ProjectMergeTerms(Terms):
    """The proposed project that takes the requests of this one over."""

    into: Id


class SplitTerms(Terms):
    """The requests that leave a proposed project for a new one, and what that is called."""

    requests: Annotated[list[Id], Field(min_length=1, max_length=2000)]
    title_zh: Title
    title_en: Title


class ClaimTerms(Terms):
    """`wish`: the place of the project in the organization's order of wishes at this meeting, 1 for the dearest. `capacity`:
    how many projects it can carry in all; the same in every claim of a meeting."""

    wish: Annotated[StrictInt, Field(ge=1, le=1000)]
    capacity: Annotated[StrictInt, Field(ge=1, le=1000)] = 1


class FairnessTerms(Terms):
    """The terms of fairness of a meeting, in points (a claim has up to 1000). An organization's first project brings
    `first_project_bonus` more; its j-th of `capacity` costs `load_cost` * (j - 1) / `capacity`, rounded down; each project of
    one that can carry `small_organization_capacity` at most brings `small_organization_bonus` more. All of them are scaled
    down, by sixteenths, until they cost no more than `fairness_cap` of the points that could be reached without."""

    first_project_bonus: Annotated[StrictInt, Field(ge=0, le=1000)] = 100
    load_cost: Annotated[StrictInt, Field(ge=0, le=1000)] = 0
    small_organization_bonus: Annotated[StrictInt, Field(ge=0, le=1000)] = 0
    small_organization_capacity: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    fairness_cap: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.02


class MeetingTerms(Terms):
    """A claim meeting. `seed` settles ties; where it is left out, it is drawn now. `fairness` stays as it is announced.
    Claimants may object for so many days (of 24 hours) after the result."""

    community: Id
    title_zh: Title
    title_en: Title
    starts_at: Moment
    projects: Ids = Field(default_factory=list)
    seed: Annotated[StrictInt, Field(ge=0, lt=2**53)] | None = None
    fairness: FairnessTerms = Field(default_factory=FairnessTerms)
    objection_days: Annotated[StrictInt, Field(ge=0, le=30)] = 3


class MeetingChanges(Terms):
    """What is to change of a meeting that was scheduled; what is left out stays."""

    title_zh: Title | None = None
    title_en: Title | None = None
    starts_at: Moment | None = None
    projects: Ids | None = None


class QuestionTerms(Terms):
    """A question about a project, for all to read."""

    project: Id
    text: Words


class AnswerTerms(Terms):
    """The answer to a question, or its correction, for all to read."""

    text: Words


class PairTerms(Terms):
    """A claim that is to win (`pinned`) or may not (`forbidden`), with the reason for all to read."""

    project: Id
    organization: Id
    kind: Literal["pinned", "forbidden"]
    reason: Words


class ObjectionTerms(Terms):
    """What is wrong with the result for a project the organization had claimed."""

    project: Id
    reason: Words


class DecisionTerms(Terms):
    """The station's decision on an objection. Where it is upheld, the award objected to is ruled out, and the claims that
    stood at the bell are allocated anew."""

    upheld: StrictBool
    reason: Words


class Suggestion(BaseModel):
    """Unmatched requests that ask for the same, as the terms of a project; `beneficiaries` counts their residents, each once
    as far as it is known who they are.
    What it costs and until when are a beginning: free of charge, within so many days as are usual. `joins` is a project that is
    proposed for the same already, to which the station may add them instead (`POST /projects/{id}/requests`)."""

    community: str
    kind: ProjectKind
    title_zh: str
    title_en: str
    scope_zh: str
    scope_en: str
    category: str
    items: list[str]
    requests: list[str]
    beneficiaries: int
    fee_mode: FeeMode = "free"
    price: str | None = None
    deadline: date
    joins: str | None = None


class ClaimView(BaseModel):
    """A claim, and what became of it: `score` is the sum of `parts` by the published weights."""

    project: str
    organization: str
    organization_name_zh: str | None
    organization_name_en: str | None
    wish: int
    capacity: int
    status: ClaimStatus
    claimed_at: datetime
    won: bool | None
    score: int | None
    parts: dict[str, float]
    reason_zh: str | None
    reason_en: str | None


class ProjectView(BaseModel):
    """A project. `claimed` counts the claims that stand; `claims` are read by the station, an organization's own by itself,
    and all of them by everybody once the meeting has come to its result. `overdue`: its deadline has passed.
    `uncovered`: the organization that has it has no agreement in force for it any more, or is suspended. `requests` are for
    the station alone. `reason`: why it was closed or reopened last."""

    id: str
    community: str
    kind: ProjectKind
    title_zh: str
    title_en: str
    scope_zh: str
    scope_en: str
    category: str | None
    items: list[str]
    requests: list[str]
    beneficiaries: int
    fee_mode: FeeMode
    price: str | None
    budget: str | None
    deadline: date | None
    status: ProjectStatus
    meeting: str | None
    claimed: int
    claims: list[ClaimView]
    organization: str | None
    delivered_at: datetime | None
    overdue: bool
    uncovered: bool
    merged_into: str | None
    reason: str | None


class AnswerView(BaseModel):
    """An answer that was corrected since, and when it was given."""

    answer: str
    answered_at: datetime


class QuestionView(BaseModel):
    """A question and its answer, null until there is one; `earlier` are the answers that were corrected, oldest first."""

    id: str
    project: str
    organization: str
    text: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    earlier: list[AnswerView]


class PairView(BaseModel):
    """A claim that the station pinned or forbade, and why; `lifted_at`: from then on it no longer holds."""

    project: str
    organization: str
    kind: Literal["pinned", "forbidden"]
    reason: str
    recorded_at: datetime
    lifted_at: datetime | None


class ObjectionView(BaseModel):
    """An objection, for its organization and the station, and the decision on it."""

    id: str
    meeting: str
    project: str
    organization: str
    reason: str
    status: ObjectionStatus
    raised_at: datetime
    decision: str | None
    decided_at: datetime | None


class MeetingView(BaseModel):
    """A claim meeting. `outcomes` are the claims that stood at the bell, once it has come to its result, each with its
    reason."""

    id: str
    community: str
    title_zh: str
    title_en: str
    starts_at: datetime
    seed: int
    fairness: FairnessTerms | None
    objection_days: int
    status: MeetingStatus
    opened_at: datetime | None
    concluded_at: datetime | None
    objections_until: datetime | None
    projects: list[str]
    outcomes: list[ClaimView]


class MeetingDetail(MeetingView):
    """A claim meeting with what was asked about its projects, and which claims the station pinned or forbade."""

    questions: list[QuestionView]
    pairs: list[PairView]


class PairLiftTerms(Terms):
    """A claim that is no longer to be pinned or forbidden."""

    project: Id
    organization: Id


class RehearsedClaim(BaseModel):
    """What would become of a claim if the bell rang now, and why."""

    project: str
    organization: str
    would_win: bool
    score: int
    reason_zh: str
    reason_en: str


class RehearsalView(BaseModel):
    """A rehearsal of the allocation, with the claims as they stand now. It binds nobody: nothing of it is kept or told, and
    every claim may still be made or withdrawn."""

    meeting: str
    binding: Literal[False] = False
    notice: BilingualText
    rehearsed_at: datetime
    claims: list[RehearsedClaim]
    instance: dict[str, Any]
    result: dict[str, Any]


class AllocationView(BaseModel):
    """What was solved and what came out, word for word, so that anybody can do it again or prove it."""

    meeting: str
    round: int
    instance: dict[str, Any]
    result: dict[str, Any]
    solved_at: datetime
