"""Who could serve a request, best first: published weights, and nothing that differs from one run to the next.

Everything is decided by natural keys (names, titles, texts), never by ids, time or the order in which facts arrived:
the same season in another community, with other ids and on two replicas, gives the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from shared.events.matching import Candidate, Reason

WEIGHTS = {"fit": 0.2, "satisfaction": 0.45, "fee": 0.15, "turn": 0.2}
FEES = {"free": 1.0, "low": 0.7, "paid": 0.4}
SATISFACTION_PRIOR = 0.7
TURN_CAPACITY = 10
MOST_CANDIDATES = 20
SURE = 0.3
"""The confidence from which on a fit is called exact."""

UNITS = {
    "visit": ("次", "visit"),
    "hour": ("小时", "hour"),
    "person": ("人", "person"),
    "session": ("场", "session"),
    "month": ("月", "month"),
    "item": ("件", "item"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """What is looked for: the item with its names and the confidence (0 to 1) of the reading, where, in which words."""

    item: str
    item_zh: str
    item_en: str
    confidence: float
    compound: str
    text: str
    today: date


@dataclass(frozen=True, slots=True)
class Opening:
    """A published offer of a registered organization under an agreement (`covers`: its items, from `starts_on` to
    `ends_on`). `satisfaction` (0 to 1) and `stars` are None below five ratings."""

    organization: str
    name_zh: str
    name_en: str
    offer: str
    title_zh: str
    title_en: str
    item: str
    fee_mode: str
    price: str | None
    unit: str
    area: Collection[str] | None
    weekly_capacity: int
    covers: Collection[str]
    starts_on: date
    ends_on: date
    satisfaction: float | None
    stars: float | None
    ratings: int


def can_serve(opening: Opening, need: Need, tried: Collection[str]) -> bool:
    """The hard conditions: the item, the area, an agreement in force for the item today, and an organization that has
    not had the request before (`tried`)."""
    return (
        opening.item == need.item
        and (opening.area is None or need.compound in opening.area)
        and need.item in opening.covers
        and opening.starts_on <= need.today <= opening.ends_on
        and opening.organization not in tried
    )


def rank(need: Need, openings: Iterable[Opening], tried: Collection[str] = ()) -> list[Candidate]:
    """The organizations that can serve a need, each with its best offer, best first. Equal scores go by the
    organization's name, then the offer's title."""
    scored = []
    for opening in openings:
        if can_serve(opening, need, tried):
            parts = parts_of(need, opening)
            score = round(sum(WEIGHTS[name] * value for name, value in parts.items()), 6)
            scored.append((score, parts, opening))
    scored.sort(key=lambda entry: (-entry[0], *_natural_key(entry[2])))
    best: dict[str, Candidate] = {}
    for score, parts, opening in scored:
        if opening.organization not in best:
            best[opening.organization] = Candidate(
                organization=opening.organization,
                offer=opening.offer,
                score=score,
                parts=parts,
                reasons=reasons_of(need, opening, parts),
            )
    return list(best.values())[:MOST_CANDIDATES]


def parts_of(need: Need, opening: Opening) -> dict[str, float]:
    """What an offer's score is made of, each part 0 to 1."""
    return {
        "fit": round(need.confidence, 6),
        "satisfaction": round(SATISFACTION_PRIOR if opening.satisfaction is None else opening.satisfaction, 6),
        "fee": FEES[opening.fee_mode],
        "turn": turn(need.text, opening.name_zh, opening.title_zh, opening.weekly_capacity),
    }


def turn(text: str, name_zh: str, title_zh: str, weekly_capacity: int) -> float:
    """Whose turn it is, 0 to 1: u^(10 / weekly capacity), u a hash of the natural keys spread evenly over 0 to 1.

    By this part alone, of several offers each comes first in proportion to its weekly capacity, and one that drops out
    leaves the order of the others as it was (weighted rendezvous hashing: Thaler & Ravishankar 1998; the weighting is
    Efraimidis & Spirakis' A-Res key, Information Processing Letters 97(5), 2006).
    """
    digest = hashlib.sha256("\x1f".join((text, name_zh, title_zh)).encode()).digest()
    u = (int.from_bytes(digest[:6], "big") + 0.5) / 2**48
    return round(float(u ** (TURN_CAPACITY / max(1, weekly_capacity))), 6)


def reasons_of(need: Need, opening: Opening, parts: dict[str, float]) -> tuple[Reason, ...]:
    """The parts in words a resident can use."""
    fit = (
        Reason(zh=f"服务项目正好对口：{need.item_zh}", en=f"offers exactly this: {need.item_en}")
        if need.confidence >= SURE
        else Reason(zh=f"看起来对口：{need.item_zh}", en=f"seems to offer this: {need.item_en}")
    )
    area = (
        Reason(zh="服务整个社区", en="serves the whole community")
        if opening.area is None
        else Reason(zh="覆盖您所在的小区", en="serves your compound")
    )
    return (fit, area, _fee_reason(opening), _satisfaction_reason(opening), _turn_reason(parts["turn"]))


def _fee_reason(opening: Opening) -> Reason:
    if opening.fee_mode == "free":
        return Reason(zh="免费", en="free of charge")
    zh, en = ("低偿", "a low fee") if opening.fee_mode == "low" else ("有偿", "for a fee")
    if opening.price is None:
        return Reason(zh=zh, en=en)
    unit_zh, unit_en = UNITS.get(opening.unit, (opening.unit, opening.unit))
    return Reason(zh=f"{zh}，每{unit_zh}{opening.price}元", en=f"{en}: {opening.price} yuan per {unit_en}")


def _satisfaction_reason(opening: Opening) -> Reason:
    if opening.stars is None:
        return Reason(
            zh="评价的居民还不多，先按一般水平算",
            en="not rated by enough residents yet, so counted as average",
        )
    return Reason(
        zh=f"居民评价{opening.stars:.1f}星（{opening.ratings}人）",
        en=f"rated {opening.stars:.1f} stars by {opening.ratings} residents",
    )


def _turn_reason(value: float) -> Reason:
    if value >= 0.5:
        return Reason(zh="按轮流次序，这次排在前面", en="work goes round, and this time its turn comes early")
    return Reason(zh="按轮流次序，这次排在后面", en="work goes round, and this time its turn comes later")


def _natural_key(opening: Opening) -> tuple[str, ...]:
    return (
        opening.name_zh,
        opening.title_zh,
        opening.name_en,
        opening.title_en,
        opening.fee_mode,
        opening.price or "",
        opening.unit,
    )
