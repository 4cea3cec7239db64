"""What can be read in registry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select, true

from services.registry import rules
from services.registry.models import (
    Agreement,
    Category,
    Community,
    Compound,
    Item,
    Offer,
    Organization,
    Satisfaction,
    Taxonomy,
)
from services.registry.views import (
    AgreementView,
    Bilingual,
    CategoryTerms,
    CommunityView,
    CompoundTerms,
    Figures,
    ItemTerms,
    MenuEntry,
    OrganizationView,
    Phrases,
    TaxonomyView,
    TokenHolder,
    TokenTerms,
)
from shared.access import Caller
from shared.clock import civil_date
from shared.identifiers import new_id
from shared.messaging import clocks
from shared.problems import Forbidden, Invalid, NotFound
from shared.web import Page, PageRequest, paginate


def list_communities(session: Session, page: PageRequest) -> Page[CommunityView]:
    """Every community."""
    found = paginate(session, select(Community), Community.id, page, lambda community: community)
    compounds = _compounds(session, [community.id for community in found.items])
    views = [_community_view(session, community, compounds[community.id]) for community in found.items]
    return Page(items=views, next=found.next)


def get_community(session: Session, community_id: str) -> CommunityView:
    """One community. Raises NotFound."""
    community = _community(session, community_id)
    return community_view(session, community)


def get_taxonomy(session: Session, community_id: str) -> TaxonomyView:
    """The taxonomy of a community in the format in which it is published. Raises NotFound."""
    _community(session, community_id)
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


def list_organizations(
    session: Session,
    caller: Caller,
    community_id: str,
    organization_class: str | None,
    status: str | None,
    page: PageRequest,
) -> Page[OrganizationView]:
    """The organizations of a community; those that only applied for its station alone. Raises NotFound."""
    _community(session, community_id)
    wanted = select(Organization).where(Organization.community == community_id)
    if not rules.is_of_station(caller, community_id):
        wanted = wanted.where(Organization.status == "registered")
    if organization_class:
        wanted = wanted.where(Organization.organization_class == organization_class)
    if status:
        wanted = wanted.where(Organization.status == status)
    return paginate(session, wanted, Organization.id, page, lambda organization: _organization_view(caller, organization))


def get_organization(session: Session, caller: Caller, organization_id: str) -> OrganizationView:
    """One organization. Raises NotFound, also where the caller may not see it yet."""
    organization = session.get(Organization, organization_id)
    if organization is None or not rules.may_see_organization(
        caller, organization.community, organization.id, organization.status
    ):
        raise NotFound("organization", organization_id)
    return _organization_view(caller, organization)


def list_agreements(
    session: Session, caller: Caller, community_id: str, organization_id: str | None, page: PageRequest
) -> Page[AgreementView]:
    """The agreements of a community, or of one organization in it. Raises NotFound."""
    _community(session, community_id)
    wanted = select(Agreement).where(Agreement.community == community_id)
    if organization_id:
        wanted = wanted.where(Agreement.organization == organization_id)
    return paginate(session, wanted, Agreement.id, page, lambda agreement: _agreement_view(caller, agreement))


def get_agreement(session: Session, caller: Caller, agreement_id: str) -> AgreementView:
    """One agreement. Raises NotFound."""
    agreement = session.get(Agreement, agreement_id)
    if agreement is None:
        raise NotFound("agreement", agreement_id)
    return _agreement_view(caller, agreement)


def list_offers(
    session: Session,
    community_id: str,
    page: PageRequest,
    *,
    organization_class: str | None = None,
    category: str | None = None,
    item: str | None = None,
    fee_mode: str | None = None,
    organization: str | None = None,
    q: str | None = None,
) -> Page[MenuEntry]:
    """The menu of a community: its published offers that an agreement in force covers today, narrowed by the filters; `q` is
    looked for in both titles, in any case. Raises NotFound."""
    _community(session, community_id)
    wanted = select(Offer).where(*_on_menu(session, community_id, _today(session, community_id)))
    exact = {"category": category, "item": item, "fee_mode": fee_mode, "organization": organization}
    for column, value in exact.items():
        if value is not None:
            wanted = wanted.where(getattr(Offer, column) == value)
    if organization_class is not None:
        of_class = select(Organization.id).where(
            Organization.community == community_id, Organization.organization_class == organization_class
        )
        wanted = wanted.where(col(Offer.organization).in_(of_class))
    if q:
        wanted = wanted.where(
            or_(col(Offer.title_zh).icontains(q, autoescape=True), col(Offer.title_en).icontains(q, autoescape=True))
        )
    found = paginate(session, wanted, Offer.id, page, lambda offer: offer.id)
    return Page(items=_menu_entries(session, found.items), next=found.next)


def get_offer(session: Session, offer_id: str) -> MenuEntry:
    """One offer as the menu shows it, also when it is withdrawn. Raises NotFound."""
    entries = _menu_entries(session, [offer_id])
    if not entries:
        raise NotFound("offer", offer_id)
    return entries[0]


def token_holder(session: Session, caller: Caller, terms: TokenTerms) -> TokenHolder:
    """Whom a token would stand for. Raises Forbidden where the caller may not issue it, NotFound for an unknown
    community or organization, Invalid where the parts do not fit together."""
    if caller.role == "station" and terms.role not in ("organization", "expert"):
        raise Forbidden(f"A station issues tokens of organizations and experts; {terms.role!r} tokens are the operator's.")
    if terms.role == "operator" and terms.community is not None:
        raise Invalid("community", "An operator belongs to no community; leave it out.", "community-unexpected")
    community = None if terms.role == "operator" else terms.community or caller.community
    if terms.role == "organization":
        if terms.organization is None:
            raise Invalid("organization", "A token of role 'organization' names its organization.", "organization-missing")
        organization = session.get(Organization, terms.organization)
        if organization is None:
            raise NotFound("organization", terms.organization, "organization")
        community = community or organization.community
        if organization.community != community:
            raise Invalid(
                "organization",
                f"The organization {organization.id!r} does not belong to the community {community!r}.",
                "organization-elsewhere",
            )
    elif terms.organization is not None:
        raise Invalid("organization", f"A token of role {terms.role!r} names no organization.", "organization-unexpected")
    elif terms.role in ("station", "expert") and community is None:
        raise Invalid("community", f"A token of role {terms.role!r} names its community.", "community-missing")
    if community is not None:
        _community(session, community, "community")
        caller.belongs_to(community)
    # Whoever evaluates is told apart by it: without one, all experts of a community would be one evaluator.
    subject = terms.subject or (new_id() if terms.role in ("expert", "station") else None)
    return TokenHolder(role=terms.role, community=community, organization=terms.organization, subject=subject)


def community_figures(session: Session, community_id: str) -> Figures:
    """Registry's part of the community's figures as of today, counted from its tables. Raises NotFound."""
    _community(session, community_id)
    today = _today(session, community_id)
    taxonomy = select(Taxonomy.id).where(Taxonomy.community == community_id)

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
            *_in_force(today),
        ),
        offers=count(Offer, *_on_menu(session, community_id, today)),
    )


def _community(session: Session, id: str, field: str | None = None) -> Community:
    community = session.get(Community, id)
    if community is None:
        raise NotFound("community", id, field)
    return community


def _compounds(session: Session, communities: Sequence[str]) -> dict[str, list[CompoundTerms]]:
    compounds: dict[str, list[CompoundTerms]] = defaultdict(list)
    found = select(Compound).where(col(Compound.community).in_(communities)).order_by(col(Compound.position))
    for compound in session.exec(found):
        compounds[compound.community].append(CompoundTerms(id=compound.id, name_zh=compound.name_zh, name_en=compound.name_en))
    return compounds


def community_view(session: Session, community: Community) -> CommunityView:
    """A community as it is shown."""
    return _community_view(session, community, _compounds(session, [community.id])[community.id])


def _community_view(session: Session, community: Community, compounds: list[CompoundTerms]) -> CommunityView:
    ahead = clocks.ahead(session, community.id)
    return CommunityView(compounds=compounds, clock_ahead=ahead, **community.model_dump())


def _today(session: Session, community: str) -> date:
    return civil_date(clocks.now(session, community))


def _document(part: Category | Item) -> dict[str, Any]:
    return {
        "id": part.id,
        "name": Bilingual(zh=part.name_zh, en=part.name_en),
        "phrases": Phrases(zh=part.phrases_zh, en=part.phrases_en),
    }


def _organization_view(caller: Caller, organization: Organization) -> OrganizationView:
    view = OrganizationView.model_validate(organization, from_attributes=True)
    inside = rules.sees_inside(caller, organization.community, organization.id)
    return view if inside else view.model_copy(update={"credit_code": None})


def _agreement_view(caller: Caller, agreement: Agreement) -> AgreementView:
    view = AgreementView.model_validate(agreement, from_attributes=True)
    inside = rules.sees_inside(caller, agreement.community, agreement.organization)
    return view if inside else view.model_copy(update={"reason": None})


def _on_menu(session: Session, community: str, today: date) -> tuple[Any, ...]:
    """The conditions for an offer to be on the menu: published, and covered by an agreement in force today."""
    # The agreement's items as rows; the databases have the same function under two names.
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    items = (func.json_each if is_sqlite else func.jsonb_array_elements_text)(Agreement.items).table_valued("value")
    covering = (
        select(Agreement.id)
        .join(items, true())
        .where(
            Agreement.organization == Offer.organization,
            *_in_force(today),
            items.c.value == Offer.item,
        )
        .correlate(Offer)
    )
    return Offer.community == community, Offer.status == "published", covering.exists()


def _in_force(today: date) -> tuple[Any, ...]:
    return Agreement.status == "in-force", Agreement.starts_on <= today, Agreement.ends_on >= today


def _menu_entries(session: Session, offers: Sequence[str]) -> list[MenuEntry]:
    """These offers as the menu shows them, by id. An item that a later taxonomy dropped is shown by its id."""
    of_offer, of_organization = aliased(Satisfaction), aliased(Satisfaction)
    found = session.execute(
        select(Offer, Organization, Category, Item, of_offer, of_organization)  # type: ignore[call-overload]
        .join(Organization, Organization.id == Offer.organization)
        .outerjoin(Taxonomy, Taxonomy.community == Offer.community)
        .outerjoin(Item, and_(Item.taxonomy == Taxonomy.id, Item.id == Offer.item))
        .outerjoin(Category, and_(Category.taxonomy == Taxonomy.id, Category.id == Offer.category))
        .outerjoin(of_offer, and_(of_offer.kind == "offer", of_offer.of == Offer.id))
        .outerjoin(of_organization, and_(of_organization.kind == "organization", of_organization.of == Organization.id))
        .where(Offer.id.in_(offers))  # type: ignore[attr-defined]
        .order_by(Offer.id)
    )
    return [_menu_entry(*row) for row in found]


def _menu_entry(
    offer: Offer,
    organization: Organization,
    category: Category | None,
    item: Item | None,
    of_offer: Satisfaction | None,
    of_organization: Satisfaction | None,
) -> MenuEntry:
    stars, ratings = _stars(of_offer)
    organization_stars, organization_ratings = _stars(of_organization)
    named = {
        "organization_name_zh": organization.name_zh,
        "organization_name_en": organization.name_en,
        "organization_class": organization.organization_class,
        "category_name_zh": category.name_zh if category else offer.category,
        "category_name_en": category.name_en if category else offer.category,
        "item_name_zh": item.name_zh if item else offer.item,
        "item_name_en": item.name_en if item else offer.item,
        "stars": stars,
        "ratings": ratings,
        "organization_stars": organization_stars,
        "organization_ratings": organization_ratings,
    }
    return MenuEntry.model_validate(offer.model_dump() | named)


def _stars(satisfaction: Satisfaction | None) -> tuple[float | None, int]:
    return rules.shown_stars(satisfaction.stars, satisfaction.ratings) if satisfaction else (None, 0)
