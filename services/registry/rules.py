"""Pure decisions of registry: what may follow what, and what is acceptable. No I/O, no clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import get_args

import opening_hours
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as NumberError

from shared.access import Caller
from shared.events.registry import IncubationStep
from shared.lifecycle import LifeCycle
from shared.problems import Conflict, Invalid

ORGANIZATION: LifeCycle = {
    ("new", "apply"): "applied",
    ("rejected", "apply"): "applied",
    ("withdrawn", "apply"): "applied",
    ("left", "apply"): "applied",
    ("applied", "reject"): "rejected",
    ("incubating", "reject"): "rejected",
    ("applied", "withdraw"): "withdrawn",
    ("incubating", "withdraw"): "withdrawn",
    ("applied", "register"): "registered",
    ("applied", "incubate"): "incubating",
    ("incubating", "graduate"): "registered",
    ("incubating", "change"): "incubating",
    ("registered", "change"): "registered",
    ("registered", "suspend"): "suspended",
    ("suspended", "change"): "suspended",
    ("suspended", "reinstate"): "registered",
    ("registered", "leave"): "left",
    ("suspended", "leave"): "left",
}
INCUBATION: LifeCycle = {
    ("new", "apply"): "application",
    ("application", "advance"): "initial-assessment",
    ("initial-assessment", "advance"): "incubation",
    ("incubation", "advance"): "mid-term",
    ("mid-term", "advance"): "conclusion",
    ("conclusion", "advance"): "completed",
    ("initial-assessment", "return"): "application",
    ("incubation", "return"): "initial-assessment",
    ("mid-term", "return"): "incubation",
    ("conclusion", "return"): "mid-term",
    **{(step, "fail"): "failed" for step in get_args(IncubationStep)},
    **{(step, "withdraw"): "withdrawn" for step in get_args(IncubationStep)},
}
"""Of the step where it stands; once it has ended, of its status."""
GREEN_CHANNEL: LifeCycle = {
    ("new", "open"): "open",
    ("open", "advance"): "open",
    ("open", "complete"): "completed",
    ("open", "close"): "closed",
}
AGREEMENT: LifeCycle = {
    ("new", "sign"): "in-force",
    ("in-force", "renew"): "in-force",
    ("in-force", "warn"): "in-force",
    ("in-force", "end"): "ended",
}
OFFER: LifeCycle = {
    ("new", "publish"): "published",
    ("published", "change"): "published",
    ("published", "withdraw"): "withdrawn",
}
EXPERT: LifeCycle = {
    ("new", "enrol"): "enrolled",
    ("enrolled", "change"): "enrolled",
    ("enrolled", "leave"): "left",
}
TALENT: LifeCycle = {
    ("new", "enrol"): "enrolled",
    ("enrolled", "change"): "enrolled",
    ("enrolled", "link"): "enrolled",
    ("enrolled", "unlink"): "enrolled",
    ("enrolled", "leave"): "left",
}
ACTIVITY: LifeCycle = {
    ("new", "announce"): "announced",
    ("announced", "hold"): "held",
    ("held", "correct"): "held",
    ("announced", "cancel"): "cancelled",
}

GATES: Mapping[str, tuple[tuple[str, str], Mapping[str, tuple[str, str]]]] = {
    "application": (
        ("孵化申请", "Application"),
        {
            "need": ("居民确有需要", "Residents need it"),
            "people": ("有发起人和骨干", "There are people who carry it"),
            "purpose": ("宗旨清楚、公益", "A clear purpose for the common good"),
        },
    ),
    "initial-assessment": (
        ("初期测评", "Initial assessment"),
        {
            "members": ("成员稳定", "A steady membership"),
            "charter": ("有章程草案", "A draft of the statutes"),
            "means": ("场地和经费有着落", "Rooms and money are in sight"),
        },
    ),
    "incubation": (
        ("实施孵化", "Incubation"),
        {
            "activity": ("按计划开展活动", "It does what it planned"),
            "management": ("内部管理规范", "It is run in good order"),
            "accounts": ("账目清楚、公开", "Its accounts are clear and open"),
        },
    ),
    "mid-term": (
        ("中期评估", "Mid-term assessment"),
        {
            "service": ("服务有成效", "Its service has an effect"),
            "residents": ("居民认可", "Residents value it"),
            "growth": ("队伍在成长", "It grows"),
        },
    ),
    "conclusion": (
        ("孵化终结", "Conclusion"),
        {
            "standards": ("达到登记条件", "It meets the registration standards"),
            "independence": ("能独立运作", "It stands on its own feet"),
            "prospect": ("能长期坚持", "It can go on for long"),
        },
    ),
}
"""The steps of the incubation in their order: names (zh, en), and what is scored before the step is left."""

FEWEST_RATINGS = 5
NAMED = ("applied", "incubating", "registered", "suspended")
"""Where an organization stands whose name is taken."""
SERVING = ("incubating", "registered")
"""Where an organization stands whose offers are on the menu."""
PUBLIC = ("incubating", "registered", "suspended", "left")
"""Where an organization stands that everybody may know of."""
WARNED_BEFORE = timedelta(days=30)
"""How long before its end an agreement is said to expire."""
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
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
    """Raises Invalid where a term ends before it starts, or lies in another age."""
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if not EARLIEST <= day <= LATEST:
            raise Invalid(field, f"A term lies between {EARLIEST} and {LATEST}.", "term-far")
    if ends_on < starts_on:
        raise Invalid("ends_on", f"The term ends on {ends_on}, before it starts on {starts_on}.", "term-reversed")


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """Raises Invalid where something ends before it begins, or lies in another age."""
    for field, moment in (("starts_at", starts_at), ("ends_at", ends_at)):
        if not EARLIEST.year <= moment.year <= LATEST.year:
            raise Invalid(field, f"An activity lies between the years {EARLIEST.year} and {LATEST.year}.", "term-far")
    if ends_at <= starts_at:
        raise Invalid("ends_at", "An activity ends after it begins.", "term-reversed")


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


def standing(step: str, status: str) -> str:
    """Where an incubation stands in its life cycle: at its step, or where it ended."""
    return step if status == "open" else status


def check_scores(step: str, scores: Mapping[str, int]) -> None:
    """Raises Invalid for a criterion that this step does not have."""
    _, criteria = GATES[step]
    for criterion in scores:
        if criterion not in criteria:
            detail = f"The step {step!r} is scored by {', '.join(criteria)}; it has no criterion {criterion!r}."
            raise Invalid(f"scores.{criterion}", detail, "criterion-unknown")


def gate_score(step: str, scores: Mapping[str, int]) -> float:
    """The mean over a step's criteria, one decimal. Raises Conflict where one has no score yet: then no gate is opened."""
    _, criteria = GATES[step]
    missing = [criterion for criterion in criteria if criterion not in scores]
    if missing:
        detail = f"No gate is opened before every criterion is scored; missing: {', '.join(missing)}."
        raise Conflict("scores-missing", detail, "scores")
    return round(sum(scores[criterion] for criterion in criteria) / len(criteria), 1)


def check_belonging(organization: str, parent: str, above: Collection[str]) -> None:
    """Raises Conflict where a parent would stand under its own member; `above` are all organizations the parent belongs to."""
    if organization == parent or organization in above:
        raise Conflict("parents-circular", "An organization cannot belong to itself, nor to one of its own members.", "parent")


def open_at(hours: str, moment: datetime) -> bool:
    """Whether these opening hours (OpenStreetMap syntax) are open at a moment of the community's own time."""
    return bool(opening_hours.OpeningHours(hours).is_open(moment))


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


def check_base(compound: str | None, compounds: Sequence[str]) -> None:
    """Raises Invalid where an organization would work from a compound that its community does not have."""
    if compound is not None and compound not in compounds:
        raise Invalid("based_in", f"This community has no compound {compound!r}.", "compound-unknown")


def shown_stars(stars: float | None, ratings: int | None) -> tuple[float | None, int]:
    """Stars and ratings as the public sees them: no stars below five ratings."""
    count = ratings or 0
    return (stars if count >= FEWEST_RATINGS else None), count


def is_of_station(caller: Caller, community: str) -> bool:
    """Whether the caller is staff of this community's station, or an operator."""
    return caller.role == "operator" or (caller.role == "station" and caller.community == community)


def may_see_organization(caller: Caller, community: str, organization: str, status: str) -> bool:
    """An organization that applied, was rejected or withdrew is seen by its station and by itself."""
    return status in PUBLIC or sees_inside(caller, community, organization)


def sees_inside(caller: Caller, community: str, organization: str) -> bool:
    """Whether the caller may see what of an organization is not public."""
    return is_of_station(caller, community) or (caller.role == "organization" and caller.organization == organization)
