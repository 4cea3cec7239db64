"""Offers: published, changed, withdrawn."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from services.registry import rules
from services.registry.actions.rows import (
    assign,
    compound_ids,
    covered_items,
    different,
    hold,
    hold_with_organization,
)
from services.registry.models import Item, Offer, Organization, Taxonomy
from services.registry.views.offers import OfferChanges, OfferTerms, OfferView
from shared.access import Caller
from shared.clock import civil_date
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid


def publish_offer(tx: Transaction, caller: Caller, terms: OfferTerms) -> OfferView:
    """Put an offer on the menu; tells offer.published. Raises Invalid for an unknown item or compound, a price that
    does not fit the fee mode, unreadable hours; Conflict (`agreement-missing`) where no agreement in force covers the
    item."""
    organization = hold(tx, Organization, "organization", terms.organization, "organization")
    caller.belongs_to(organization.community)
    caller.acts_for(organization.id)
    _check_serving(organization)
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
    tx.tell(facts.OfferPublished.from_row(offer))
    return OfferView.model_validate(offer, from_attributes=True)


def change_offer(tx: Transaction, caller: Caller, offer_id: str, changes: OfferChanges) -> OfferView:
    """Change an offer on the menu; tells offer.changed where something is different. Raises what publish_offer does,
    and Conflict for an offer that is withdrawn."""
    offer = hold_with_organization(tx, Offer, "offer", offer_id)
    caller.belongs_to(offer.community)
    caller.acts_for(offer.organization)
    offer.status = follow(rules.OFFER, "offer", offer.status, "change")
    _check_serving(tx.session.get_one(Organization, offer.organization))
    wanted = {name: getattr(offer, name) for name in OfferChanges.model_fields} | changes.model_dump(exclude_unset=True)
    changed = different(offer, _checked(tx, offer.community, wanted))
    if changed:
        _check_agreement(tx, offer)
        assign(offer, changed)
        tx.tell(facts.OfferChanged.from_row(offer))
    return OfferView.model_validate(offer, from_attributes=True)


def withdraw_offer(tx: Transaction, caller: Caller, offer_id: str) -> OfferView:
    """Take an offer off the menu; tells offer.withdrawn. Raises Conflict where it already is."""
    offer = hold_with_organization(tx, Offer, "offer", offer_id)
    caller.belongs_to(offer.community)
    caller.acts_for(offer.organization)
    take_off(tx, offer)
    return OfferView.model_validate(offer, from_attributes=True)


def take_off(tx: Transaction, offer: Offer) -> None:
    """Take an offer off the menu; tells offer.withdrawn. Raises Conflict where it already is."""
    offer.status = follow(rules.OFFER, "offer", offer.status, "withdraw")
    offer.withdrawn_at = tx.now(offer.community)
    tx.tell(facts.OfferWithdrawn.from_row(offer))


def take_off_uncovered(tx: Transaction, organization: str) -> None:
    """Take off the menu what no agreement in force covers any more; tells offer.withdrawn for each."""
    tx.session.flush()
    published = select(Offer).where(Offer.organization == organization, Offer.status == "published").order_by(Offer.id)
    offers = list(tx.session.exec(published))
    if offers:
        covered = covered_items(tx.session, organization, civil_date(tx.now(offers[0].community)))
        for offer in offers:
            if offer.item not in covered:
                take_off(tx, offer)


def _check_serving(organization: Organization) -> None:
    if organization.status == "suspended":
        detail = "A suspended organization changes nothing on the menu; the station reinstates it first."
        raise Conflict("organization-suspended", detail, "organization")


def _checked(tx: Transaction, community: str, terms: dict[str, Any]) -> dict[str, Any]:
    """An offer's terms as they are kept. Raises Invalid naming the first field that cannot be accepted."""
    rules.check_hours(terms["hours"])
    return terms | {
        "price": rules.check_price(terms["fee_mode"], terms["price"]),
        "area": rules.check_area(terms["area"], compound_ids(tx.session, community)),
        "languages": list(dict.fromkeys(terms["languages"])),
    }


def _check_agreement(tx: Transaction, offer: Offer) -> None:
    today = civil_date(tx.now(offer.community))
    if offer.item not in covered_items(tx.session, offer.organization, today):
        raise Conflict(
            "agreement-missing",
            f"The organization has no agreement in force for the item {offer.item!r} on {today}; sign one first.",
            "item",
        )
