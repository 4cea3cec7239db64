"""Notify's decisions: whom a fact concerns, and which ids its notice needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from shared.events import CloudEvent, Fact
from shared.events.feedback import (
    BodyAppointed,
    BodyChanged,
    BodyEnded,
    EvaluationRecorded,
    EvaluationSessionCancelled,
    EvaluationSessionOpened,
    EvaluationSessionPublished,
    SatisfactionChanged,
)
from shared.events.matching import (
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralWithdrawn,
    RequestClassified,
    RequestClosed,
    RequestDisputed,
    RequestMatched,
    RequestReopened,
    RequestServed,
    RequestSubmitted,
    RequestUnmatched,
    RequestWithdrawn,
)
from shared.events.registry import (
    AgreementEnded,
    AgreementSigned,
    CommunityOpened,
    OfferChanged,
    OfferPublished,
    OfferWithdrawn,
    OrganizationApplied,
    OrganizationChanged,
    OrganizationRegistered,
    TaxonomyPublished,
)

RecipientKind = Literal["resident", "organization", "station"]

NOTICES: Mapping[type[Fact], tuple[tuple[RecipientKind, ...], str]] = {
    CommunityOpened: (("station",), "community.opened"),
    OrganizationApplied: (("station",), "org.applied"),
    OrganizationRegistered: (("organization",), "org.registered"),
    AgreementSigned: (("organization",), "agreement.signed"),
    AgreementEnded: (("organization",), "agreement.ended"),
    OfferPublished: (("organization",), "offer.published"),
    OfferWithdrawn: (("organization",), "offer.withdrawn"),
    RequestSubmitted: (("resident", "station"), "request.submitted"),
    RequestMatched: (("resident",), "request.matched"),
    RequestUnmatched: (("resident", "station"), "request.unmatched"),
    RequestServed: (("resident",), "request.served"),
    RequestDisputed: (("station", "organization"), "request.disputed"),
    RequestReopened: (("resident",), "request.reopened"),
    RequestClosed: (("organization",), "request.closed"),
    RequestWithdrawn: (("station",), "request.withdrawn"),
    ReferralMade: (("organization",), "referral.made"),
    ReferralAccepted: (("resident",), "referral.accepted"),
    ReferralDeclined: (("station",), "referral.declined"),
    ReferralWithdrawn: (("organization",), "referral.withdrawn"),
    BodyAppointed: (("station",), "body.appointed"),
    BodyEnded: (("station",), "body.ended"),
    EvaluationSessionOpened: (("organization",), "evaluation-session.opened"),
    EvaluationSessionPublished: (("organization", "station"), "evaluation-session.published"),
    EvaluationSessionCancelled: (("organization",), "evaluation-session.cancelled"),
}
"""Which fact gives whom a notice, and of which kind."""

NOT_UNDERSTOOD = "request.unmatched/not-understood"
"""How a notice of `request.unmatched` is said when the request was not understood. The kind of the notice is the same."""

CONCERNS_NOBODY: Mapping[type[Fact], str] = {
    TaxonomyPublished: "it changes no one's own affairs; the menu shows it",
    OrganizationChanged: "the organization or its station changed it themselves",
    OfferChanged: "the organization or its station changed it themselves",
    RequestClassified: "a step on the way; request.matched or request.unmatched follows",
    EvaluationRecorded: "a resident's rating is hidden, and a notice of it would give it away",
    BodyChanged: "the station changed it itself",
    SatisfactionChanged: "it follows from single evaluations, which are hidden",
}
"""The facts that give nobody a notice, and why."""

PARAMETERS = ("request", "referral", "organization", "offer", "item", "category", "compound", "agreement")


def recipients(event: CloudEvent[Fact]) -> Iterator[tuple[RecipientKind, str]]:
    """Who gets a notice of a fact: the kind of recipient, and the request's, the organization's or the community's id.
    An organization the fact does not name (a request closed before anybody accepted it) gets none."""
    kinds, _ = NOTICES[type(event.data)]
    for kind in kinds:
        match kind:
            case "resident":
                recipient = getattr(event.data, "request", None)
            case "organization":
                recipient = getattr(event.data, "organization", None)
            case "station":
                recipient = event.community
        if recipient is not None:
            yield kind, recipient


def parameters(fact: Fact) -> dict[str, str]:
    """The ids a notice of this fact needs. Of a matched request these are the first candidate's organization and offer:
    who will be asked."""
    named = {name: getattr(fact, name, None) for name in PARAMETERS}
    if isinstance(fact, RequestMatched) and fact.candidates:
        named |= {"organization": fact.candidates[0].organization, "offer": fact.candidates[0].offer}
    return {name: id for name, id in named.items() if id is not None}


def said_as(kind: str, parameters: Mapping[str, str]) -> str:
    """Which sentences say a notice of this kind and these parameters: nobody can serve a request, or nobody has
    understood it, which are two things."""
    return NOT_UNDERSTOOD if kind == "request.unmatched" and "item" not in parameters else kind
