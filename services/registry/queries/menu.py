"""The menu: what is on it, looked for in every way that people look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select, true

from services.registry import looking, rules
from services.registry.looking import Entry
from services.registry.models import Agreement, Category, Item, Offer, Organization, Satisfaction, Taxonomy
from services.registry.queries.found import find_community, is_sqlite, today
from services.registry.views.offers import Instead, Menu, MenuEntry, MenuFilters, NamedItem
from shared.clock import CIVIL_TIME
from shared.messaging import clocks
from shared.problems import NotFound
from shared.web import PageRequest, paginate

MOST_ITEMS = 3
"""So many items at most are named where a search finds nothing; where more are meant, none is meant in particular."""
REQUEST_ZH = (
    "用自己的话说清楚就行，网上提交、到服务站当面说、打电话都可以。"
    "有组织能办，马上转去；暂时没有的，我们记着，同样的需求多了还会立项请组织来认领。"
)
REQUEST_EN = (
    "in your own words: online, at the service station, or by phone. It goes to whoever can help; where nobody can yet, we "
    "keep it, and together with others of its kind it becomes a project that organizations can claim."
)


def list_offers(session: Session, community_id: str, filters: MenuFilters, page: PageRequest) -> Menu:
    """The menu of a community: its published offers that an agreement in force covers today, narrowed by the filters; where a
    search by words finds nothing, what to do instead. Raises NotFound."""
    find_community(session, community_id)
    wanted = select(Offer).where(*on_menu(session, community_id, today(session, community_id)))
    for name in ("category", "item", "fee_mode", "organization"):
        if (value := getattr(filters, name)) is not None:
            wanted = wanted.where(getattr(Offer, name) == value)
    if filters.organization_class is not None:
        of_class = select(Organization.id).where(
            Organization.community == community_id, Organization.organization_class == filters.organization_class
        )
        wanted = wanted.where(col(Offer.organization).in_(of_class))
    if filters.compound is not None:
        wanted = wanted.where(_serves(session, filters.compound))
    q = " ".join((filters.q or "").split())
    if q:
        wanted = wanted.where(_said(session, community_id, q))
    if filters.open_now:
        wanted = wanted.where(col(Offer.hours).in_(_hours_open_now(session, community_id)))
    found = paginate(session, wanted, Offer.id, page, lambda offer: offer.id)
    nothing = q and not found.items and page.after is None
    instead = _instead(session, community_id, q, filters) if nothing else None
    return Menu(items=_menu_entries(session, found.items), next=found.next, instead=instead)


def get_offer(session: Session, offer_id: str) -> MenuEntry:
    """One offer as the menu shows it, also when it is withdrawn. Raises NotFound."""
    entries = _menu_entries(session, [offer_id])
    if not entries:
        raise NotFound("offer", offer_id)
    return entries[0]


def on_menu(session: Session, community: str, day: date) -> tuple[Any, ...]:
    """The conditions for an offer to be on the menu of a day: published by an organization that may serve, and covered by an
    agreement in force."""
    items = _elements(session, Agreement.items)
    covering = (
        select(Agreement.id)
        .join(items, true())
        .where(Agreement.organization == Offer.organization, *in_force(day), items.c.value == Offer.item)
        .correlate(Offer)
    )
    serving = select(Organization.id).where(Organization.community == community, col(Organization.status).in_(rules.SERVING))
    return (
        Offer.community == community,
        Offer.status == "published",
        col(Offer.organization).in_(serving),
        covering.exists(),
    )


def in_force(day: date) -> tuple[Any, ...]:
    """The conditions for an agreement to be in force on a day."""
    return Agreement.status == "in-force", Agreement.starts_on <= day, Agreement.ends_on >= day


def _elements(session: Session, column: Any) -> Any:
    """The elements of a list in a JSON column as rows; the databases have the same function under two names."""
    return (func.json_each if is_sqlite(session) else func.jsonb_array_elements_text)(column).table_valued("value")


def _serves(session: Session, compound: str) -> Any:
    """That an offer is for a compound, or for the whole community, whose area is JSON's null."""
    if is_sqlite(session):
        listed = func.json_each(Offer.area).table_valued("value")
        return or_(
            func.json_type(Offer.area) == "null",
            select(listed.c.value).select_from(listed).where(listed.c.value == compound).correlate(Offer).exists(),
        )
    return or_(func.jsonb_typeof(Offer.area) == "null", col(Offer.area).op("@>")(func.to_jsonb(compound)))


def _said(session: Session, community: str, q: str) -> Any:
    """That each word of a search stands in the offer's title, its organization's name, or the name or a phrase of its item or
    category; see `looking`."""
    on_it = on_menu(session, community, today(session, community))
    named = select(  # type: ignore[call-overload]
        Offer.id, Offer.item, Offer.title_zh, Offer.title_en, Organization.name_zh, Organization.name_en
    ).join(Organization, col(Organization.id) == Offer.organization)
    entries = {id: Entry(tuple(texts), item) for id, item, *texts in session.execute(named.where(*on_it))}
    return col(Offer.id).in_(looking.found(q, entries, _names_of_items(session, community)))


def _instead(session: Session, community: str, q: str, filters: MenuFilters) -> Instead:
    """What to do where nothing on the menu is found by these words; items are named where nothing else narrowed the search."""
    if any(filters.model_dump(exclude={"q"}).values()):
        return Instead(
            zh=f"菜单上没有同时符合这些条件的“{q}”。可以去掉几个条件再找，也可以直接提出需求：{REQUEST_ZH}",
            en=f"Nothing on the menu under “{q}” meets all these conditions. Look again with fewer of them, or make a request "
            f"{REQUEST_EN}",
            items=[],
        )
    meant = looking.named(q, _names_of_items(session, community))
    if len(meant) > MOST_ITEMS:  # by a word of a whole category, or a letter
        meant = []
    found = session.exec(
        select(Item)
        .join(Taxonomy, col(Taxonomy.id) == Item.taxonomy)
        .where(Taxonomy.community == community, col(Item.id).in_(meant))
        .order_by(col(Item.position))
    )
    items = [NamedItem.model_validate(item, from_attributes=True) for item in found]
    if not items:
        return Instead(
            zh=f"菜单上没有找到“{q}”。可以换个说法再找，也可以直接提出需求：{REQUEST_ZH}",
            en=f"The menu has nothing under “{q}”. Try other words, or make a request all the same, {REQUEST_EN}",
            items=[],
        )
    return Instead(
        zh=f"目前还没有组织提供{'、'.join(f'“{item.name_zh}”' for item in items)}。您照样可以提出需求：{REQUEST_ZH}",
        en=f"No organization offers {', '.join(f'“{item.name_en}”' for item in items)} at present. "
        f"You can make a request all the same, {REQUEST_EN}",
        items=items,
    )


def _names_of_items(session: Session, community: str) -> dict[str, list[str]]:
    """What each item is called: its own names and phrases, and its category's."""
    found = session.execute(
        select(Item, Category)
        .join(Taxonomy, col(Taxonomy.id) == Item.taxonomy)
        .join(Category, and_(col(Category.taxonomy) == Item.taxonomy, col(Category.id) == Item.category))
        .where(Taxonomy.community == community)
        .order_by(col(Item.position))
    )
    return {
        item.id: [text for one in (item, category) for text in (one.name_zh, one.name_en, *one.phrases_zh, *one.phrases_en)]
        for item, category in found
    }


def _hours_open_now(session: Session, community: str) -> list[str]:
    """Those of the community's opening hours that are open at this moment of its own clock."""
    moment = clocks.now(session, community).astimezone(CIVIL_TIME).replace(tzinfo=None)
    written = select(Offer.hours).where(Offer.community == community, Offer.status == "published").distinct()
    return [hours for hours in session.exec(written) if rules.open_at(hours, moment)]


def _menu_entries(session: Session, offers: Sequence[str]) -> list[MenuEntry]:
    """These offers as the menu shows them, by id. An item that a later taxonomy dropped is shown by its id."""
    of_offer, of_organization = aliased(Satisfaction), aliased(Satisfaction)

    def is_with(kept: type[Satisfaction], kind: str, of: Any) -> Any:
        """By its key, which begins with the community: without that every satisfaction of all communities is gone through."""
        return and_(kept.community == Offer.community, kept.kind == kind, kept.of == of)

    found = session.execute(
        select(Offer, Organization, Category, Item, of_offer, of_organization)  # type: ignore[call-overload]
        .join(Organization, Organization.id == Offer.organization)
        .outerjoin(Taxonomy, Taxonomy.community == Offer.community)
        .outerjoin(Item, and_(Item.taxonomy == Taxonomy.id, Item.id == Offer.item))
        .outerjoin(Category, and_(Category.taxonomy == Taxonomy.id, Category.id == Offer.category))
        .outerjoin(of_offer, is_with(of_offer, "offer", Offer.id))
        .outerjoin(of_organization, is_with(of_organization, "organization", Organization.id))
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
