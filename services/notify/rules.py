"""Notify's decisions: whom a fact concerns, and which ids its notice needs."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
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
    MeetingCancelled,
    MeetingChanged,
    MeetingConcluded,
    MeetingConfirmed,
    MeetingOpened,
    MeetingScheduled,
    MeetingState,
    ObjectionRaised,
    ObjectionRejected,
    ObjectionUpheld,
    ProjectAssigned,
    ProjectChanged,
    ProjectClaimed,
    ProjectClaimWithdrawn,
    ProjectClosed,
    ProjectDelivered,
    ProjectEvaluated,
    ProjectOpened,
    ProjectOverdue,
    ProjectProposed,
    ProjectReopened,
    ProjectUncovered,
    QuestionAnswered,
    QuestionAsked,
    QuestionCorrected,
    ReferralAccepted,
    ReferralDeclined,
    ReferralExpired,
    ReferralHandedOn,
    ReferralMade,
    ReferralWithdrawn,
    RequestAccepted,
    RequestClassified,
    RequestClosed,
    RequestDisputed,
    RequestDisputeRejected,
    RequestGathered,
    RequestMatched,
    RequestMerged,
    RequestReleased,
    RequestReopened,
    RequestServed,
    RequestSubmitted,
    RequestSupported,
    RequestUnmatched,
    RequestWithdrawn,
)
from shared.events.notify import (
    DeliveryFailed,
    WebhookChanged,
    WebhookCreated,
    WebhookDeleted,
    WebhookDisabled,
    WebhookPaused,
    WebhookResumed,
)
from shared.events.registry import (
    ActivityAnnounced,
    ActivityCancelled,
    ActivityCorrected,
    ActivityHeld,
    AgreementEnded,
    AgreementExpiring,
    AgreementRenewed,
    AgreementSigned,
    CommunityClockMoved,
    CommunityOpened,
    ExpertChanged,
    ExpertEnrolled,
    ExpertLeft,
    GreenChannelAdvanced,
    GreenChannelClosed,
    GreenChannelCompleted,
    GreenChannelOpened,
    IncubationAdvanced,
    IncubationApplied,
    IncubationCompleted,
    IncubationFailed,
    IncubationReturned,
    IncubationWithdrawn,
    OfferChanged,
    OfferPublished,
    OfferWithdrawn,
    OrganizationApplied,
    OrganizationChanged,
    OrganizationIncubating,
    OrganizationLeft,
    OrganizationRegistered,
    OrganizationReinstated,
    OrganizationRejected,
    OrganizationSuspended,
    OrganizationWithdrawn,
    TalentChanged,
    TalentEnrolled,
    TalentLeft,
    TalentLinked,
    TalentUnlinked,
    TaxonomyPublished,
)
from shared.problems import Invalid

RecipientKind = Literal["resident", "organization", "station"]

NOTICES: Mapping[type[Fact], tuple[tuple[RecipientKind, ...], str]] = {
    CommunityOpened: (("station",), "community.opened"),
    OrganizationApplied: (("station",), "org.applied"),
    OrganizationIncubating: (("organization",), "org.incubating"),
    OrganizationRegistered: (("organization",), "org.registered"),
    OrganizationSuspended: (("organization", "station"), "org.suspended"),
    OrganizationReinstated: (("organization",), "org.reinstated"),
    OrganizationLeft: (("station", "organization"), "org.left"),
    OrganizationRejected: (("organization",), "org.rejected"),
    OrganizationWithdrawn: (("station",), "org.withdrawn"),
    IncubationApplied: (("station",), "incubation.applied"),
    IncubationAdvanced: (("organization",), "incubation.advanced"),
    IncubationReturned: (("organization",), "incubation.returned"),
    GreenChannelOpened: (("organization",), "green-channel.opened"),
    GreenChannelCompleted: (("organization",), "green-channel.completed"),
    AgreementSigned: (("organization",), "agreement.signed"),
    AgreementRenewed: (("organization",), "agreement.renewed"),
    AgreementExpiring: (("organization", "station"), "agreement.expiring"),
    AgreementEnded: (("organization", "station"), "agreement.ended"),
    TalentLinked: (("organization",), "talent.linked"),
    TalentUnlinked: (("organization",), "talent.unlinked"),
    ActivityAnnounced: (("station",), "activity.announced"),
    ActivityHeld: (("station",), "activity.held"),
    ActivityCorrected: (("station",), "activity.corrected"),
    ActivityCancelled: (("station", "organization"), "activity.cancelled"),
    OfferPublished: (("organization",), "offer.published"),
    OfferWithdrawn: (("organization",), "offer.withdrawn"),
    RequestSubmitted: (("resident", "station"), "request.submitted"),
    RequestMatched: (("resident",), "request.matched"),
    RequestUnmatched: (("resident", "station"), "request.unmatched"),
    RequestAccepted: (("resident",), "request.accepted"),
    RequestMerged: (("resident",), "request.merged"),
    RequestSupported: (("resident",), "request.supported"),
    RequestGathered: (("resident",), "request.gathered"),
    RequestReleased: (("resident",), "request.released"),
    RequestServed: (("resident",), "request.served"),
    RequestDisputed: (("station", "organization"), "request.disputed"),
    RequestReopened: (("resident",), "request.reopened"),
    RequestDisputeRejected: (("resident", "organization"), "request.dispute-rejected"),
    RequestClosed: (("resident", "organization"), "request.closed"),
    RequestWithdrawn: (("station",), "request.withdrawn"),
    ReferralMade: (("organization",), "referral.made"),
    ReferralDeclined: (("station",), "referral.declined"),
    ReferralExpired: (("station", "organization"), "referral.expired"),
    ReferralHandedOn: (("station", "organization"), "referral.handed-on"),
    ReferralWithdrawn: (("organization",), "referral.withdrawn"),
    BodyAppointed: (("station",), "body.appointed"),
    BodyEnded: (("station",), "body.ended"),
    EvaluationSessionOpened: (("organization",), "evaluation-session.opened"),
    EvaluationSessionPublished: (("organization", "station"), "evaluation-session.published"),
    EvaluationSessionCancelled: (("organization",), "evaluation-session.cancelled"),
    ProjectClaimed: (("station",), "project.claimed"),
    ProjectClaimWithdrawn: (("station", "organization"), "project.claim-withdrawn"),
    ProjectAssigned: (("organization",), "project.assigned"),
    ProjectDelivered: (("station",), "project.delivered"),
    ProjectOverdue: (("station", "organization"), "project.overdue"),
    ProjectUncovered: (("station", "organization"), "project.uncovered"),
    ProjectEvaluated: (("organization",), "project.evaluated"),
    ProjectClosed: (("organization",), "project.closed"),
    ProjectReopened: (("organization", "station"), "project.reopened"),
    MeetingConcluded: (("organization",), "meeting.concluded"),
    MeetingConfirmed: (("organization",), "meeting.confirmed"),
    QuestionAsked: (("station",), "question.asked"),
    QuestionAnswered: (("organization",), "question.answered"),
    QuestionCorrected: (("organization",), "question.corrected"),
    ObjectionRaised: (("station",), "objection.raised"),
    ObjectionUpheld: (("organization",), "objection.upheld"),
    ObjectionRejected: (("organization",), "objection.rejected"),
    WebhookDisabled: (("station",), "webhook.disabled"),
}
"""Which fact gives whom a notice, and of which kind."""

NOT_UNDERSTOOD = "request.unmatched/not-understood"
"""How a notice of `request.unmatched` is said when the request was not understood. The kind of the notice is the same."""
NOTHING_FITS = "request.unmatched/nothing-fits"
"""How it is said to the resident where the station, and no model, says that it asks for nothing that is served."""
UNSERVED = "request.closed/unserved"
"""How a notice of `request.closed` is said where nobody had served it."""
AGAIN = {"request.gathered": "request.gathered/again", "request.merged": "request.merged/again"}
"""How notices are said where the organization that had accepted accepts no longer, and a request waits as it did before."""
CANNOT_CARRY = "project.claim-withdrawn/cannot-carry"
"""How a notice of `project.claim-withdrawn` is said where the organization did not do it itself."""
CALLED_OFF = "project.claim-withdrawn/called-off"
"""How it is said where the meeting was called off, to the organization alone: the station did that."""
WITH_GUARANTOR = "agreement.ended/with-guarantor"
"""How a notice of `agreement.ended` is said of a provisional one whose guarantor can no longer answer for it."""
URGENT = {"request.submitted": "request.submitted/urgent", "request.unmatched": "request.unmatched/urgent"}
"""How notices are said of what cannot wait and nobody has read yet: a cry for help, which goes to no organization."""

CONCERNS_NOBODY: Mapping[type[Fact], str] = {
    CommunityClockMoved: "the operator moved it, in a rehearsal; what comes due with it is told by itself",
    TaxonomyPublished: "it changes no one's own affairs; the menu shows it",
    OrganizationChanged: "the organization or its station changed it themselves",
    OfferChanged: "the organization or its station changed it themselves",
    IncubationCompleted: "org.registered tells the same people",
    IncubationFailed: "org.rejected tells the same people",
    IncubationWithdrawn: "org.withdrawn tells the same people",
    GreenChannelAdvanced: "the station did it itself; green-channel.completed follows",
    GreenChannelClosed: "the station talks about it with the group",
    ExpertEnrolled: "the station enrolled the expert itself",
    ExpertChanged: "the station changed it itself",
    ExpertLeft: "the station did it itself",
    TalentEnrolled: "the station did it itself",
    TalentChanged: "the station changed it itself",
    TalentLeft: "the station did it itself",
    RequestClassified: "a step on the way; request.matched or request.unmatched follows",
    ReferralAccepted: "the organization did it itself; request.accepted tells the resident",
    ProjectProposed: "the station did it itself; request.gathered tells the residents",
    ProjectChanged: "the station did it itself",
    ProjectOpened: "the feed carries it to everybody",
    MeetingScheduled: "the feed carries it to everybody",
    MeetingChanged: "the feed carries it to everybody",
    MeetingOpened: "the feed carries it to everybody",
    MeetingCancelled: "the feed carries it to everybody",
    EvaluationRecorded: "a resident's rating is hidden, and a notice of it would give it away",
    BodyChanged: "the station changed it itself",
    SatisfactionChanged: "it follows from single evaluations, which are hidden",
    WebhookCreated: "its owner did it",
    WebhookChanged: "its owner did it",
    WebhookPaused: "its owner did it",
    WebhookResumed: "its owner did it",
    WebhookDeleted: "its owner did it",
    DeliveryFailed: "the webhook's log has it; webhook.disabled follows where nothing arrives at all",
}
"""The facts that give nobody a notice, and why."""

PARAMETERS = (
    *("request", "referral", "organization", "offer", "item", "category", "compound", "agreement"),
    *("project", "meeting", "question", "objection", "webhook", "step"),
)


def recipients(event: CloudEvent[Fact]) -> Iterator[tuple[RecipientKind, str]]:
    """Who gets a notice of a fact: the kind of recipient, and the request's, the organization's or the community's id.
    Whoever asked for the same ("+1") reads what becomes of the request they follow.
    An organization the fact does not name (a request closed before anybody accepted it) gets none; of a meeting's result
    every organization whose claim stood at the bell gets one."""
    kinds, _ = NOTICES[type(event.data)]
    for kind in kinds:
        concerned: Iterable[str | None]
        match kind:
            case "resident":
                concerned = [getattr(event.data, "request", None), *getattr(event.data, "followers", ())]
                concerned = [] if _did_it_itself(event.data, kind) else concerned
            case "organization":
                concerned = _organizations(event.data)
            case "station":
                concerned = [] if _did_it_itself(event.data, kind) else [event.community]
        yield from ((kind, recipient) for recipient in concerned if recipient is not None)


def _did_it_itself(fact: Fact, kind: RecipientKind) -> bool:
    """Whether whoever would get a notice of a fact brought it about."""
    if kind == "resident":
        return isinstance(fact, RequestClosed) and fact.closed_by != "station"
    ended = isinstance(fact, AgreementEnded) and fact.ended_because != "expired" and not fact.with_guarantor
    suspended = isinstance(fact, OrganizationSuspended) and not fact.answers_for
    return ended or suspended or getattr(fact, "called_off", None) is not None or _nothing_fits(fact)


def _nothing_fits(fact: Fact) -> bool:
    return isinstance(fact, RequestUnmatched) and fact.item is None and fact.classifier == "station"


def _organizations(fact: Fact) -> Iterable[str | None]:
    if isinstance(fact, MeetingState):
        return sorted({outcome.organization for outcome in fact.outcomes})
    if isinstance(fact, ProjectReopened):
        return [fact.relieved]
    if isinstance(fact, ProjectClaimWithdrawn):
        withdrawn = fact.withdrawn
        itself = withdrawn is None or withdrawn.because == "by-the-organization"
        return [fact.called_off, None if withdrawn is None or itself else withdrawn.organization]
    return [getattr(fact, "organization", None)]


def parameters(fact: Fact, recipient: str) -> dict[str, str]:
    """The ids a notice of this fact needs, that it is urgent where it is, that it happened again, why a claim was withdrawn,
    and whose guarantor is concerned. Of a matched request these are the organization and offer that are asked now, which is
    the first candidate unless it has had the request before. A recipient whose request follows the fact's may live in another
    compound."""
    named = {name: getattr(fact, name, None) for name in PARAMETERS}
    if isinstance(fact, RequestMatched) and fact.organization is None and fact.candidates:
        named |= {"organization": fact.candidates[0].organization, "offer": fact.candidates[0].offer}
    if isinstance(fact, ProjectClaimWithdrawn) and fact.withdrawn is not None:
        named |= {"organization": fact.withdrawn.organization, "because": fact.withdrawn.because}
    if isinstance(fact, ProjectClaimWithdrawn) and fact.called_off is not None:
        named |= {"organization": fact.called_off, "because": "called-off"}
    if isinstance(fact, AgreementEnded) and fact.with_guarantor:
        named["guarantor"] = fact.guarantor
    if isinstance(fact, OrganizationSuspended) and fact.answers_for:
        named["groups"] = " ".join(fact.answers_for)
    if recipient in getattr(fact, "followers", ()):
        named |= {"request": recipient, "compound": None}
    if _nothing_fits(fact):
        named["read_by"] = "station"
    if getattr(fact, "again", False):
        named["again"] = "again"
    if getattr(fact, "urgency", None) == "urgent":
        named["urgency"] = "urgent"
    return {name: id for name, id in named.items() if id is not None}


def said_as(kind: str, parameters: Mapping[str, str]) -> str:
    """Which sentences say a notice of this kind and these parameters: nobody can serve a request, or nobody has
    understood it, or it is a cry for help, which are three things; it waits for the first time, or again; an organization
    withdrew its claim, or may not carry the project any more, or the meeting was called off; a request was closed unserved; an
    agreement ended with its guarantor's."""
    if kind == "project.claim-withdrawn":
        because = parameters.get("because", "by-the-organization")
        return {"by-the-organization": kind, "called-off": CALLED_OFF}.get(because, CANNOT_CARRY)
    if kind == "request.closed" and "organization" not in parameters:
        return UNSERVED
    if kind == "agreement.ended" and "guarantor" in parameters:
        return WITH_GUARANTOR
    if "again" in parameters:
        return AGAIN.get(kind, kind)
    if "read_by" in parameters:
        return NOTHING_FITS
    if "item" in parameters:
        return kind
    if parameters.get("urgency") == "urgent":
        return URGENT.get(kind, kind)
    return NOT_UNDERSTOOD if kind == "request.unmatched" else kind


POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)


def cursor_of(position: int) -> str:
    """A position in a list as the cursor that goes on after it."""
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def position_of(text: str, field: str) -> int:
    """The position a decoded cursor stands for. Raises Invalid, naming the field."""
    if not POSITION.fullmatch(text):
        raise Invalid(field, "This is not a cursor of this list; use the value of `next` of the page before.")
    return int(text)


FACT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def place_of(given: str, field: str) -> int | str:
    """Where in the feed to go on: a position, for a cursor or the id of an event of the stream; the id of a fact, for that
    itself. Raises Invalid, naming the field."""
    if FACT.fullmatch(given):
        return given
    try:
        return position_of(base64.urlsafe_b64decode(given.encode("ascii")).decode(), field)
    except (binascii.Error, ValueError):
        raise Invalid(field, NO_PLACE) from None


NO_PLACE = "This is no place in the feed; give `next` of a page, the id of an event of the stream, or the id of a public fact."
