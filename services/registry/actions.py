"""What can be done in registry. Each verb writes rows and tells its fact; none commits, and each may be run again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

from sqlmodel import Session, col, delete, insert, select

from services.registry import queries, rules
from services.registry.models import (
    Agreement,
    Category,
    Community,
    Compound,
    Item,
    Offer,
    Organization,
    Table,
    Taxonomy,
)
from services.registry.views import (
    AgreementEnding,
    AgreementTerms,
    AgreementView,
    ClockSetting,
    CommunityTerms,
    CommunityView,
    OfferChanges,
    OfferTerms,
    OfferView,
    OrganizationApplication,
    OrganizationChanges,
    OrganizationView,
    TaxonomyTerms,
    TaxonomyView,
)
from shared.access import Caller
from shared.clock import civil_date
from shared.events import registry as facts
from shared.events.base import Fact
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction, clocks
from shared.problems import Conflict, Invalid, NotFound

FactT = TypeVar("FactT", bound=Fact)
TableT = TypeVar("TableT", bound=Table)
OwnedT = TypeVar("OwnedT", Agreement, Offer)


def open_community(tx: Transaction, caller: Caller, terms: CommunityTerms) -> CommunityView:
    """Open a community with its compounds; tells community.opened. Raises Conflict for a slug that is taken, Invalid
    for a compound id given twice."""
    repeated = rules.first_duplicate(compound.id for compound in terms.compounds)
    if repeated:
        place, id = repeated
        raise Invalid(f"compounds.{place}.id", f"The compound id {id!r} is given twice.", "compound-duplicate")
    if tx.session.exec(select(Community.id).where(Community.slug == terms.slug)).first():
        raise Conflict("slug-taken", f"There is a community with the slug {terms.slug!r}; choose another.", "slug")
    id = new_id()
    community = Community(id=id, opened_at=tx.now(id), **terms.model_dump(exclude={"compounds"}))
    tx.session.add(community)
    tx.session.flush()
    compounds = [compound.model_dump() for compound in terms.compounds]
    tx.session.execute(
        insert(Compound),
        [{"community": id, "position": position, **compound} for position, compound in enumerate(compounds)],
    )
    tx.tell(_state(facts.CommunityOpened, community, community=id, compounds=compounds, clock_ahead=0))
    return CommunityView(compounds=terms.compounds, clock_ahead=0, **community.model_dump())


def move_clock(tx: Transaction, caller: Caller, community_id: str, setting: ClockSetting) -> CommunityView:
    """Move the clock of a rehearsal community forward; tells community.clock-moved. Raises Conflict for a real community,
    Invalid for a moment that its clock has passed or that is years away."""
    community = _hold(tx, Community, "community", community_id)
    if not community.rehearsal:
        raise Conflict("community-real", "People live by this community's clock; only a rehearsal community's can be moved.")
    ahead = rules.clock_ahead(tx.now(community.id), setting.to, clocks.ahead(tx.session, community.id))
    clocks.move(tx.session, {community.id: ahead})
    view = queries.community_view(tx.session, community)
    compounds = [compound.model_dump() for compound in view.compounds]
    tx.tell(_state(facts.CommunityClockMoved, community, community=community.id, compounds=compounds, clock_ahead=ahead))
    return view


def publish_taxonomy(tx: Transaction, caller: Caller, community_id: str, terms: TaxonomyTerms) -> TaxonomyView:
    """Publish a community's taxonomy, or its next version; tells taxonomy.published. Raises Invalid for an id that
    stands twice among the categories or among the items."""
    _hold(tx, Community, "community", community_id)
    caller.belongs_to(community_id)
    _check_ids_unique(terms)
    taxonomy = tx.session.exec(select(Taxonomy).where(Taxonomy.community == community_id)).first()
    if taxonomy is None:
        taxonomy = Taxonomy(id=new_id(), community=community_id, name="", version=0, published_at=tx.now(community_id))
        tx.session.add(taxonomy)
    taxonomy.name, taxonomy.version = terms.id, taxonomy.version + 1
    taxonomy.published_at = tx.now(community_id)
    tx.session.flush()
    tx.session.execute(delete(Item).where(col(Item.taxonomy) == taxonomy.id))
    tx.session.execute(delete(Category).where(col(Category.taxonomy) == taxonomy.id))
    categories = [_named(category) | {"items": [_named(item) for item in category.items]} for category in terms.categories]
    items = [item | {"category": category["id"]} for category in categories for item in category["items"]]
    own: dict[str, Any] = {"taxonomy": taxonomy.id}
    tx.session.execute(
        insert(Category),
        [
            own | {"position": position} | {name: value for name, value in category.items() if name != "items"}
            for position, category in enumerate(categories)
        ],
    )
    if items:
        tx.session.execute(insert(Item), [own | {"position": position} | item for position, item in enumerate(items)])
    tx.tell(_state(facts.TaxonomyPublished, taxonomy, taxonomy=taxonomy.id, categories=categories))
    return TaxonomyView(id=terms.id, version=taxonomy.version, categories=terms.categories)


def apply_organization(tx: Transaction, caller: Caller, application: OrganizationApplication) -> OrganizationView:
    """Take in an organization's application; tells org.applied. Raises NotFound for the community, Conflict for a name
    that is taken in it, Invalid for a credit code that is none."""
    community = tx.session.get(Community, application.community)
    if community is None:
        raise NotFound("community", application.community, "community")
    credit_code = rules.check_credit_code(application.credit_code)
    _check_name_free(tx, community.id, application.name_zh)
    organization = Organization(
        id=new_id(),
        status=follow(rules.ORGANIZATION, "organization", "new", "apply"),
        origin="absorbed",
        applied_at=tx.now(community.id),
        credit_code=credit_code,
        **application.model_dump(exclude={"credit_code"}),
    )
    tx.session.add(organization)
    tx.tell(_state(facts.OrganizationApplied, organization, organization=organization.id))
    return OrganizationView.model_validate(organization, from_attributes=True)


def register_organization(tx: Transaction, caller: Caller, organization_id: str) -> OrganizationView:
    """Register an organization that applied; tells org.registered. Raises Conflict where it already is."""
    organization = _hold(tx, Organization, "organization", organization_id)
    caller.belongs_to(organization.community)
    organization.status = follow(rules.ORGANIZATION, "organization", organization.status, "register")
    organization.registered_at = tx.now(organization.community)
    tx.tell(_state(facts.OrganizationRegistered, organization, organization=organization.id))
    return OrganizationView.model_validate(organization, from_attributes=True)


def change_organization(
    tx: Transaction, caller: Caller, organization_id: str, changes: OrganizationChanges
) -> OrganizationView:
    """Change a registered organization's name, class or introduction; tells org.changed where something is different.
    Raises Conflict for a name that is taken and for an organization that only applied."""
    organization = _hold(tx, Organization, "organization", organization_id)
    caller.belongs_to(organization.community)
    caller.acts_for(organization.id)
    organization.status = follow(rules.ORGANIZATION, "organization", organization.status, "change")
    different = _different(organization, changes.model_dump(exclude_unset=True))
    if "name_zh" in different:
        _check_name_free(tx, organization.community, different["name_zh"])
    if different:
        _assign(organization, different)
        tx.tell(_state(facts.OrganizationChanged, organization, organization=organization.id))
    return OrganizationView.model_validate(organization, from_attributes=True)


def sign_agreement(tx: Transaction, caller: Caller, terms: AgreementTerms) -> AgreementView:
    """Sign a service agreement with a registered organization; tells agreement.signed. Raises Invalid for a category or
    item that is not in the current taxonomy, an empty scope, a reversed term; Conflict where it is not registered."""
    organization = _hold(tx, Organization, "organization", terms.organization, "organization")
    caller.belongs_to(organization.community)
    rules.check_term(terms.starts_on, terms.ends_on)
    items = rules.scope(terms.categories, terms.items, _items_by_category(tx.session, organization.community))
    if organization.status != "registered":
        raise Conflict(
            f"organization-{organization.status}",
            "An agreement can be signed with a registered organization only; register it first.",
            "organization",
        )
    agreement = Agreement(
        id=new_id(),
        community=organization.community,
        organization=organization.id,
        items=items,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        status=follow(rules.AGREEMENT, "agreement", "new", "sign"),
        signed_at=tx.now(organization.community),
    )
    tx.session.add(agreement)
    tx.tell(_state(facts.AgreementSigned, agreement, agreement=agreement.id))
    return AgreementView.model_validate(agreement, from_attributes=True)


def end_agreement(tx: Transaction, caller: Caller, agreement_id: str, ending: AgreementEnding) -> AgreementView:
    """End an agreement before its term; tells agreement.ended, and offer.withdrawn for every offer of the organization
    whose item no other agreement in force covers. Raises Conflict where it already ended."""
    agreement = _hold_with_organization(tx, Agreement, "agreement", agreement_id)
    caller.belongs_to(agreement.community)
    agreement.status = follow(rules.AGREEMENT, "agreement", agreement.status, "end")
    agreement.ended_at, agreement.reason = tx.now(agreement.community), ending.reason
    agreement.ended_because = "terminated"
    tx.tell(_state(facts.AgreementEnded, agreement, agreement=agreement.id))
    tx.session.flush()
    today = civil_date(tx.now(agreement.community))
    covered = _covered_items(tx.session, agreement.organization, today)
    offers = select(Offer).where(Offer.organization == agreement.organization, Offer.status == "published")
    for offer in tx.session.exec(offers.order_by(Offer.id)):
        if offer.item not in covered:
            _withdraw(tx, offer)
    return AgreementView.model_validate(agreement, from_attributes=True)


def publish_offer(tx: Transaction, caller: Caller, terms: OfferTerms) -> OfferView:
    """Put an offer on the menu; tells offer.published. Raises Invalid for an unknown item or compound, a price that
    does not fit the fee mode, unreadable hours; Conflict (`agreement-missing`) where no agreement in force covers the
    item."""
    organization = _hold(tx, Organization, "organization", terms.organization, "organization")
    caller.belongs_to(organization.community)
    caller.acts_for(organization.id)
    category = tx.session.exec(
        select(Item.category)
        .join(Taxonomy, col(Taxonomy.id) == Item.taxonomy)
        .where(Taxonomy.community == organization.community, Item.id == terms.item)
    ).first()
    if category is None:
        raise Invalid("item", f"The taxonomy of this community has no item {terms.item!r}.", "item-unknown")
    offer = Offer(
        id=new_id(),
        community=organization.community,
        category=category,
        status=follow(rules.OFFER, "offer", "new", "publish"),
        published_at=tx.now(organization.community),
        **_checked(tx, organization.community, terms.model_dump()),
    )
    _check_agreement(tx, offer)
    tx.session.add(offer)
    tx.tell(_state(facts.OfferPublished, offer, offer=offer.id))
    return OfferView.model_validate(offer, from_attributes=True)


def change_offer(tx: Transaction, caller: Caller, offer_id: str, changes: OfferChanges) -> OfferView:
    """Change an offer on the menu; tells offer.changed where something is different. Raises what publish_offer does,
    and Conflict for an offer that is withdrawn."""
    offer = _hold_with_organization(tx, Offer, "offer", offer_id)
    caller.belongs_to(offer.community)
    caller.acts_for(offer.organization)
    offer.status = follow(rules.OFFER, "offer", offer.status, "change")
    wanted = {name: getattr(offer, name) for name in OfferChanges.model_fields} | changes.model_dump(exclude_unset=True)
    different = _different(offer, _checked(tx, offer.community, wanted))
    if different:
        _check_agreement(tx, offer)
        _assign(offer, different)
        tx.tell(_state(facts.OfferChanged, offer, offer=offer.id))
    return OfferView.model_validate(offer, from_attributes=True)


def withdraw_offer(tx: Transaction, caller: Caller, offer_id: str) -> OfferView:
    """Take an offer off the menu; tells offer.withdrawn. Raises Conflict where it already is."""
    offer = _hold_with_organization(tx, Offer, "offer", offer_id)
    caller.belongs_to(offer.community)
    caller.acts_for(offer.organization)
    _withdraw(tx, offer)
    return OfferView.model_validate(offer, from_attributes=True)


def _withdraw(tx: Transaction, offer: Offer) -> None:
    offer.status = follow(rules.OFFER, "offer", offer.status, "withdraw")
    offer.withdrawn_at = tx.now(offer.community)
    tx.tell(_state(facts.OfferWithdrawn, offer, offer=offer.id))


def _hold(tx: Transaction, table: type[TableT], thing: str, id: str, field: str | None = None) -> TableT:
    """The row, locked until the transaction ends, so that two verbs on it follow each other."""
    row = tx.session.get(table, id, with_for_update=True)
    if row is None:
        raise NotFound(thing, id, field)
    return row


def _hold_with_organization(tx: Transaction, table: type[OwnedT], thing: str, id: str) -> OwnedT:
    """The row, with its organization locked first: what is signed, offered and ended of one organization goes one after
    the other, so that no offer is published while the agreement it needs is being ended."""
    found = tx.session.get(table, id)
    if found is None:
        raise NotFound(thing, id)
    _hold(tx, Organization, "organization", found.organization)
    return _hold(tx, table, thing, id)


def _items_by_category(session: Session, community: str) -> dict[str, list[str]]:
    """The community's taxonomy as ids: category -> its items, both in their order."""
    found = session.exec(
        select(Category.id, Item.id)
        .join(Taxonomy, col(Taxonomy.id) == Category.taxonomy)
        .join(Item, (col(Item.taxonomy) == Category.taxonomy) & (col(Item.category) == Category.id), isouter=True)
        .where(Taxonomy.community == community)
        .order_by(col(Category.position), col(Item.position))
    )
    taxonomy: dict[str, list[str]] = {}
    for category, item in found:
        taxonomy.setdefault(category, []).extend([item] if item else [])
    return taxonomy


def _covered_items(session: Session, organization: str, today: date) -> set[str]:
    """The items that the organization may serve today under one agreement or another."""
    agreements = session.exec(select(Agreement).where(Agreement.organization == organization))
    return {
        item
        for agreement in agreements
        if rules.in_force(agreement.status, agreement.starts_on, agreement.ends_on, today)
        for item in agreement.items
    }


def _compound_ids(session: Session, community: str) -> Sequence[str]:
    return session.exec(select(Compound.id).where(Compound.community == community).order_by(col(Compound.position))).all()


def _state(fact: type[FactT], row: Table, **named: Any) -> FactT:
    """A fact of the row's public state: its columns of the fact's field names, and what is `named`."""
    return fact.model_validate({name: getattr(row, name) for name in fact.model_fields if name not in named} | named)


def _named(part: Any) -> dict[str, Any]:
    """A category or item of a taxonomy document, in the field names of tables and facts."""
    return {
        "id": part.id,
        "name_zh": part.name.zh,
        "name_en": part.name.en,
        "phrases_zh": part.phrases.zh,
        "phrases_en": part.phrases.en,
    }


def _different(row: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(row, name) != value}


def _assign(row: Table, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _check_ids_unique(terms: TaxonomyTerms) -> None:
    categories = [(f"categories.{place}", category) for place, category in enumerate(terms.categories)]
    items = [(f"{where}.items.{place}", item) for where, category in categories for place, item in enumerate(category.items)]
    for thing, parts in (("category", categories), ("item", items)):
        repeated = rules.first_duplicate(part.id for _, part in parts)
        if repeated:
            place, id = repeated
            raise Invalid(f"{parts[place][0]}.id", f"The {thing} id {id!r} stands twice.", f"{thing}-duplicate")


def _check_name_free(tx: Transaction, community: str, name_zh: str) -> None:
    taken = select(Organization.id).where(
        Organization.community == community,
        Organization.name_zh == name_zh,
        col(Organization.status).in_(rules.NAMED),
    )
    if tx.session.exec(taken).first():
        raise Conflict("name-taken", f"This community has an organization named {name_zh!r}.", "name_zh")


def _checked(tx: Transaction, community: str, terms: dict[str, Any]) -> dict[str, Any]:
    """An offer's terms as they are kept. Raises Invalid naming the first field that cannot be accepted."""
    rules.check_hours(terms["hours"])
    return terms | {
        "price": rules.check_price(terms["fee_mode"], terms["price"]),
        "area": rules.check_area(terms["area"], _compound_ids(tx.session, community)),
    }


def _check_agreement(tx: Transaction, offer: Offer) -> None:
    today = civil_date(tx.now(offer.community))
    if offer.item not in _covered_items(tx.session, offer.organization, today):
        raise Conflict(
            "agreement-missing",
            f"The organization has no agreement in force for the item {offer.item!r} on {today}; sign one first.",
            "item",
        )
