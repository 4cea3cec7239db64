"""What feedback keeps of other services' facts, and what it does when a term is over."""

from __future__ import annotations

from services.feedback import actions
from services.feedback.models import (
    Activity,
    Agreement,
    Community,
    Expert,
    Offer,
    Organization,
    Project,
    Request,
    Taxonomy,
)
from shared.clock import season_of
from shared.events import CloudEvent, Fact, catalogue
from shared.events.matching import ProjectState, RequestState
from shared.events.registry import (
    ActivityState,
    AgreementState,
    CommunityState,
    ExpertState,
    OfferState,
    OrganizationState,
    TaxonomyPublished,
)
from shared.messaging import Handlers, Timer, Timers, Transaction

on = Handlers()
timers = Timers()


def _all_of(state: type[Fact]) -> list[type[Fact]]:
    """Every fact of a subject: what is kept is its state, whichever fact brought it."""
    return [fact for fact in catalogue() if issubclass(fact, state)]


@on(*_all_of(CommunityState))
def keep_communities(tx: Transaction, events: list[CloudEvent[CommunityState]]) -> None:
    """Know which communities there are."""
    kept = {"slug", "name_zh", "name_en"}
    tx.keep(
        Community,
        [{"id": event.data.community, **event.data.model_dump(include=kept), "sequence": event.sequence} for event in events],
    )


@on(TaxonomyPublished)
def keep_taxonomies(tx: Transaction, events: list[CloudEvent[TaxonomyPublished]]) -> None:
    """Know which categories and items there are."""
    tx.keep(
        Taxonomy,
        [
            {
                "id": event.data.taxonomy,
                "community": event.data.community,
                "categories": [
                    {
                        "id": category.id,
                        "name_zh": category.name_zh,
                        "name_en": category.name_en,
                        "items": [item.id for item in category.items],
                    }
                    for category in event.data.categories
                ],
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(*_all_of(OrganizationState))
def keep_organizations(tx: Transaction, events: list[CloudEvent[OrganizationState]]) -> None:
    """Know which organizations may be evaluated, their class and where they stand."""
    kept = {"community", "name_zh", "name_en", "organization_class", "status"}
    tx.keep(
        Organization,
        [
            {"id": event.data.organization, **event.data.model_dump(include=kept), "sequence": event.sequence}
            for event in events
        ],
    )


@on(*_all_of(AgreementState))
def keep_agreements(tx: Transaction, events: list[CloudEvent[AgreementState]]) -> None:
    """Know who signed a service agreement."""
    kept = {"community", "organization", "status"}
    tx.keep(
        Agreement,
        [{"id": event.data.agreement, **event.data.model_dump(include=kept), "sequence": event.sequence} for event in events],
    )


@on(*_all_of(ExpertState))
def keep_experts(tx: Transaction, events: list[CloudEvent[ExpertState]]) -> None:
    """Know the experts, and what each of them must not judge."""
    tx.keep(
        Expert,
        [
            {
                "id": event.data.expert,
                "community": event.data.community,
                "conflicts": list(event.data.conflicts),
                "status": event.data.status,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(*_all_of(OfferState))
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferState]]) -> None:
    """Know whose each offer is and which item it is for."""
    kept = {"community", "organization", "item", "category"}
    tx.keep(
        Offer,
        [{"id": event.data.offer, **event.data.model_dump(include=kept), "sequence": event.sequence} for event in events],
    )


@on(*_all_of(ActivityState))
def keep_activities(tx: Transaction, events: list[CloudEvent[ActivityState]]) -> None:
    """Know which activities were held, and how many people they reached."""
    kept = {"community", "organization", "category", "status"}
    tx.keep(
        Activity,
        [
            {
                "id": event.data.activity,
                **event.data.model_dump(include=kept),
                "season": season_of(event.data.starts_at),
                "beneficiaries": event.data.beneficiaries or 0,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(*_all_of(RequestState))
def keep_requests(tx: Transaction, events: list[CloudEvent[RequestState]]) -> None:
    """Know which requests were served, by whom and when."""
    kept = {
        *("community", "status", "organization", "offer", "item", "category"),
        *("project", "supporters", "served_at"),
    }
    tx.keep(
        Request,
        [
            {
                "id": event.data.request,
                **event.data.model_dump(include=kept),
                "merged": event.data.merged_into is not None,
                "season": season_of(event.data.served_at) if event.data.served_at else None,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(*_all_of(ProjectState))
def keep_projects(tx: Transaction, events: list[CloudEvent[ProjectState]]) -> None:
    """Know which projects were delivered, by whom and when."""
    kept = {"community", "organization", "category", "status", "beneficiaries"}
    tx.keep(
        Project,
        [
            {
                "id": event.data.project,
                **event.data.model_dump(include=kept),
                "delivered": event.data.delivered_at is not None,
                "season": season_of(event.data.delivered_at) if event.data.delivered_at else None,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@timers("body-term")
def end_term(tx: Transaction, timer: Timer) -> None:
    """The evaluation body's last day is over."""
    actions.end_term(tx, timer.subject)
