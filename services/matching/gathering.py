"""Unmatched needs gathered into suggestions of projects of one of ten types: those for one item together, and those for
another that say the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.matching.duplicates import ALIKE, Compared
from services.matching.views import BilingualText, Suggestion
from shared.events.words import ProjectKind

KINDS: Mapping[ProjectKind, tuple[BilingualText, tuple[str, ...]]] = {
    "elderly-care": (BilingualText(zh="养老", en="care for older people"), ("elderly",)),
    "childcare": (BilingualText(zh="托幼", en="childcare and learning"), ("education",)),
    "housekeeping": (BilingualText(zh="家政", en="housekeeping and repairs"), ("housing",)),
    "medical": (BilingualText(zh="医疗", en="health"), ("medical",)),
    "culture": (BilingualText(zh="文化", en="culture"), ("leisure",)),
    "legal-aid": (BilingualText(zh="法律援助", en="legal aid"), ("rights",)),
    "employment": (BilingualText(zh="就业帮扶", en="help with work"), ("employment",)),
    "assistance": (BilingualText(zh="助残帮困", en="help in hardship and disability"), ("disability", "emergency")),
    "safety": (BilingualText(zh="平安守护", en="safety"), ("safety",)),
    "neighbourhood": (BilingualText(zh="邻里共建", en="the neighbourhood"), ("mobility", "environment")),
}
"""The ten types of project: their names, and the categories whose needs they gather. The article names the first six."""
OTHERWISE: ProjectKind = "neighbourhood"
FEWEST = 2
"""From so many unmatched requests for an item on a project is suggested."""
FEW = 5
"""So many requests for an item are taken for those for another, where most of them have their likest there."""
NEARLY = 0.75
"""More of them, where most are like one of the others at this share of how like they are to one another."""


def kind_of(category: str | None) -> ProjectKind:
    """The type of project that gathers the needs of a category."""
    return next((kind for kind, (_, categories) in KINDS.items() if category in categories), OTHERWISE)


USUAL_DAYS = 60
"""A suggested project's deadline is so many days from today."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An unmatched request, which residents asked for it, and in which words."""

    request: str
    item: str
    category: str
    residents: frozenset[str]
    text: str


def suggest(
    community: str,
    unmatched: Sequence[Unmatched],
    names: Mapping[str, tuple[str, str]],
    today: date,
    proposed: Mapping[str, str] | None = None,
) -> list[Suggestion]:
    """Suggestions of projects for these requests, those that would reach the most residents first: requests for one item,
    and with them those for another item whose words say the same. `names` are the items' (zh, en), `proposed`
    the projects (id) that are proposed for an item already: what comes later may join them, were it but one."""
    found = []
    for some in _groups(unmatched):
        items = [item for item, _ in Counter(one.item for one in some).most_common()]
        joins = next((proposed[item] for item in items if item in proposed), None) if proposed else None
        if len(some) < FEWEST and joins is None:
            continue
        zh = "、".join(names.get(item, (item, item))[0] for item in items)
        en = "; ".join(names.get(item, (item, item))[1] for item in items)
        count = len(frozenset[str]().union(*(one.residents for one in some)))
        category = next(one.category for one in some if one.item == items[0])
        found.append(
            Suggestion(
                community=community,
                kind=kind_of(category),
                title_zh=f"{zh}项目",
                title_en=f"{en}: a project",
                # Without their number: it changes as requests come and go, and stands beside it.
                scope_zh=f"为提出“{zh}”需求的居民提供服务。",
                scope_en=f"For the residents who asked for {en.lower()}.",
                category=category,
                items=items,
                requests=sorted(one.request for one in some),
                beneficiaries=count,
                deadline=today + timedelta(days=USUAL_DAYS),
                joins=joins,
            )
        )
    return sorted(found, key=lambda one: (-one.beneficiaries, one.title_zh, one.items))


def _groups(unmatched: Sequence[Unmatched]) -> list[list[Unmatched]]:
    """Requests that belong together: those for one item, and with them those for another most of which say the same. The
    smallest group comes first, and joins the one where most of its texts have their likest, which is as large at least. In
    a group larger than a FEW, whose item is no slip, those texts have to be nearly as like it as one another."""
    import numpy

    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(unmatched):
        groups[one.item].append(place)
    if len(groups) < 2:
        return [list(unmatched)] if unmatched else []
    number = {item: at for at, item in enumerate(groups)}
    cosines = Compared([one.text for one in unmatched]).nearest([number[one.item] for one in unmatched], len(groups))
    for item in sorted(groups, key=lambda item: (len(groups[item]), item)):
        places, own = groups[item], number[item]
        others = cosines[places].copy()
        others[:, own] = 0
        likest = others.argmax(axis=1)
        like = others[numpy.arange(len(places)), likest]
        enough = like >= ALIKE
        if len(places) > FEW:
            enough &= like >= NEARLY * cosines[places, own]
        ((towards, times),) = Counter(likest[enough].tolist()).most_common(1) or [(own, 0)]
        target = next(other for other, at in number.items() if at == towards)
        if 2 * times > len(places) and target in groups and len(places) <= len(groups[target]):
            groups[target] += groups.pop(item)
            cosines[:, towards] = numpy.maximum(cosines[:, towards], cosines[:, own])
            cosines[:, own] = 0
    return [[unmatched[place] for place in some] for some in groups.values()]
