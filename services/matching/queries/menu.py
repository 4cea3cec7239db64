"""What may be asked for, and who may serve it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from services.matching.models import Agreement, Community, Offer, Organization, Taxonomy
from services.matching.rules import SERVING

KEPT = 64
"""So many taxonomies' names are kept in memory."""


class CurrentTaxonomy(NamedTuple):
    """The taxonomy in use in a community; `names` are its items' ([zh, en])."""

    id: str
    name: str
    version: int
    names: dict[str, list[str]]


# Statements that every request needs are built once and run past the session: both cost more than the database does.
_TAXONOMIES: Any = (
    select(Taxonomy.community, Taxonomy.id, Taxonomy.name, Taxonomy.version, Taxonomy.sequence)  # type: ignore[call-overload]
    .where(col(Taxonomy.community).in_(bindparam("communities", expanding=True)))
    .order_by(col(Taxonomy.version), col(Taxonomy.id))
)


_COMPOUNDS: Any = select(Community.compounds).where(Community.id == bindparam("community"))


def compounds_of(session: Session, community: str) -> list[str] | None:
    """A community's compounds (ids); None for one nobody has heard of."""
    found = session.connection().execute(_COMPOUNDS, {"community": community}).first()
    return None if found is None else found.compounds


def current_taxonomies(session: Session, communities: Collection[str]) -> dict[str, CurrentTaxonomy]:
    """The taxonomy in use in each community, its newest version, as far as it was heard of."""
    if not communities:
        return {}
    rows = session.connection().execute(_TAXONOMIES, {"communities": communities})
    newest = {community: taxonomy for community, *taxonomy in rows}
    return {
        community: CurrentTaxonomy(id, name, version, _names(session, id, sequence))
        for community, (id, name, version, sequence) in newest.items()
    }


_known_names: dict[tuple[str, int], dict[str, list[str]]] = {}


def _names(session: Session, taxonomy: str, sequence: int) -> dict[str, list[str]]:
    """The names of a taxonomy's items: hundreds, needed with every request, the same until its next fact is heard."""
    names: dict[str, list[str]] | None = _known_names.get((taxonomy, sequence))
    if names is None:
        names = dict(session.exec(select(Taxonomy.names).where(Taxonomy.id == taxonomy)).one())
        if len(_known_names) >= KEPT:
            _known_names.clear()
        _known_names[taxonomy, sequence] = names
    return names


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


def offers_of(session: Session, organization: str, item: str) -> list[str]:
    """The published offers (ids) of an organization for an item."""
    statement = select(Offer.id).where(Offer.organization == organization, Offer.item == item, Offer.status == "published")
    return list(session.exec(statement.order_by(Offer.id)))


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
