"""What matching tells: requests from submission to their end, and the referrals that put them before organizations.

No fact carries a resident's words: the text of a request stays in matching.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.events.base import Fact, Part

Channel = Literal["website", "mailbox", "party-member", "questionnaire", "home-visit", "discussion"]
Language = Literal["zh", "en"]
RequestStatus = Literal[
    "submitted", "classified", "matched", "unmatched", "accepted", "served", "disputed", "closed", "withdrawn"
]
ReferralStatus = Literal["made", "accepted", "declined", "withdrawn"]


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
    accepted referral."""

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


class RequestSubmitted(RequestState, type="fenghe.request.submitted.v1", public=True):
    """A resident's request was taken in, over whichever channel."""


class RequestClassified(RequestState, type="fenghe.request.classified.v1"):
    """The request was read: its item and category, with the confidence of the reading."""


class RequestMatched(RequestState, type="fenghe.request.matched.v1", public=True):
    """Organizations that can serve the request were found and ranked."""


class RequestUnmatched(RequestState, type="fenghe.request.unmatched.v1", public=True):
    """Nobody can serve the request at present, or everybody who could has declined; it waits for an offer or a project."""


class RequestServed(RequestState, type="fenghe.request.served.v1", public=True):
    """The organization reported that the request was served; its resident may now rate or dispute it."""


class RequestDisputed(RequestState, type="fenghe.request.disputed.v1"):
    """The resident disputes that the request was served; the station looks into it."""


class RequestReopened(RequestState, type="fenghe.request.reopened.v1"):
    """The station upheld a dispute: the request is open again and goes to the next candidate."""


class RequestClosed(RequestState, type="fenghe.request.closed.v1"):
    """The request came to its end: the resident or the station closed it."""


class RequestWithdrawn(RequestState, type="fenghe.request.withdrawn.v1"):
    """The resident withdrew the request before it was served."""


class ReferralState(Fact, about="referral"):
    """A request put before one organization. `rank` counts from 1 in the order of the candidates."""

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


class ReferralMade(ReferralState, type="fenghe.referral.made.v1"):
    """A request was put before an organization, which may accept or decline it."""


class ReferralAccepted(ReferralState, type="fenghe.referral.accepted.v1"):
    """The organization accepted the request and will serve it."""


class ReferralDeclined(ReferralState, type="fenghe.referral.declined.v1"):
    """The organization declined; the request goes to the next candidate."""


class ReferralWithdrawn(ReferralState, type="fenghe.referral.withdrawn.v1"):
    """The request was withdrawn, and the referral with it."""
