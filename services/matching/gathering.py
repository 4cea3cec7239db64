"""Unmatched needs gathered into suggestions of projects: those for one item together, as a project of one of ten types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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


def kind_of(category: str | None) -> ProjectKind:
    """The type of project that gathers the needs of a category."""
    return next((kind for kind, (_, categories) in KINDS.items() if category in categories), OTHERWISE)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An unmatched request, and how many residents asked for it."""

    request: str
    item: str
    category: str
    supporters: int


def suggest(unmatched: Iterable[Unmatched], names: Mapping[str, tuple[str, str]]) -> list[Suggestion]:
    """Suggestions of projects for these requests, those that would reach the most residents first. `names` are the items'
    (zh, en)."""
    by_item: dict[tuple[str, str], list[Unmatched]] = defaultdict(list)
    for one in unmatched:
        by_item[one.category, one.item].append(one)
    found = []
    for (category, item), some in by_item.items():
        if len(some) < FEWEST:
            continue
        zh, en = names.get(item, (item, item))
        count = sum(one.supporters for one in some)
        found.append(
            Suggestion(
                kind=kind_of(category),
                title_zh=f"{zh}项目",
                title_en=f"{en}: a project",
                scope_zh=f"为提出“{zh}”需求的{count}位居民提供服务。",
                scope_en=f"For the {count} residents who asked for {en.lower()}.",
                category=category,
                items=[item],
                requests=sorted(one.request for one in some),
                beneficiaries=count,
            )
        )
    return sorted(found, key=lambda one: (-one.beneficiaries, one.title_zh, one.items))
