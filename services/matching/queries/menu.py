"""What may be asked for, and who may serve it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlmodel import Session, col, select

from services.matching.models import Agreement, Offer, Organization, Taxonomy
from services.matching.rules import SERVING


class CurrentTaxonomy(NamedTuple):
    """The taxonomy in use in a community; `names` are its items' ([zh, en])."""

    id: str
    name: str
    version: int
    names: dict[str, list[str]]


def current_taxonomies(session: Session, communities: Collection[str]) -> dict[str, CurrentTaxonomy]:
    """The taxonomy in use in each community, its newest version, as far as it was heard of."""
    rows = session.execute(
        select(Taxonomy.community, Taxonomy.id, Taxonomy.name, Taxonomy.version, Taxonomy.names)  # type: ignore[call-overload]
        .where(col(Taxonomy.community).in_(communities))
        .order_by(col(Taxonomy.version), col(Taxonomy.id))
    )
    return {community: CurrentTaxonomy(*taxonomy) for community, *taxonomy in rows}


def category_of(session: Session, community: str, item: str) -> str | None:
    """The category of an item in the taxonomy in use in a community, None where there is no such item."""
    taxonomy = current_taxonomies(session, [community]).get(community)
    if taxonomy is None or item not in taxonomy.names:
        return None
    categories = session.exec(select(Taxonomy.categories).where(Taxonomy.id == taxonomy.id)).one()
    category: str = next(category["id"] for category in categories for one in category["items"] if one["id"] == item)
    return category


def is_on_the_menu(session: Session, offer: str, item: str) -> bool:
    """Whether an offer is published, and of this item."""
    statement = select(Offer.id).where(Offer.id == offer, Offer.item == item, Offer.status == "published")
    return session.exec(statement).first() is not None


def items_agreed(session: Session, community: str, organization: str, today: date) -> set[str]:
    """The items for which an organization that may serve has an agreement in force on a day."""
    statement = (
        select(Agreement.items)
        .join(Organization, col(Organization.id) == col(Agreement.organization))
        .where(
            col(Organization.status).in_(SERVING),
            Agreement.community == community,
            Agreement.organization == organization,
            Agreement.status == "in-force",
            Agreement.starts_on <= today,
            Agreement.ends_on >= today,
        )
    )
    return {item for items in session.exec(statement) for item in items}
