"""Pure decisions of registry: what may follow what, and what is acceptable. No I/O, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import opening_hours
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as NumberError

from shared.access import Caller
from shared.lifecycle import LifeCycle
from shared.problems import Invalid

ORGANIZATION: LifeCycle = {
    ("new", "apply"): "applied",
    ("applied", "register"): "registered",
    ("registered", "change"): "registered",
}
AGREEMENT: LifeCycle = {
    ("new", "sign"): "in-force",
    ("in-force", "end"): "ended",
}
OFFER: LifeCycle = {
    ("new", "publish"): "published",
    ("published", "change"): "published",
    ("published", "withdraw"): "withdrawn",
}

FEWEST_RATINGS = 5
NAMED = ("applied", "incubating", "registered", "suspended")
"""Where an organization stands whose name is taken."""
FURTHEST = timedelta(days=3653)
"""How far a rehearsal community's clock may be ahead: ten years."""


def first_duplicate(ids: Iterable[str]) -> tuple[int, str] | None:
    """Place and value of the first id that stood before, or None."""
    seen: set[str] = set()
    for place, id in enumerate(ids):
        if id in seen:
            return place, id
        seen.add(id)
    return None


def check_credit_code(code: str | None) -> str | None:
    """A unified social credit code (GB 32100-2015) in its compact form. Raises Invalid."""
    if not code:
        return None
    try:
        return str(uscc.validate(code))
    except NumberError as error:
        raise Invalid(
            "credit_code",
            f"{code!r} is not a unified social credit code (18 characters, the last one a check digit): {error}",
            "credit-code-malformed",
        ) from None


def check_term(starts_on: date, ends_on: date) -> None:
    """Raises Invalid where a term ends before it starts."""
    if ends_on < starts_on:
        raise Invalid("ends_on", f"The term ends on {ends_on}, before it starts on {starts_on}.", "term-reversed")


def scope(categories: Sequence[str], items: Sequence[str], taxonomy: Mapping[str, Sequence[str]]) -> list[str]:
    """The item ids that an agreement's scope comes to, in the order of the taxonomy (category id -> its item ids).
    Raises Invalid for a category or item that is not in it, and where nothing remains."""
    for category in categories:
        if category not in taxonomy:
            raise Invalid("categories", f"The taxonomy of this community has no category {category!r}.", "category-unknown")
    known = {item for members in taxonomy.values() for item in members}
    for item in items:
        if item not in known:
            raise Invalid("items", f"The taxonomy of this community has no item {item!r}.", "item-unknown")
    named = set(items)
    resolved = [item for category, members in taxonomy.items() for item in members if category in categories or item in named]
    if not resolved:
        raise Invalid("items", "An agreement covers at least one item: name categories or items.", "scope-empty")
    return resolved


def clock_ahead(now: datetime, to: datetime, ahead: int) -> int:
    """How many seconds a clock that shows `now`, being `ahead`, is ahead of real time once it shows `to` (aware). Raises
    Invalid where it would go back, or be more than `FURTHEST` ahead."""
    if to <= now:
        shown = now.isoformat(timespec="seconds")
        raise Invalid("to", f"The community's clock shows {shown} already; it only moves forward.", "clock-backward")
    moved = ahead + math.ceil((to - now).total_seconds())
    if moved > FURTHEST.total_seconds():
        raise Invalid("to", f"A clock can be {FURTHEST.days} days ahead of real time at most.", "clock-too-far")
    return moved


def in_force(status: str, starts_on: date, ends_on: date, today: date) -> bool:
    """Whether an agreement allows serving today: signed, not ended, and within its term."""
    return status == "in-force" and starts_on <= today <= ends_on


def check_price(fee_mode: str, price: Decimal | str | None) -> str | None:
    """The price in yuan with two decimals, None where the offer is free. Raises Invalid where mode and price
    disagree."""
    if fee_mode == "free":
        if price is not None:
            raise Invalid("price", f"A free offer has no price; {price} was given. Send null.", "price-unexpected")
        return None
    if price is None:
        raise Invalid("price", f"An offer of fee mode {fee_mode!r} needs a price in yuan.", "price-missing")
    return f"{Decimal(price):.2f}"


def check_hours(hours: str) -> None:
    """Raises Invalid where hours are not in the OpenStreetMap opening_hours syntax."""
    if not opening_hours.validate(hours):
        raise Invalid(
            "hours",
            f"{hours!r} is not in the OpenStreetMap opening_hours syntax; write for example 'Mo-Fr 08:00-17:00'.",
            "hours-malformed",
        )


def check_area(area: Sequence[str] | None, compounds: Sequence[str]) -> list[str] | None:
    """The compounds served, each once, in the community's order; None for the whole community. Raises Invalid."""
    if area is None:
        return None
    for compound in area:
        if compound not in compounds:
            raise Invalid("area", f"This community has no compound {compound!r}.", "compound-unknown")
    return [compound for compound in compounds if compound in area]


def shown_stars(stars: float | None, ratings: int | None) -> tuple[float | None, int]:
    """Stars and ratings as the public sees them: no stars below five ratings."""
    count = ratings or 0
    return (stars if count >= FEWEST_RATINGS else None), count


def is_of_station(caller: Caller, community: str) -> bool:
    """Whether the caller is staff of this community's station, or an operator."""
    return caller.role == "operator" or (caller.role == "station" and caller.community == community)


def may_see_organization(caller: Caller, community: str, organization: str, status: str) -> bool:
    """An organization that only applied is seen by its station and by itself."""
    return status == "registered" or sees_inside(caller, community, organization)


def sees_inside(caller: Caller, community: str, organization: str) -> bool:
    """Whether the caller may see what of an organization is not public."""
    return is_of_station(caller, community) or (caller.role == "organization" and caller.organization == organization)
