"""What notify does with facts: notices for those concerned, the names to say them with, and the public feed."""

from __future__ import annotations

from typing import Any

from services.notify import actions, rules
from services.notify.models import Community, FeedFact, Notice, Offer, Organization, Project, Taxonomy
from shared.events import CloudEvent, Fact, catalogue
from shared.events.matching import ProjectState
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
from shared.identifiers import new_id
from shared.messaging import Handlers, Transaction

on = Handlers()


@on(CommunityOpened, CommunityClockMoved)
def keep_communities(tx: Transaction, events: list[CloudEvent[CommunityState]]) -> None:
    """Know the names of communities and their compounds."""
    tx.keep(
        Community,
        [
            {
                "id": event.data.community,
                "name_zh": event.data.name_zh,
                "name_en": event.data.name_en,
                "compounds": {compound.id: [compound.name_zh, compound.name_en] for compound in event.data.compounds},
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(TaxonomyPublished)
def keep_taxonomies(tx: Transaction, events: list[CloudEvent[TaxonomyPublished]]) -> None:
    """Know the names of service items."""
    tx.keep(
        Taxonomy,
        [
            {
                "id": event.data.taxonomy,
                "community": event.data.community,
                "items": {
                    item.id: [item.name_zh, item.name_en] for category in event.data.categories for item in category.items
                },
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
    """Know the names of organizations."""
    tx.keep(
        Organization,
        [
            {
                "id": event.data.organization,
                "name_zh": event.data.name_zh,
                "name_en": event.data.name_en,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferState]]) -> None:
    """Know the titles of offers."""
    tx.keep(
        Offer,
        [
            {
                "id": event.data.offer,
                "title_zh": event.data.title_zh,
                "title_en": event.data.title_en,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


@on(*(fact for fact in catalogue() if issubclass(fact, ProjectState)))
def keep_projects(tx: Transaction, events: list[CloudEvent[ProjectState]]) -> None:
    """Know the titles of projects."""
    tx.keep(
        Project,
        [
            {
                "id": event.data.project,
                "title_zh": event.data.title_zh,
                "title_en": event.data.title_en,
                "sequence": event.sequence,
            }
            for event in events
        ],
    )


# After those that keep names: the lists' counters are locked from here to the commit, and as shortly as can be.
@on(*rules.NOTICES)
def write_notices(tx: Transaction, events: list[CloudEvent[Fact]]) -> None:
    """Put a notice into the inbox of everybody the facts concern."""
    now = {community: tx.now(community) for community in sorted({event.community for event in events})}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "fact": event.id,
            "community": event.community,
            "recipient_kind": recipient_kind,
            "recipient": recipient,
            "kind": rules.NOTICES[type(event.data)][1],
            "parameters": rules.parameters(event.data, recipient),
            "occurred_at": event.time,
            "created_at": now[event.community],
        }
        for event in events
        for recipient_kind, recipient in rules.recipients(event)
    ]
    actions.append(tx, Notice, rows)


@on(*(fact for fact in catalogue() if fact.public))
def feed_public_facts(tx: Transaction, events: list[CloudEvent[Fact]]) -> None:
    """Tell public facts again on the feed, unchanged."""
    rows = [
        {
            "id": new_id(),
            "source": event.source,
            "fact": event.id,
            "type": event.type,
            "subject": event.subject,
            "community": event.community,
            "event": event.as_json(),
        }
        for event in events
    ]
    new = actions.append(tx, FeedFact, rows)
    for event in events:
        if event.id in new:
            tx.retell(event)
