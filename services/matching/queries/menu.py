"""What may be asked for, and who may serve it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import and_
from sqlmodel import Session, col, select

from services.matching.models import Agreement, Offer, Organization, Satisfaction, Taxonomy
from services.matching.rank import Opening
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


def openings(session: Session, communities: Collection[str], items: Collection[str]) -> dict[tuple[str, str], list[Opening]]:
    """Every published offer of these items with its organization, which may serve, its agreements not ended and the
    satisfaction, by (community, item). One query; dates, items and areas are for `rank` to judge."""
    statement = (
        select(Offer, Organization, Agreement, Satisfaction)
        .join(Organization, col(Organization.id) == col(Offer.organization))
        .join(Agreement, col(Agreement.organization) == col(Offer.organization))
        .outerjoin(
            Satisfaction,
            and_(
                col(Satisfaction.organization) == col(Offer.organization),
                col(Satisfaction.community) == col(Offer.community),
            ),
        )
        .where(
            col(Offer.community).in_(communities),
            col(Offer.item).in_(items),
            Offer.status == "published",
            col(Organization.status).in_(SERVING),
            Agreement.status == "in-force",
            col(Agreement.community) == col(Offer.community),
        )
    )
    found: dict[tuple[str, str], list[Opening]] = defaultdict(list)
    for offer, organization, agreement, satisfaction in session.execute(statement):
        # Below five ratings a score would give away single ratings: it counts as unknown.
        rated = satisfaction is not None and satisfaction.stars is not None
        found[offer.community, offer.item].append(
            Opening(
                organization=organization.id,
                name_zh=organization.name_zh,
                name_en=organization.name_en,
                offer=offer.id,
                title_zh=offer.title_zh,
                title_en=offer.title_en,
                item=offer.item,
                fee_mode=offer.fee_mode,
                price=offer.price,
                unit=offer.unit,
                area=None if offer.area is None else frozenset(offer.area),
                weekly_capacity=offer.weekly_capacity,
                covers=frozenset(agreement.items),
                starts_on=agreement.starts_on,
                ends_on=agreement.ends_on,
                satisfaction=satisfaction.score / 100 if rated else None,
                stars=satisfaction.stars if rated else None,
                ratings=satisfaction.ratings if rated else 0,
            )
        )
    return found
