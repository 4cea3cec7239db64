"""Communities, their taxonomy and their figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, func, select

from services.registry.models import (
    Activity,
    Agreement,
    Category,
    Community,
    Compound,
    Incubation,
    Item,
    Offer,
    Organization,
    Talent,
    Taxonomy,
)
from services.registry.queries.found import find_community, today
from services.registry.queries.menu import in_force, on_menu
from services.registry.views.communities import (
    Bilingual,
    CategoryTerms,
    CommunityView,
    CompoundTerms,
    Figures,
    ItemTerms,
    Phrases,
    TaxonomyView,
)
from shared.messaging import clocks
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_communities(session: Session, page: PageRequest) -> Page[CommunityView]:
    """Every community."""
    found = paginate(session, select(Community), Community.id, page, lambda community: community)
    compounds = _compounds(session, [community.id for community in found.items])
    views = [_community_view(session, community, compounds[community.id]) for community in found.items]
    return Page(items=views, next=found.next)


def get_community(session: Session, community_id: str) -> CommunityView:
    """One community. Raises NotFound."""
    community = find_community(session, community_id)
    return community_view(session, community)


def get_taxonomy(session: Session, community_id: str) -> TaxonomyView:
    """The taxonomy of a community in the format in which it is published. Raises NotFound."""
    find_community(session, community_id)
    taxonomy = session.exec(select(Taxonomy).where(Taxonomy.community == community_id)).first()
    if taxonomy is None:
        raise NotFound("taxonomy", community_id)
    items: dict[str, list[ItemTerms]] = defaultdict(list)
    for item in session.exec(select(Item).where(Item.taxonomy == taxonomy.id).order_by(col(Item.position))):
        items[item.category].append(ItemTerms(**_document(item)))
    categories = session.exec(select(Category).where(Category.taxonomy == taxonomy.id).order_by(col(Category.position)))
    return TaxonomyView(
        id=taxonomy.name,
        version=taxonomy.version,
        categories=[CategoryTerms(**_document(category), items=items[category.id]) for category in categories],
    )


def community_figures(session: Session, community_id: str) -> Figures:
    """Registry's part of the community's figures as of today, counted from its tables. Raises NotFound."""
    find_community(session, community_id)
    day = today(session, community_id)
    taxonomy = select(Taxonomy.id).where(Taxonomy.community == community_id)
    held = Activity.community == community_id, Activity.status == "held"

    def count(table: Any, *conditions: Any) -> int:
        return session.exec(select(func.count()).select_from(table).where(*conditions)).one()

    return Figures(
        communities=1,
        categories=count(Category, col(Category.taxonomy).in_(taxonomy)),
        items=count(Item, col(Item.taxonomy).in_(taxonomy)),
        organizations=count(Organization, Organization.community == community_id, Organization.status == "registered"),
        agreements=count(
            Agreement,
            Agreement.community == community_id,
            *in_force(day),
        ),
        offers=count(Offer, *on_menu(session, community_id, day)),
        incubations=count(Incubation, Incubation.community == community_id),
        talents=count(Talent, Talent.community == community_id, Talent.status == "enrolled"),
        activities=count(Activity, *held),
        beneficiaries=session.exec(select(func.sum(Activity.beneficiaries)).where(*held)).one() or 0,
        expired=count(Agreement, Agreement.community == community_id, Agreement.ended_because == "expired"),
        renewed=session.exec(
            select(func.coalesce(func.sum(Agreement.renewals), 0)).where(Agreement.community == community_id)
        ).one(),
    )


def _compounds(session: Session, communities: Sequence[str]) -> dict[str, list[CompoundTerms]]:
    compounds: dict[str, list[CompoundTerms]] = defaultdict(list)
    found = select(Compound).where(col(Compound.community).in_(communities)).order_by(col(Compound.position))
    for compound in session.exec(found):
        compounds[compound.community].append(CompoundTerms(**compound.model_dump(include=set(CompoundTerms.model_fields))))
    return compounds


def community_view(session: Session, community: Community) -> CommunityView:
    """A community as it is shown."""
    return _community_view(session, community, _compounds(session, [community.id])[community.id])


def _community_view(session: Session, community: Community, compounds: list[CompoundTerms]) -> CommunityView:
    ahead = clocks.ahead(session, community.id)
    return CommunityView(compounds=compounds, clock_ahead=ahead, **community.model_dump())


def _document(part: Category | Item) -> dict[str, Any]:
    return {
        "id": part.id,
        "name": Bilingual(zh=part.name_zh, en=part.name_en),
        "phrases": Phrases(zh=part.phrases_zh, en=part.phrases_en),
    }
