"""Facts feedback hears, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.events.matching import RequestServed, RequestState
from shared.events.registry import (
    Category,
    CommunityOpened,
    Item,
    OfferPublished,
    OrganizationRegistered,
    TaxonomyPublished,
)
from shared.identifiers import new_id

SERVED_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def community_opened(community: str) -> CommunityOpened:
    return CommunityOpened(
        community=community, slug="fenghe", name_zh="丰和社区", name_en="Fenghe", rehearsal=False, compounds=()
    )


def taxonomy_published(community: str, *items: str) -> TaxonomyPublished:
    category = Category(
        id="elderly",
        name_zh="老有所依",
        name_en="Elderly",
        items=tuple(Item(id=item, name_zh=item, name_en=item) for item in items),
    )
    return TaxonomyPublished(community=community, taxonomy=new_id(), name="fenghe", version=1, categories=(category,))


def organization_registered(community: str, organization: str) -> OrganizationRegistered:
    return OrganizationRegistered(
        community=community,
        organization=organization,
        name_zh="春晖助老服务中心",
        name_en="Chunhui",
        organization_class="public-welfare",
        introduction_zh="",
        introduction_en="",
        status="registered",
    )


def offer_published(community: str, organization: str, offer: str, item: str = "meal-service") -> OfferPublished:
    return OfferPublished(
        community=community,
        offer=offer,
        organization=organization,
        item=item,
        category="elderly",
        title_zh="中午送餐到家",
        title_en="Lunch delivered to the door",
        fee_mode="free",
        price=None,
        unit="visit",
        standard_zh="",
        standard_en="",
        area=None,
        hours="Mo-Fr 10:30-12:30",
        weekly_capacity=5,
        status="published",
    )


def request_told(cls: type[RequestState], community: str, request: str, **state: Any) -> RequestState:
    """A fact of a request; its status is the fact's own where none is given."""
    return cls(
        **{
            "community": community,
            "request": request,
            "channel": "website",
            "compound": "fenghe-garden",
            "language": "zh",
            "submitted_at": SERVED_AT,
            "status": cls.type.split(".")[2],
            "item": "meal-service",
            "category": "elderly",
            "confidence": 0.9,
            "classifier": "test",
            "candidates": (),
            "organization": None,
            "offer": None,
            "served_at": None,
            **state,
        }
    )


def request_served(
    community: str, request: str, organization: str, offer: str | None = None, served_at: datetime = SERVED_AT
) -> RequestState:
    return request_told(RequestServed, community, request, organization=organization, offer=offer, served_at=served_at)
