"""What feedback keeps of other services' facts."""

from __future__ import annotations

from services.feedback.models import Community, Offer, Organization, Request, Taxonomy
from shared.events import CloudEvent
from shared.events.matching import (
    RequestClassified,
    RequestClosed,
    RequestDisputed,
    RequestMatched,
    RequestReopened,
    RequestServed,
    RequestState,
    RequestSubmitted,
    RequestUnmatched,
    RequestWithdrawn,
)
from shared.events.registry import (
    CommunityClockMoved,
    CommunityOpened,
    CommunityState,
    OfferChanged,
    OfferPublished,
    OfferState,
    OfferWithdrawn,
    OrganizationApplied,
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
from shared.messaging import Handlers, Transaction

on = Handlers()


@on(CommunityOpened, CommunityClockMoved)
def keep_communities(tx: Transaction, events: list[CloudEvent[CommunityState]]) -> None:
    """Know which communities there are."""
    tx.keep(Community, [{"id": event.data.community, "sequence": event.sequence} for event in events])


@on(TaxonomyPublished)
def keep_taxonomies(tx: Transaction, events: list[CloudEvent[TaxonomyPublished]]) -> None:
    """Know which items there are."""
    tx.keep(
        Taxonomy,
        [
            {
                "id": event.data.taxonomy,
                "community": event.data.community,
                "items": [item.id for category in event.data.categories for item in category.items],
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(
    OrganizationApplied,
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
    """Know which organizations may be evaluated."""
    tx.keep(
        Organization,
        [{"id": event.data.organization, "community": event.data.community, "sequence": event.sequence} for event in events],
    )


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferState]]) -> None:
    """Know whose each offer is and which item it is for."""
    tx.keep(
        Offer,
        [
            {
                "id": event.data.offer,
                "community": event.data.community,
                "organization": event.data.organization,
                "item": event.data.item,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(
    RequestSubmitted,
    RequestClassified,
    RequestMatched,
    RequestUnmatched,
    RequestServed,
    RequestDisputed,
    RequestReopened,
    RequestClosed,
    RequestWithdrawn,
)
def keep_requests(tx: Transaction, events: list[CloudEvent[RequestState]]) -> None:
    """Know which requests were served, by whom and when."""
    tx.keep(
        Request,
        [
            {
                "id": event.data.request,
                "community": event.data.community,
                "status": event.data.status,
                "organization": event.data.organization,
                "offer": event.data.offer,
                "item": event.data.item,
                "served_at": event.data.served_at,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )
