"""What people send about requests and referrals, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.matching.views.base import BilingualText, Id, Personal, Terms, Words
from shared.events.matching import Reason
from shared.events.words import Channel, Language, RequestStatus, Urgency
from shared.written import Moment

ReferralStanding = Literal["made", "accepted", "delivered", "declined", "expired", "handed-on", "withdrawn"]
"""A referral's status; `delivered` is an accepted one whose organization reported that it served."""

Intake = Literal["web", "paper", "phone"]


class RequestTerms(Terms):
    """A resident's request in plain words. Without a `language` it is Chinese as soon as one character of it is. Only
    the station writes requests down that came over another channel than the website, or on `paper` or by `phone`. Who serves
    it asks for at most `fee_limit` yuan (0: free of charge), is served in the language `speaks`, and is open at `wanted_at`,
    where these are given. `urgency` says how soon an organization is to answer; only the station says `urgent`.
    `asked_before` is an earlier request of the same resident or household, so that who asks several times counts once among
    the beneficiaries of a project: the station names it, a resident sends its link as the token (which says it without the
    field, too)."""

    community: Id
    text: Words = Field(examples=["厨房水管漏水，想找师傅上门修一下"])
    channel: Channel = "website"
    compound: Id
    language: Language | None = None
    intake: Intake = "web"
    fee_limit: Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=2)] | None = None
    speaks: Language | None = None
    wanted_at: Moment | None = None
    urgency: Urgency = "routine"
    asked_before: Id | None = None


class ClassificationTerms(Terms):
    """What a request asks for, in the station's judgement: an item of the community's taxonomy."""

    item: Id


class CorrectionTerms(Terms):
    """What a request asks for, in the station's judgement, whatever it was read as: an item of the community's taxonomy, or
    null where it asks for nothing that is in it."""

    item: Id | None


class RemarkTerms(Terms):
    """Why, in one's own words; it stays in matching."""

    reason: Words | None = None


class MergeTerms(Terms):
    """The request that asks for the same, and into which another is merged."""

    into: Id


class HandingOnTerms(Terms):
    """The member of the hub that is to serve the request."""

    member: Id


class CandidateView(BaseModel):
    """An organization that could serve the request with one of its offers. `score` (0 to 1) is the sum of `parts` by
    the published weights; `reasons` say the same in words."""

    organization: str
    organization_name_zh: str | None
    organization_name_en: str | None
    offer: str
    offer_title_zh: str | None
    offer_title_en: str | None
    score: float
    parts: dict[str, float]
    reasons: list[Reason]


class Guess(BaseModel):
    """An item that a request may be about; `p` (0 to 1) is how probable that is."""

    item: str
    category: str
    name_zh: str
    name_en: str
    p: float


class UnderstoodView(BaseModel):
    """What was made of a resident's words beside the item. Where there is no item, the resident may pick one of `choices`;
    `needs` are the different items of a message that seems to ask for more than one: each is a request of its own, and
    where there is no item they are the first choices.
    `off_topic`: it seems to ask for nothing that is served here; please say it in other words. `model` names the model that
    read it, whatever people said of it afterwards (null where that was not kept yet)."""

    choices: list[Guess]
    needs: list[Guess]
    off_topic: bool
    model: str | None


class EmergencyView(BaseModel):
    """A message that calls for help at once: whom to call, and what to say, at the top and before anything else.
    `attended_at` is when somebody at the station saw to it."""

    kind: str
    number: str
    zh: str
    en: str
    attended_at: datetime | None


class FailedCondition(BaseModel):
    """A hard condition by which `organizations` at least fail, and no earlier one; in words."""

    condition: str
    organizations: int
    zh: str
    en: str


class UnservedView(BaseModel):
    """Why nobody can serve a request at present, and what becomes of it."""

    because: list[FailedCondition]
    then: BilingualText


class RequestView(BaseModel):
    """A request without its words. `classifier` names the model that read it, or is `station` or `resident`; `understood` is
    null until it was read. `organization` and `offer` are those of the open or last accepted referral. `supporters` counts
    the requests for the same ("+1"), this one included; `merged_into` is the request this one follows, `project`
    the project it is part of. `unserved` says why nobody can serve it, of one that stands unmatched."""

    id: str
    community: str
    channel: Channel
    compound: str
    language: Language
    submitted_at: datetime
    status: RequestStatus
    item: str | None
    category: str | None
    confidence: float | None
    classifier: str | None
    understood: UnderstoodView | None
    emergency: EmergencyView | None
    candidates: list[CandidateView]
    organization: str | None
    offer: str | None
    served_at: datetime | None
    supporters: int
    merged_into: str | None
    project: str | None
    fee_limit: str | None
    speaks: Language | None
    wanted_at: datetime | None
    urgency: Urgency
    unserved: UnservedView | None


class OpenRequest(BaseModel):
    """Somebody's open request, without anything of theirs."""

    id: str
    item: str
    compound: str
    submitted_at: datetime
    status: RequestStatus


class RequestTakenIn(RequestView):
    """A request that was taken in, or read. `similar` are open requests of the same compound that seem to ask for the same, and
    whose resident asks no less of whoever comes: the resident may join one of them (`POST /requests/{id}/merging`), and is
    counted there."""

    similar: list[OpenRequest] = []


class SubmittedRequest(RequestTakenIn, Personal):
    """A request that was taken in. `link` is the resident's token: whoever holds it may follow, withdraw, dispute and
    close this one request and rate its service. It is given here and kept nowhere. `slip` is what the station prints and
    hands over with it where the request came on paper or by phone."""

    link: str
    slip: BilingualText | None = None


class RemarkView(Personal):
    """Why somebody withdrew, separated, disputed, reopened, closed or dismissed the request, or what was done in the emergency
    (`attend`)."""

    verb: str
    role: str
    reason: str
    said_at: datetime


class TrailStep(BaseModel):
    """One organization before which a request was put, and what became of it. `hub` handed it on to this one;
    `handed_on_from` is the referral it was handed on from."""

    referral: str
    organization: str
    organization_name_zh: str | None
    organization_name_en: str | None
    status: ReferralStanding
    made_at: datetime
    due_at: datetime
    decided_at: datetime | None
    hub: str | None
    handed_on_from: str | None


class FollowedView(BaseModel):
    """The request whose fate a merged one follows, without its words, and the project it was gathered into."""

    id: str
    project: str | None
    status: RequestStatus
    supporters: int
    organization: str | None
    organization_name_zh: str | None
    organization_name_en: str | None
    served_at: datetime | None


class RequestDetail(RequestView, Personal):
    """A request with its words. `remarks` and `trail` are for the resident and the station; an organization gets none, and
    `text` only while its referral stands made, accepted or delivered (null otherwise). `follows` is the request this one was
    merged into. `abusive` warns the station; it is null for others."""

    text: str | None
    intake: Intake
    abusive: bool | None
    remarks: list[RemarkView]
    trail: list[TrailStep]
    follows: FollowedView | None


class SimilarRequest(Personal):
    """A request that seems to ask for the same. `similarity` runs from 0 to 1."""

    similarity: float
    request: RequestDetail


class MemberView(BaseModel):
    """A member of a hub to which it may hand a request on."""

    organization: str
    name_zh: str
    name_en: str


class AlsoView(Personal):
    """A request that was merged into the one an organization was asked to serve, and is served with it."""

    request: str
    compound: str
    text: str


class ReferralView(BaseModel):
    """A request put before an organization. `rank` counts from 1 in the order of the candidates. It is to be accepted or
    declined until `due_at`. `handed_on_from` is the referral it was handed on from, `hub` the hub that did so."""

    id: str
    community: str
    request: str
    organization: str
    offer: str
    item: str
    category: str
    compound: str
    rank: int
    status: ReferralStanding
    made_at: datetime
    due_at: datetime
    decided_at: datetime | None
    delivered_at: datetime | None
    hub: str | None
    handed_on_from: str | None


class ReferralDetail(ReferralView, Personal):
    """A referral with what its organization needs to know of the request, and what it said when it declined. The
    organization reads the request's words in `text` while the referral stands made, accepted or delivered (null
    otherwise); the station always does. So it is with `also`, the requests that were merged into this one."""

    text: str | None
    channel: Channel
    language: Language
    request_status: RequestStatus
    supporters: int
    also: list[AlsoView]
    reason: str | None


class Figures(BaseModel):
    """Matching's part of a community's figures. `matched` counts requests that were ever matched, `unmatched` those
    that stand unmatched now, `accepted` referrals that were accepted (delivered ones too), `served` requests that have
    been served (disputed and closed ones too), `overdue` and `handed_on` referrals, `merged` requests ("+1"),
    `projects`, `claims` of them (those withdrawn and lost too), and how many were `assigned` and `delivered`."""

    requests: int
    matched: int
    unmatched: int
    accepted: int
    declined: int
    overdue: int
    handed_on: int
    served: int
    merged: int
    projects: int
    claims: int
    assigned: int
    delivered: int
