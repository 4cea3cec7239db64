"""What matching tells: requests, the referrals that put them before organizations, the projects they are gathered into, and the
meetings at which organizations claim those. No fact carries a resident's words: the text of a request stays in matching, and so
do questions and objections."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from shared.events.base import Fact, Part
from shared.events.registry import FeeMode
from shared.events.words import (
    Channel,
    Language,
    MeetingStatus,
    ObjectionStatus,
    ProjectKind,
    ProjectStatus,
    ReferralStatus,
    RequestStatus,
    Urgency,
    WithdrawnBecause,
)


class Reason(Part):
    """Why a candidate stands where it stands, in a sentence."""

    zh: str
    en: str


class Candidate(Part):
    """An organization that could serve a request with one of its offers. `score` (0 to 1) is the weighted sum of `parts`,
    each 0 to 1 and named as in the published weights."""

    organization: str
    offer: str
    score: float
    parts: dict[str, float]
    reasons: tuple[Reason, ...]


class RequestState(Fact, about="request"):
    """A resident's request. `item`, `category` and `confidence` (0 to 1) come from the classification, `classifier` names
    the model that read it. `candidates` are ranked, best first. `organization` and `offer` are those of the open or last
    accepted referral; of a request in an assigned project the organization is the project's, and there is no offer.
    `supporters` counts the requests for the same ("+1"), this one included; `merged_into` is the request whose
    fate this one follows, `project` the project it was gathered into. `fee_limit` (yuan), the language in which the resident
    wants to be served (`speaks`) and when (`wanted_at`) are given where the resident named them; `urgency` says how soon an
    organization is to answer. `followers`, of facts that have it: the requests merged into this one that go the same way with
    it and tell no fact of it themselves."""

    request: str
    channel: Channel
    compound: str
    language: Language
    submitted_at: datetime
    status: RequestStatus
    item: str | None
    category: str | None
    confidence: float | None
    classifier: str | None
    candidates: tuple[Candidate, ...]
    organization: str | None
    offer: str | None
    served_at: datetime | None
    supporters: int = 1
    merged_into: str | None = None
    project: str | None = None
    fee_limit: str | None = None
    speaks: Language | None = None
    wanted_at: datetime | None = None
    urgency: Urgency = "routine"


class RequestSubmitted(RequestState, type="fenghe.request.submitted.v1", public=True):
    """A resident's request was taken in, over whichever channel."""


class RequestClassified(RequestState, type="fenghe.request.classified.v1"):
    """The request was read: its item and category, with the confidence of the reading."""


class RequestMatched(RequestState, type="fenghe.request.matched.v1", public=True):
    """Organizations that can serve the request were found and ranked."""

    followers: tuple[str, ...] = ()


class RequestUnmatched(RequestState, type="fenghe.request.unmatched.v1", public=True):
    """Nobody can serve the request at present, or everybody who could has declined; it waits for an offer or a project."""

    followers: tuple[str, ...] = ()


class RequestAccepted(RequestState, type="fenghe.request.accepted.v1"):
    """An organization took the request on: it accepted the referral, or its project was assigned to it."""


class RequestMerged(RequestState, type="fenghe.request.merged.v1"):
    """Another request asks for the same ("+1"): from now on this one follows its fate. `again`: it had followed it before, and
    what had accepted both accepts them no longer."""

    again: bool = False


class RequestSupported(RequestState, type="fenghe.request.supported.v1"):
    """The number of residents who ask for the same as this request changed."""


class RequestGathered(RequestState, type="fenghe.request.gathered.v1"):
    """The request was gathered into a project, and follows its fate. `again`: it was inside before, and the organization that
    had the project has it no longer."""

    followers: tuple[str, ...] = ()
    again: bool = False


class RequestReleased(RequestState, type="fenghe.request.released.v1"):
    """The request follows no project and no other request any more; it stands for itself again."""

    followers: tuple[str, ...] = ()


class RequestServed(RequestState, type="fenghe.request.served.v1", public=True):
    """The organization reported that the request was served; its resident may now rate or dispute it."""


class RequestDisputed(RequestState, type="fenghe.request.disputed.v1"):
    """The resident disputes that the request was served; the station looks into it."""


class RequestReopened(RequestState, type="fenghe.request.reopened.v1"):
    """The station upheld a dispute: the request is open again and goes to the next candidate."""


class RequestDisputeRejected(RequestState, type="fenghe.request.dispute-rejected.v1"):
    """The station looked into a dispute and did not uphold it: the request is closed, and the resident is told why."""


class RequestClosed(RequestState, type="fenghe.request.closed.v1"):
    """The request came to its end: the resident or the station closed it (`closed_by`), once it was served, or unserved."""

    closed_by: Literal["resident", "station"] | None = None


class RequestWithdrawn(RequestState, type="fenghe.request.withdrawn.v1"):
    """The resident withdrew the request before it was served."""


class ReferralState(Fact, about="referral"):
    """A request put before one organization. `rank` counts from 1 in the order of the candidates. Until `due_at` it may be
    accepted or declined. `handed_on_from` is the referral that was handed on to make this one, `hub` the hub that did it."""

    referral: str
    request: str
    organization: str
    offer: str
    item: str
    category: str
    compound: str
    rank: int
    status: ReferralStatus
    made_at: datetime
    decided_at: datetime | None
    due_at: datetime | None = None
    hub: str | None = None
    handed_on_from: str | None = None


class ReferralMade(ReferralState, type="fenghe.referral.made.v1"):
    """A request was put before an organization, which may accept or decline it."""


class ReferralAccepted(ReferralState, type="fenghe.referral.accepted.v1"):
    """The organization accepted the request and will serve it."""


class ReferralDeclined(ReferralState, type="fenghe.referral.declined.v1"):
    """The organization declined; the request goes to the next candidate."""


class ReferralExpired(ReferralState, type="fenghe.referral.expired.v1"):
    """The organization did not answer in time; the request goes to the next candidate."""


class ReferralHandedOn(ReferralState, type="fenghe.referral.handed-on.v1"):
    """A hub handed the request on to one of its members, or the organization may serve it no longer and it went to the next
    candidate."""


class ReferralWithdrawn(ReferralState, type="fenghe.referral.withdrawn.v1"):
    """The request was withdrawn or merged into another, and the referral with it."""


class Claim(Part):
    """An organization's claim of a project: its place in the organization's order of wishes (1 is the dearest), and how many
    projects the organization can carry in all."""

    organization: str
    wish: int
    capacity: int


class ProjectState(Fact, about="project"):
    """A project: residents' requests of one of ten types, gathered to be claimed by one organization. `requests` are those
    inside, `beneficiaries` the residents who asked, each once if known; once delivered, those who do not dispute it. `budget`
    and `price` are in yuan with two decimals. `claims` are those that stand; `organization` is who it is assigned to.
    `overdue`: the deadline has passed undelivered. `uncovered`: its organization may not carry it any more. `relieved` is who
    had it before it was reopened, `merged_into` the project that took its requests over."""

    project: str
    kind: ProjectKind
    title_zh: str
    title_en: str
    scope_zh: str
    scope_en: str
    category: str | None
    items: tuple[str, ...]
    requests: tuple[str, ...]
    beneficiaries: int
    fee_mode: FeeMode
    price: str | None
    budget: str | None
    deadline: date | None
    status: ProjectStatus
    meeting: str | None
    claims: tuple[Claim, ...]
    organization: str | None
    delivered_at: datetime | None
    overdue: bool = False
    relieved: str | None = None
    merged_into: str | None = None
    uncovered: bool = False


class ProjectProposed(ProjectState, type="fenghe.project.proposed.v1"):
    """Requests were gathered into a project, which the station looks through before it opens it."""


class ProjectChanged(ProjectState, type="fenghe.project.changed.v1"):
    """The project's description, its requests or its meeting changed; of a delivered one, how many it reached."""


class ProjectOpened(ProjectState, type="fenghe.project.opened.v1", public=True):
    """The project was published: it may be put before a claim meeting."""


class ProjectClaimed(ProjectState, type="fenghe.project.claimed.v1"):
    """An organization claimed the project."""


class ClaimWithdrawal(Part):
    """Whose claim was withdrawn, and why: the organization did it itself, or may not carry the project any more, because it
    left the community, is suspended, or has no agreement in force for the project."""

    organization: str
    because: WithdrawnBecause


class ProjectClaimWithdrawn(ProjectState, type="fenghe.project.claim-withdrawn.v1"):
    """A claim was withdrawn before the bell, by its organization, or because that may not carry the project any more:
    `withdrawn`. Where the meeting was called off, `called_off` is the organization whose claim ended with it."""

    withdrawn: ClaimWithdrawal | None = None
    called_off: str | None = None


class ProjectAssigned(ProjectState, type="fenghe.project.assigned.v1", public=True):
    """The result of the claim meeting was confirmed: the project is this organization's."""


class ProjectDelivered(ProjectState, type="fenghe.project.delivered.v1", public=True):
    """The organization reported the project's work done; the residents inside may rate it."""


class ProjectOverdue(ProjectState, type="fenghe.project.overdue.v1"):
    """The project's deadline has passed, and it was not delivered."""


class ProjectUncovered(ProjectState, type="fenghe.project.uncovered.v1"):
    """The organization to which the project is assigned has no agreement in force for it any more, or was suspended; the
    station decides what becomes of it. `project.changed` follows where it may carry the project again."""


class ProjectEvaluated(ProjectState, type="fenghe.project.evaluated.v1", public=True):
    """The evaluation body published its findings about the delivered project."""


class ProjectClosed(ProjectState, type="fenghe.project.closed.v1", public=True):
    """The project came to its end: done, dismissed, unclaimed, or merged into another."""


class ProjectReopened(ProjectState, type="fenghe.project.reopened.v1", public=True):
    """The project is open again for a claim meeting."""


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
