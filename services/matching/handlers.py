"""What matching hears: it keeps what it ranks by, reads requests, and looks again at those that stand unmatched.

Facts arrive in any order: whatever is heard last of taxonomy, organization, agreement and offer finds the requests that
wait for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import and_, update
from sqlmodel import col, select

from services.matching import actions, holding, learning, pairing, projects, rank
from services.matching.models import Agreement, Community, Offer, Organization, Project, Satisfaction, Taxonomy
from services.matching.rules import GONE, PROJECT, SERVING
from shared.events import CloudEvent
from shared.events.feedback import EvaluationSessionPublished, SatisfactionChanged
from shared.events.matching import ProjectEvaluated, RequestSubmitted
from shared.events.registry import (
    AgreementEnded,
    AgreementExpiring,
    AgreementRenewed,
    AgreementSigned,
    AgreementState,
    CommunityClockMoved,
    CommunityOpened,
    CommunityState,
    OfferChanged,
    OfferPublished,
    OfferState,
    OfferWithdrawn,
    OrganizationChanged,
    OrganizationIncubating,
    OrganizationLeft,
    OrganizationRegistered,
    OrganizationReinstated,
    OrganizationRejected,
    OrganizationState,
    OrganizationSuspended,
    OrganizationWithdrawn,
    TaxonomyPublished,
)
from shared.lifecycle import follow
from shared.messaging import Handlers, Transaction

on = Handlers()


@on(CommunityOpened, CommunityClockMoved)
def keep_communities(tx: Transaction, events: list[CloudEvent[CommunityState]]) -> None:
    """Know where requests may come from."""
    tx.keep(
        Community,
        [
            {
                "id": event.data.community,
                "compounds": [compound.id for compound in event.data.compounds],
                "places": {
                    compound.id: [compound.latitude, compound.longitude]
                    for compound in event.data.compounds
                    if compound.latitude is not None and compound.longitude is not None
                },
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(TaxonomyPublished)
def keep_taxonomies(tx: Transaction, events: list[CloudEvent[TaxonomyPublished]]) -> None:
    """Know what may be asked for, and have it learned; the requests that wait for it are read once that is done."""
    communities = sorted({event.community for event in events})
    holding.hold_alone(tx.session, communities)
    tx.keep(
        Taxonomy,
        [
            {
                "id": event.data.taxonomy,
                "community": event.data.community,
                "name": event.data.name,
                "version": event.data.version,
                "categories": [category.model_dump(mode="json") for category in event.data.categories],
                "names": {
                    item.id: [item.name_zh, item.name_en] for category in event.data.categories for item in category.items
                },
                "sequence": event.sequence,
            }
            for event in events
        ],
    )
    for community in communities:
        learning.wish_for_model(tx, community)
        pairing.match_again(tx, community)


@on(
    OrganizationIncubating,
    OrganizationRegistered,
    OrganizationChanged,
    OrganizationSuspended,
    OrganizationReinstated,
    OrganizationLeft,
    OrganizationRejected,
    OrganizationWithdrawn,
)
def keep_organizations(tx: Transaction, events: list[CloudEvent[OrganizationState]]) -> None:
    """Know who may serve: the registered, and those in incubation under a provisional agreement. What is in the hands of those
    who go is open to others, and what they claim no meeting gives them; of what a suspended one carries the station is
    told."""
    holding.hold_alone(tx.session, {event.community for event in events})
    tx.keep(
        Organization,
        [
            {
                "id": event.data.organization,
                "community": event.data.community,
                "name_zh": event.data.name_zh,
                "name_en": event.data.name_en,
                "status": event.data.status,
                "hub": event.data.hub,
                "parents": list(event.data.parents),
                "based_in": event.data.based_in,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )
    organizations = {event.data.organization for event in events}
    known = select(Organization.id, Organization.status).where(col(Organization.id).in_(organizations))
    statuses = dict(tx.session.exec(known).all())
    idle = {id for id, status in statuses.items() if status not in SERVING}
    if idle:
        actions.claims.withdraw_what_cannot_be_carried(tx, idle)
    actions.projects.take_back_from(tx, {id for id, status in statuses.items() if status in GONE})
    actions.claims.see_what_is_covered(tx, organizations)
    pairing.hand_on_what_cannot_be_served(tx, organizations)
    offered = select(Offer.community, Offer.item).where(col(Offer.organization).in_(organizations))
    _match_again(tx, tx.session.exec(offered))


@on(AgreementSigned, AgreementRenewed, AgreementExpiring, AgreementEnded)
def keep_agreements(tx: Transaction, events: list[CloudEvent[AgreementState]]) -> None:
    """Know what each organization may serve, and how long; what they claim without an agreement no meeting gives them, and of
    what they carry without one the station is told."""
    holding.hold_alone(tx.session, {event.community for event in events})
    tx.keep(
        Agreement,
        [
            {
                "id": event.data.agreement,
                "community": event.data.community,
                "organization": event.data.organization,
                "items": list(event.data.items),
                "starts_on": event.data.starts_on,
                "ends_on": event.data.ends_on,
                "status": event.data.status,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )
    organizations = {event.data.organization for event in events}
    ended = {event.data.organization for event in events if event.data.status == "ended"}
    if ended:
        actions.claims.withdraw_what_cannot_be_carried(tx, ended)
    # Who leaves loses its projects with that, a moment later.
    stay = {event.data.organization for event in events if event.data.ended_because != "left"}
    actions.claims.see_what_is_covered(tx, stay)
    pairing.hand_on_what_cannot_be_served(tx, organizations)
    signed = [event for event in events if event.data.status == "in-force"]
    _match_again(tx, ((event.community, item) for event in signed for item in event.data.items))


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferState]]) -> None:
    """Know the menu. A referral for an offer that is withdrawn goes to the next candidate, unless it was accepted."""
    holding.hold_alone(tx.session, {event.community for event in events})
    tx.keep(
        Offer,
        [
            {
                "id": event.data.offer,
                "community": event.data.community,
                "organization": event.data.organization,
                "item": event.data.item,
                "title_zh": event.data.title_zh,
                "title_en": event.data.title_en,
                "fee_mode": event.data.fee_mode,
                "price": event.data.price,
                "unit": event.data.unit,
                "area": None if event.data.area is None else list(event.data.area),
                "hours": event.data.hours,
                "weekly_capacity": event.data.weekly_capacity,
                "languages": list(event.data.languages),
                "status": event.data.status,
                "standing": 0.0,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )
    _keep_standing(tx, {event.data.organization for event in events})
    pairing.hand_on_what_cannot_be_served(tx, {event.data.organization for event in events})
    published = [event for event in events if event.data.status == "published"]
    _match_again(tx, ((event.community, event.data.item) for event in published))


@on(SatisfactionChanged)
def keep_satisfaction(tx: Transaction, events: list[CloudEvent[SatisfactionChanged]]) -> None:
    """Know how satisfied people are with each organization."""
    tx.keep(
        Satisfaction,
        [
            {
                "id": event.data.satisfaction,
                "community": event.data.community,
                "organization": event.data.of,
                "score": event.data.score,
                "low": event.data.low,
                "high": event.data.high,
                "stars": event.data.stars,
                "ratings": event.data.ratings,
                "sequence": event.sequence,
            }
            for event in events
            if event.data.kind == "organization" and event.data.season is None
        ],
    )
    _keep_standing(tx, {event.data.of for event in events if event.data.kind == "organization"})


def _keep_standing(tx: Transaction, organizations: set[str]) -> None:
    """Keep with the offers of these organizations how they stand, whichever of offer and satisfaction is heard last."""
    statement = (
        select(  # type: ignore[call-overload]
            Offer.id, Offer.fee_mode, Offer.standing, Satisfaction.score, Satisfaction.low, Satisfaction.stars
        )
        .outerjoin(
            Satisfaction,
            and_(
                col(Satisfaction.organization) == col(Offer.organization),
                col(Satisfaction.community) == col(Offer.community),
            ),
        )
        .where(col(Offer.organization).in_(organizations))
        .order_by(Offer.id)
    )
    changed = []
    for id, fee_mode, before, score, low, stars in tx.session.execute(statement):
        # Below five ratings a score would give away single ratings: it counts as unknown.
        mean = None if stars is None else score / 100
        standing = rank.standing(mean, None if low is None else low / 100, fee_mode)
        if standing != before:
            changed.append({"id": id, "standing": standing})
    if changed:
        tx.session.execute(update(Offer), changed)


@on(EvaluationSessionPublished)
def note_evaluated(tx: Transaction, events: list[CloudEvent[EvaluationSessionPublished]]) -> None:
    """The evaluation body published what it found of a delivered project."""
    evaluated = {event.data.project for event in events if event.data.project is not None}
    known = tx.session.exec(select(Project.id).where(col(Project.id).in_(evaluated - {None}))).all()
    for _, project in sorted(projects.hold(tx, known).items()):
        if project.status == "delivered":
            project.status = follow(PROJECT, "project", project.status, "evaluate")
            tx.session.add(project)
            projects.tell(tx, ProjectEvaluated, project)


@on(RequestSubmitted, at_once=True)
def pair_requests(tx: Transaction, events: list[CloudEvent[RequestSubmitted]]) -> None:
    """Read the new requests and put each before the organization that suits it best."""
    communities = {event.community for event in events}
    holding.hold_shared(tx.session, communities)
    pairing.pair_submitted(tx, communities, {event.data.request for event in events})


def _match_again(tx: Transaction, offered: Iterable[tuple[str, str]]) -> None:
    items: dict[str, set[str]] = defaultdict(set)
    for community, item in offered:
        items[community].add(item)
    for community in sorted(items):
        pairing.match_again(tx, community, items[community])
