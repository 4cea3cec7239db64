"""One of each fact that gives somebody a notice, all about the same community, organization, offer and request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from shared.events import CloudEvent, Fact
from shared.events import feedback as f
from shared.events import matching as m
from shared.events import notify as n
from shared.events import registry as r
from shared.events.examples import STATES
from shared.identifiers import new_id
from tests.feedback.given import offer_published, organization_registered, request_told

# In Changchun it is the 22nd already.
MOMENT = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)


class Neighbourhood:
    """The ids of one community and what is in it, and facts about them."""

    def __init__(self) -> None:
        self.community, self.organization, self.offer = new_id(), new_id(), new_id()
        self.request, self.referral, self.agreement = new_id(), new_id(), new_id()
        self.project, self.meeting, self.question, self.objection = new_id(), new_id(), new_id(), new_id()
        self.webhook, self.group = new_id(), new_id()

    def opened(self) -> r.CommunityOpened:
        compound = r.Compound(id="fenghe-garden", name_zh="丰和花园", name_en="Fenghe Garden")
        return r.CommunityOpened(
            community=self.community,
            slug="fenghe",
            name_zh="丰和社区",
            name_en="Fenghe Community",
            rehearsal=False,
            compounds=(compound,),
        )

    def taxonomy(self) -> r.TaxonomyPublished:
        item = r.Item(id="meal-service", name_zh="助餐送餐", name_en="Meal service")
        return r.TaxonomyPublished(
            community=self.community,
            taxonomy=new_id(),
            name="fenghe",
            version=1,
            categories=(r.Category(id="elderly", name_zh="老有所依", name_en="Elderly", items=(item,)),),
        )

    def registered(self) -> r.OrganizationRegistered:
        return organization_registered(self.community, self.organization)

    def applied(self) -> r.OrganizationApplied:
        return r.OrganizationApplied(**self.registered().model_dump() | {"status": "applied"})

    def joining(self) -> list[Fact]:
        """What else is told of the organization on its way into the community and out of it, and of what it does there."""
        told = (
            *(r.OrganizationIncubating, r.OrganizationSuspended, r.OrganizationReinstated, r.OrganizationLeft),
            *(r.OrganizationRejected, r.OrganizationWithdrawn),
            *(r.IncubationApplied, r.IncubationAdvanced, r.IncubationReturned),
            *(
                r.GreenChannelOpened,
                r.GreenChannelCompleted,
                r.AgreementRenewed,
                r.AgreementExpiring,
                r.TalentLinked,
                r.TalentUnlinked,
            ),
            *(r.ActivityAnnounced, r.ActivityHeld, r.ActivityCorrected, r.ActivityCancelled),
        )
        here = {"community": self.community, "organization": self.organization}
        about = {
            "organization": self.registered().model_dump(include={"name_zh", "name_en"}),
            "agreement": {"agreement": self.agreement},
            "activity": {"category": "elderly"},
        }
        facts: list[Fact] = [cls.model_validate(STATES[cls.about] | here | about.get(cls.about, {})) for cls in told]
        return [self.answering(fact) if isinstance(fact, r.OrganizationSuspended) else fact for fact in facts]

    def answering(self, suspended: r.OrganizationSuspended) -> r.OrganizationSuspended:
        """The same of an organization that is the guarantor of a group."""
        return suspended.model_copy(update={"answers_for": (self.group,)})

    def agreed(self, cls: type[r.AgreementState]) -> r.AgreementState:
        return cls(
            community=self.community,
            agreement=self.agreement,
            organization=self.organization,
            items=("meal-service",),
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            status="in-force" if cls is r.AgreementSigned else "ended",
            ended_because=None if cls is r.AgreementSigned else "expired",
        )

    def offered(self, cls: type[r.OfferState] = r.OfferPublished) -> r.OfferState:
        return cls(**offer_published(self.community, self.organization, self.offer).model_dump())

    def requested(self, cls: type[m.RequestState], **state: Any) -> m.RequestState:
        candidate = m.Candidate(organization=self.organization, offer=self.offer, score=0.9, parts={}, reasons=())
        return request_told(cls, self.community, self.request, candidates=(candidate,), **state)

    def served_by(self, cls: type[m.RequestState], **state: Any) -> m.RequestState:
        return self.requested(cls, organization=self.organization, offer=self.offer, served_at=MOMENT, **state)

    def referred(self, cls: type[m.ReferralState]) -> m.ReferralState:
        return cls(
            community=self.community,
            referral=self.referral,
            request=self.request,
            organization=self.organization,
            offer=self.offer,
            item="meal-service",
            category="elderly",
            compound="fenghe-garden",
            rank=1,
            status=cls.type.split(".")[2],
            made_at=MOMENT,
            decided_at=None,
        )

    def body(self, cls: type[f.BodyState]) -> f.BodyState:
        return cls(
            community=self.community,
            body="a-body",
            members=(),
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            status=cls.type.split(".")[2],
        )

    def evaluated(self, cls: type[f.EvaluationSessionState]) -> f.EvaluationSessionState:
        return cls(
            community=self.community,
            session="a-session",
            body="a-body",
            organization=self.organization,
            season="2026-Q4",
            status=cls.type.split(".")[2],
            opened_at=MOMENT,
        )

    def project_told(self, cls: type[m.ProjectState], **state: Any) -> m.ProjectState:
        """A fact of a project; told in an order of its own, its status is of no account to notify."""
        described = {"project": self.project, "meeting": self.meeting, "requests": (self.request,), "category": "elderly"}
        return cls(**STATES["project"] | described | {"community": self.community, "claims": ()} | state)

    def meeting_told(self, cls: type[m.MeetingState], status: str) -> m.MeetingState:
        outcome = {
            "project": self.project,
            "organization": self.organization,
            "won": True,
            "score": 1,
            "reason_zh": "",
            "reason_en": "",
        }
        state = {"meeting": self.meeting, "projects": (self.project,), "status": status, "outcomes": (outcome,)}
        return cls(**STATES["meeting"] | {"community": self.community} | state)

    def about_the_project(self, cls: type[Fact], **state: Any) -> Fact:
        named = {"meeting": self.meeting, "project": self.project, "organization": self.organization}
        return cls.model_validate({"community": self.community, **named, **state})

    def webhook_disabled(self) -> n.WebhookDisabled:
        return n.WebhookDisabled(**STATES["webhook"] | {"community": self.community, "webhook": self.webhook})

    def names(self) -> list[Fact]:
        """The facts that carry names but give nobody a notice of which a test would have to know."""
        changed = r.OrganizationChanged(**self.registered().model_dump())
        return [self.opened(), self.taxonomy(), changed, self.offered(r.OfferChanged)]

    def all(self) -> list[Fact]:
        """One of each fact that gives somebody a notice."""
        return [
            self.opened(),
            self.applied(),
            self.registered(),
            *self.joining(),
            self.agreed(r.AgreementSigned),
            self.agreed(r.AgreementEnded),
            self.offered(r.OfferPublished),
            self.offered(r.OfferWithdrawn),
            self.requested(m.RequestSubmitted, item=None),
            self.requested(m.RequestMatched),
            self.requested(m.RequestUnmatched),
            self.requested(m.RequestMerged),
            self.requested(m.RequestSupported, status="matched"),
            self.requested(m.RequestGathered),
            self.requested(m.RequestReleased, status="unmatched"),
            self.served_by(m.RequestAccepted),
            self.served_by(m.RequestServed),
            self.served_by(m.RequestDisputed),
            self.requested(m.RequestReopened, status="classified"),
            self.served_by(m.RequestClosed, closed_by="station"),
            m.RequestDisputeRejected(**self.served_by(m.RequestClosed).model_dump(exclude={"closed_by"})),
            self.requested(m.RequestWithdrawn),
            self.referred(m.ReferralMade),
            self.referred(m.ReferralDeclined),
            self.referred(m.ReferralExpired),
            self.referred(m.ReferralHandedOn),
            self.referred(m.ReferralWithdrawn),
            self.body(f.BodyAppointed),
            self.body(f.BodyEnded),
            self.evaluated(f.EvaluationSessionOpened),
            self.evaluated(f.EvaluationSessionPublished),
            self.evaluated(f.EvaluationSessionCancelled),
            self.project_told(m.ProjectClaimed),
            self.project_told(
                m.ProjectClaimWithdrawn, withdrawn=m.ClaimWithdrawal(organization=self.organization, because="left")
            ),
            self.project_told(m.ProjectAssigned, organization=self.organization),
            self.project_told(m.ProjectDelivered, organization=self.organization, delivered_at=MOMENT),
            self.project_told(m.ProjectOverdue, organization=self.organization, overdue=True),
            self.project_told(m.ProjectUncovered, organization=self.organization, uncovered=True),
            self.project_told(m.ProjectEvaluated, organization=self.organization, delivered_at=MOMENT),
            self.project_told(m.ProjectClosed, organization=self.organization, delivered_at=MOMENT),
            self.project_told(m.ProjectReopened, relieved=self.organization),
            self.meeting_told(m.MeetingConcluded, "concluded"),
            self.meeting_told(m.MeetingConfirmed, "confirmed"),
            self.about_the_project(m.QuestionAsked, question=self.question, status="asked"),
            self.about_the_project(m.QuestionAnswered, question=self.question, status="answered"),
            self.about_the_project(m.QuestionCorrected, question=self.question, status="answered"),
            self.about_the_project(m.ObjectionRaised, objection=self.objection, status="raised"),
            self.about_the_project(m.ObjectionUpheld, objection=self.objection, status="upheld"),
            self.about_the_project(m.ObjectionRejected, objection=self.objection, status="rejected"),
            self.webhook_disabled(),
        ]


def at_the_moment(event: CloudEvent[Fact]) -> CloudEvent[Fact]:
    """The same fact, decided at MOMENT."""
    return replace(event, time=MOMENT)
