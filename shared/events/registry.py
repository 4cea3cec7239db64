"""What registry tells: communities and their taxonomy, organizations, agreements, offers (the menu)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from shared.events.base import Fact, Part

OrganizationClass = Literal["public-welfare", "harmony", "culture", "emergency", "mutual-aid"]
FeeMode = Literal["free", "low", "paid"]
PriceUnit = Literal["visit", "hour", "person", "session", "month", "item"]
ServedIn = Literal["zh", "en"]
OrganizationStatus = Literal["applied", "incubating", "registered", "suspended", "left", "rejected", "withdrawn"]
Origin = Literal["incubated", "formed", "absorbed"]
IncubationStep = Literal["application", "initial-assessment", "incubation", "mid-term", "conclusion"]
IncubationStatus = Literal["open", "completed", "failed", "withdrawn"]
GreenChannelStatus = Literal["open", "completed", "closed"]
EndedBecause = Literal["terminated", "expired", "left"]
ExpertStatus = Literal["enrolled", "left"]
TalentStatus = Literal["enrolled", "left"]
HowLinked = Literal["joined", "led", "founded"]
ActivityStatus = Literal["announced", "held", "cancelled"]


class Compound(Part):
    """A residential compound (小区) of a community; where it lies in degrees (WGS 84), as far as that is known."""

    id: str
    name_zh: str
    name_en: str
    latitude: float | None = None
    longitude: float | None = None


class Item(Part):
    """A service item (小项) of the taxonomy, with example phrases in residents' own words."""

    id: str
    name_zh: str
    name_en: str
    phrases_zh: tuple[str, ...] = ()
    phrases_en: tuple[str, ...] = ()


class Category(Part):
    """A category (大类) of the taxonomy with its items."""

    id: str
    name_zh: str
    name_en: str
    phrases_zh: tuple[str, ...] = ()
    phrases_en: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


class CommunityState(Fact, about="community"):
    """A community as registry knows it. The clock of a `rehearsal` community may be moved forward: `clock_ahead` says how
    many seconds it is ahead of real time, 0 in a real community."""

    slug: str
    name_zh: str
    name_en: str
    rehearsal: bool
    compounds: tuple[Compound, ...]
    clock_ahead: int = 0


class CommunityOpened(CommunityState, type="fenghe.community.opened.v1", public=True):
    """A community was opened: from now on organizations may join it and residents may submit requests."""


class CommunityClockMoved(CommunityState, type="fenghe.community.clock-moved.v1", public=True):
    """An operator moved a rehearsal community's clock forward: for everybody there, it is later from now on."""


class TaxonomyState(Fact, about="taxonomy"):
    """The categories and items by which a community arranges its needs and its menu."""

    taxonomy: str
    name: str
    version: int
    categories: tuple[Category, ...]


class TaxonomyPublished(TaxonomyState, type="fenghe.taxonomy.published.v1", public=True):
    """A community published its taxonomy, or a new version of it, which takes the place of the one before."""


class OrganizationState(Fact, about="organization"):
    """A social organization, its class (公益·和谐·文娱·应急·互助), where it stands in its life, and its `origin`: incubated
    (孵化), formed around talents (组建) or absorbed by agreement (吸纳). Requests referred to a `hub` are handed on to its
    members. `parents` are the ids of the hubs it is a member of and the associations it is a club of. `based_in` is the
    compound from which it works, as far as that is known."""

    organization: str
    name_zh: str
    name_en: str
    organization_class: OrganizationClass
    introduction_zh: str
    introduction_en: str
    status: OrganizationStatus
    origin: Origin = "absorbed"
    hub: bool = False
    parents: tuple[str, ...] = ()
    based_in: str | None = None


class OrganizationApplied(OrganizationState, type="fenghe.org.applied.v1"):
    """An organization applied to join the community, for the first time or again."""


class OrganizationIncubating(OrganizationState, type="fenghe.org.incubating.v1", public=True):
    """The station took a group under its wing, into the five-step incubation or the green channel; with a provisional
    agreement it may publish offers meanwhile."""


class OrganizationRegistered(OrganizationState, type="fenghe.org.registered.v1", public=True):
    """The station registered an organization; once an agreement is in force it may publish offers."""


class OrganizationChanged(OrganizationState, type="fenghe.org.changed.v1", public=True):
    """An organization changed its name, class or introduction, became a hub, or joined or left a hub or association."""


class OrganizationSuspended(OrganizationState, type="fenghe.org.suspended.v1", public=True):
    """The station suspended an organization: its offers are off the menu until it is reinstated. `answers_for`: the groups
    that serve under provisional agreements of which it is the guarantor, and which stay in force."""

    answers_for: tuple[str, ...] = ()


class OrganizationReinstated(OrganizationState, type="fenghe.org.reinstated.v1", public=True):
    """The station reinstated a suspended organization; its offers are back on the menu."""


class OrganizationLeft(OrganizationState, type="fenghe.org.left.v1", public=True):
    """An organization left the community; its agreements ended with it."""


class OrganizationRejected(OrganizationState, type="fenghe.org.rejected.v1"):
    """The station rejected an application, or an incubation failed; the group may apply again."""


class OrganizationWithdrawn(OrganizationState, type="fenghe.org.withdrawn.v1"):
    """A group withdrew its application, or left its incubation; it may apply again."""


class IncubationState(Fact, about="incubation"):
    """One passage of a group through the five steps 孵化申请 → 初期测评 → 实施孵化 → 中期评估 → 孵化终结. `step` is where it
    stands or ended, `attempt` counts the group's passages from 1, `score` (0 to 100) is the mean over the criteria of the
    last gate that was decided, None before the first."""

    incubation: str
    organization: str
    step: IncubationStep
    status: IncubationStatus
    attempt: int
    score: float | None


class IncubationApplied(IncubationState, type="fenghe.incubation.applied.v1"):
    """A group applied to be incubated."""


class IncubationAdvanced(IncubationState, type="fenghe.incubation.advanced.v1"):
    """A gate was opened: every criterion of the step before is scored, and somebody decided with a reason."""


class IncubationReturned(IncubationState, type="fenghe.incubation.returned.v1"):
    """An incubation was sent back to an earlier step, which is gone through again."""


class IncubationCompleted(IncubationState, type="fenghe.incubation.completed.v1", public=True):
    """An incubation came to its good end; the group is registered with it."""


class IncubationFailed(IncubationState, type="fenghe.incubation.failed.v1"):
    """An incubation was ended without success; the group may apply again."""


class IncubationWithdrawn(IncubationState, type="fenghe.incubation.withdrawn.v1"):
    """The group withdrew from its incubation."""


class GreenChannelState(Fact, about="channel"):
    """The green channel (绿色通道) of a group that falls short of the registration standards: how many `standards` it did not
    meet when it was opened, for how many the station has `asked` somebody, how many are `met` now."""

    channel: str
    organization: str
    standards: int
    asked: int
    met: int
    status: GreenChannelStatus


class GreenChannelOpened(GreenChannelState, type="fenghe.green-channel.opened.v1"):
    """The station opened a green channel for a group, with the standards that it does not meet yet."""


class GreenChannelAdvanced(GreenChannelState, type="fenghe.green-channel.advanced.v1"):
    """The station asked a department or organization about a standard, was answered, or saw the standard met."""


class GreenChannelCompleted(GreenChannelState, type="fenghe.green-channel.completed.v1"):
    """The last standard is met; the group is registered, at the end of its incubation where one is still going on."""


class GreenChannelClosed(GreenChannelState, type="fenghe.green-channel.closed.v1"):
    """A green channel was closed before every standard was met."""


class AgreementState(Fact, about="agreement"):
    """A service agreement: the items an organization may serve, from `starts_on` to `ends_on`, both included. A
    `provisional` one lets a group serve that is not registered yet; a registered organization, the `guarantor`, answers for
    it."""

    agreement: str
    organization: str
    items: tuple[str, ...]
    starts_on: date
    ends_on: date
    status: Literal["in-force", "ended"]
    provisional: bool = False
    guarantor: str | None = None
    ended_because: EndedBecause | None = None


class AgreementSigned(AgreementState, type="fenghe.agreement.signed.v1", public=True):
    """Community and organization signed a service agreement."""


class AgreementRenewed(AgreementState, type="fenghe.agreement.renewed.v1", public=True):
    """Community and organization renewed a service agreement: it ends later than it would have."""


class AgreementExpiring(AgreementState, type="fenghe.agreement.expiring.v1"):
    """A service agreement ends within thirty days, unless it is renewed."""


class AgreementEnded(AgreementState, type="fenghe.agreement.ended.v1", public=True):
    """A service agreement was terminated, expired, or ended because the organization left (`ended_because`); what it covered
    may no longer be served under it. `with_guarantor`: a provisional one that was terminated because its guarantor can no
    longer answer for it."""

    with_guarantor: bool = False


class OfferState(Fact, about="offer"):
    """An entry of the menu. `price` is in yuan with two decimals, None where the offer is free. `area` lists the compounds
    served, None for the whole community. `hours` is in the OpenStreetMap opening_hours syntax. `weekly_capacity` counts
    requests. `languages` are those in which it is served."""

    offer: str
    organization: str
    item: str
    category: str
    title_zh: str
    title_en: str
    fee_mode: FeeMode
    price: str | None
    unit: PriceUnit
    standard_zh: str
    standard_en: str
    area: tuple[str, ...] | None
    hours: str
    weekly_capacity: int
    status: Literal["published", "withdrawn"]
    languages: tuple[ServedIn, ...] = ("zh",)


class OfferPublished(OfferState, type="fenghe.offer.published.v1", public=True):
    """An organization with an agreement in force for the item put an offer on the menu."""


class OfferChanged(OfferState, type="fenghe.offer.changed.v1", public=True):
    """An offer on the menu was changed."""


class OfferWithdrawn(OfferState, type="fenghe.offer.withdrawn.v1", public=True):
    """An offer was taken off the menu."""


class ExpertState(Fact, about="expert"):
    """An expert who assesses organizations and projects, by id alone. `categories` are those the expert knows, `conflicts` the
    ids of organizations the expert has an interest in and does not assess."""

    expert: str
    categories: tuple[str, ...]
    conflicts: tuple[str, ...]
    status: ExpertStatus


class ExpertEnrolled(ExpertState, type="fenghe.expert.enrolled.v1"):
    """The station enrolled an expert."""


class ExpertChanged(ExpertState, type="fenghe.expert.changed.v1"):
    """An expert's categories or conflicts of interest changed."""


class ExpertLeft(ExpertState, type="fenghe.expert.left.v1"):
    """An expert is not available any more."""


class TalentLink(Part):
    """An organization that a talent joined, leads or founded (加入、领办、创办)."""

    organization: str
    how: HowLinked


class TalentState(Fact, about="talent"):
    """Somebody of the talent pool (社会人才), by id alone. `skills` are ids of categories; `links` all organizations the talent
    joined, leads or founded, `organization` and `how` the last of them."""

    talent: str
    skills: tuple[str, ...]
    status: TalentStatus
    links: tuple[TalentLink, ...] = ()
    organization: str | None = None
    how: HowLinked | None = None


class TalentEnrolled(TalentState, type="fenghe.talent.enrolled.v1"):
    """Somebody was taken into the talent pool."""


class TalentLinked(TalentState, type="fenghe.talent.linked.v1"):
    """A talent joined, leads or founded an organization."""


class TalentChanged(TalentState, type="fenghe.talent.changed.v1"):
    """A talent's skills changed."""


class TalentUnlinked(TalentState, type="fenghe.talent.unlinked.v1"):
    """A talent is not with an organization any more, or had been said to be by mistake: `organization` and `how`."""


class TalentLeft(TalentState, type="fenghe.talent.left.v1"):
    """Somebody left the talent pool; name and contact were deleted."""


class ActivityState(Fact, about="activity"):
    """An activity of an organization, for everybody. `capacity` counts people, None where there is no limit;
    `beneficiaries` those who were reached, None before it is held."""

    activity: str
    organization: str
    category: str
    item: str | None
    title_zh: str
    title_en: str
    starts_at: datetime
    ends_at: datetime
    place_zh: str
    place_en: str
    capacity: int | None
    status: ActivityStatus
    beneficiaries: int | None


class ActivityAnnounced(ActivityState, type="fenghe.activity.announced.v1", public=True):
    """An organization announced an activity."""


class ActivityHeld(ActivityState, type="fenghe.activity.held.v1", public=True):
    """An activity was held, and the people it reached were counted."""


class ActivityCorrected(ActivityState, type="fenghe.activity.corrected.v1", public=True):
    """How many people an activity reached that was held was corrected."""


class ActivityCancelled(ActivityState, type="fenghe.activity.cancelled.v1", public=True):
    """An activity that was announced does not take place."""
