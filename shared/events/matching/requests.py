"""Requests, and the referrals that put them before organizations. The text of a request stays in matching."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.events.base import Fact, Part
from shared.events.words import Channel, Language, ReferralStatus, RequestStatus, Urgency


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
