"""Unmatched needs gathered into suggestions of projects of one of ten types: those for one item together, and a few
for another that say much the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.matching.duplicates import Compared
from services.matching.views import BilingualText, Suggestion
from shared.events.matching import ProjectKind

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
"""So many requests for an item may belong to those for another, where most of them say the same."""


def kind_of(category: str | None) -> ProjectKind:
    """The type of project that gathers the needs of a category."""
    return next((kind for kind, (_, categories) in KINDS.items() if category in categories), OTHERWISE)


USUAL_DAYS = 60
"""A suggested project's deadline is so many days from today."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An unmatched request, how many residents asked for it, and in which words."""

    request: str
    item: str
    category: str
    supporters: int
    text: str


def suggest(
    community: str, unmatched: Sequence[Unmatched], names: Mapping[str, tuple[str, str]], today: date
) -> list[Suggestion]:
    """Suggestions of projects for these requests, those that would reach the most residents first: requests for one item,
    and with them few for another item whose words say much the same. `names` are the items' (zh, en)."""
    found = []
    for some in _groups(unmatched):
        if len(some) < FEWEST:
            continue
        items = [item for item, _ in Counter(one.item for one in some).most_common()]
        zh = "、".join(names.get(item, (item, item))[0] for item in items)
        en = "; ".join(names.get(item, (item, item))[1] for item in items)
        count = sum(one.supporters for one in some)
        category = next(one.category for one in some if one.item == items[0])
        found.append(
            Suggestion(
                community=community,
                kind=kind_of(category),
                title_zh=f"{zh}项目",
                title_en=f"{en}: a project",
                scope_zh=f"为提出“{zh}”需求的{count}位居民提供服务。",
                scope_en=f"For the {count} residents who asked for {en.lower()}.",
                category=category,
                items=items,
                requests=sorted(one.request for one in some),
                beneficiaries=count,
                deadline=today + timedelta(days=USUAL_DAYS),
            )
        )
    return sorted(found, key=lambda one: (-one.beneficiaries, one.title_zh, one.items))


def _groups(unmatched: Sequence[Unmatched]) -> list[list[Unmatched]]:
    """Requests that belong together: those for one item, and with them a few for another most of which say the same. A group
    that is not larger than a FEW goes to the one where most of its texts have their likest, which is as large at least."""
    home = [one.item for one in unmatched]
    groups: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(home):
        groups[item].append(place)
    few = sorted((item for item, some in groups.items() if len(some) <= FEW), key=lambda item: (len(groups[item]), item))
    compared = Compared([one.text for one in unmatched] if few and len(groups) > 1 else [])
    for item in few if len(groups) > 1 else ():
        some = groups[item]
        if len(some) > FEW:
            continue
        likest = (next((home[other] for other, _ in compared.like(place) if home[other] != item), None) for place in some)
        ((towards, times),) = Counter(likest).most_common(1)
        if towards is not None and 2 * times > len(some) <= len(groups[towards]):
            groups[towards] += groups.pop(item)
            for place in some:
                home[place] = towards
    return [[unmatched[place] for place in some] for some in groups.values()]
