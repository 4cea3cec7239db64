"""Facts feedback hears, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from shared.events.matching import ProjectDelivered, ProjectState, RequestServed, RequestState
from shared.events.registry import (
    ActivityHeld,
    ActivityState,
    AgreementSigned,
    Category,
    CommunityOpened,
    ExpertEnrolled,
    ExpertState,
    Item,
    OfferPublished,
    OrganizationClass,
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


def organization_registered(
    community: str, organization: str, organization_class: OrganizationClass = "public-welfare"
) -> OrganizationRegistered:
    return OrganizationRegistered(
        community=community,
        organization=organization,
        name_zh="春晖助老服务中心",
        name_en="Chunhui",
        organization_class=organization_class,
        introduction_zh="",
        introduction_en="",
        status="registered",
    )


def agreement_signed(community: str, organization: str) -> AgreementSigned:
    return AgreementSigned(
        community=community,
        agreement=f"agreement of {organization}",
        organization=organization,
        items=("meal-service",),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        status="in-force",
    )


def expert_told(community: str, expert: str, cls: type[ExpertState] = ExpertEnrolled, *conflicts: str) -> ExpertState:
    """A fact of an expert with an interest in the organizations named."""
    status = "left" if cls.type.endswith("left.v1") else "enrolled"
    return cls(community=community, expert=expert, categories=(), conflicts=conflicts, status=status)


def activity_told(
    community: str, activity: str, organization: str, cls: type[ActivityState] = ActivityHeld, **state: Any
) -> ActivityState:
    return cls(
        **{
            "community": community,
            "activity": activity,
            "organization": organization,
            "category": "leisure",
            "item": None,
            "title_zh": "广场舞",
            "title_en": "Dancing",
            "starts_at": SERVED_AT,
            "ends_at": SERVED_AT,
            "place_zh": "广场",
            "place_en": "Square",
            "capacity": None,
            "status": cls.type.split(".")[2],
            "beneficiaries": 30 if cls is ActivityHeld else None,
            **state,
        }
    )


def project_told(
    community: str, project: str, organization: str | None, cls: type[ProjectState] = ProjectDelivered, **state: Any
) -> ProjectState:
    delivered = cls.type.split(".")[2] in ("delivered", "evaluated")
    return cls(
        **{
            "community": community,
            "project": project,
            "kind": "elderly-care",
            "title_zh": "助浴",
            "title_en": "Bathing help",
            "scope_zh": "",
            "scope_en": "",
            "category": "elderly",
            "items": ("bathing-help",),
            "requests": (),
            "beneficiaries": 12,
            "fee_mode": "free",
            "price": None,
            "budget": None,
            "deadline": None,
            "status": cls.type.split(".")[2],
            "meeting": None,
            "claims": (),
            "organization": organization,
            "delivered_at": SERVED_AT if delivered else None,
            **state,
        }
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
