"""The hard conditions: who may be asked at all. Whoever fails one is asked under no score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from services.matching.rank.values import Need, Opening
from shared.events.matching import Reason

Condition = Callable[[Need, Opening, int], bool]
"""Whether an offer meets it; the last is how many requests it was asked for already in the set being ranked."""

ASK_TWICE = "tried"
"""The condition that no organization has a request twice."""

_MET: Mapping[str, Condition] = {
    "item": lambda need, opening, taken: opening.item == need.item,
    "standing": lambda need, opening, taken: opening.serves,
    "agreement": lambda need, opening, taken: opening.agreed,
    "area": lambda need, opening, taken: opening.area is None or need.compound in opening.area,
    "hours": lambda need, opening, taken: opening.is_open,
    "language": lambda need, opening, taken: need.speaks is None or need.speaks in opening.languages,
    "fee": lambda need, opening, taken: _affordable(need.fee_limit, opening.price),
    "conflict": lambda need, opening, taken: not opening.barred,
    "capacity": lambda need, opening, taken: opening.used + taken < opening.weekly_capacity,
}

CONDITIONS: Mapping[str, Reason] = {
    "item": Reason(zh="服务在菜单上，项目相同。", en="The offer is on the menu and of the same item."),
    "standing": Reason(
        zh="组织已登记或正在孵化，没有被暂停。", en="The organization is registered or in incubation, and not suspended."
    ),
    "agreement": Reason(
        zh="该项目的服务协议当天有效。", en="A service agreement for the item is in force on that day (China time)."
    ),
    "area": Reason(zh="服务范围包括需求所在的小区。", en="The offer's area covers the request's compound."),
    "hours": Reason(
        zh="居民说了时间的，那个时间在服务时间内。", en="Where the resident named a time, the offer's hours include it."
    ),
    "language": Reason(
        zh="居民要求用某种语言的，能用那种语言服务。",
        en="Where the resident asked for a language, the offer is served in it.",
    ),
    "fee": Reason(zh="收费不超过居民说的上限。", en="The price is within the limit that the resident set."),
    "conflict": Reason(
        zh="服务站没有记录该组织与这个小区、项目或这项需求有利害冲突。",
        en="The station has recorded no conflict of the organization with this compound, item or request.",
    ),
    "capacity": Reason(
        zh="最近七天转给这项服务的需求，还没有达到它每周的接待量。",
        en="The offer was asked for fewer requests in the last seven days than its weekly capacity.",
    ),
    ASK_TWICE: Reason(
        zh="该组织此前没有接过或谢绝过这项需求。", en="The organization has not had or declined this request before."
    ),
}
"""Each condition as it is published, in the order in which they are looked at."""

FAILED: Mapping[str, Reason] = {
    "item": Reason(zh="菜单上还没有组织提供这个服务项目", en="nobody on the menu offers this item yet"),
    "standing": Reason(zh="{count}个组织目前被暂停或没有登记", en="suspended or not registered at present: {count}"),
    "agreement": Reason(zh="{count}个组织没有生效的服务协议", en="without an agreement in force for it: {count}"),
    "area": Reason(zh="{count}个组织的服务范围不含您的小区", en="not serving your compound: {count}"),
    "hours": Reason(zh="{count}个组织在您说的时间不服务", en="not open at the time you named: {count}"),
    "language": Reason(zh="{count}个组织不能用您要的语言服务", en="not serving in the language you asked for: {count}"),
    "fee": Reason(zh="{count}个组织的收费超过您说的上限", en="costing more than the limit you set: {count}"),
    "conflict": Reason(zh="{count}个组织因利害冲突需要回避", en="standing back because of a recorded conflict: {count}"),
    "capacity": Reason(zh="{count}个组织本周已经排满", en="without a place left this week: {count}"),
    ASK_TWICE: Reason(zh="{count}个组织已经问过了", en="asked already: {count}"),
}
"""Why a need finds nobody; `{count}` organizations at least failed by this condition and no earlier one."""


def failing(opening: Opening, need: Need, tried: Collection[str] = (), taken: int = 0) -> str | None:
    """The first condition that an offer does not meet for a need, None where it meets all. `tried` are the organizations that
    have had the request before."""
    for name, is_met in _MET.items():
        if not is_met(need, opening, taken):
            return name
    return ASK_TWICE if opening.organization in tried else None


def can_serve(opening: Opening, need: Need, tried: Collection[str] = (), taken: int = 0) -> bool:
    """Whether an offer meets all hard conditions."""
    return failing(opening, need, tried, taken) is None


def _affordable(limit: Decimal | None, price: str | None) -> bool:
    return limit is None or price is None or Decimal(price) <= limit
