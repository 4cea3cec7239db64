"""The published score: a weighted sum of parts, each 0 to 1."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping

from services.matching.rank.conditions import can_serve
from services.matching.rank.values import Need, Opening, Place
from services.matching.rank.words import reasons_of
from shared.events.matching import Candidate

WEIGHTS: Mapping[str, float] = {
    "fit": 0.1,
    "satisfaction": 0.4,
    "distance": 0.1,
    "fee": 0.1,
    "load": 0.1,
    "awards": 0.03,
    "price": 0.02,
    "turn": 0.15,
}
"""Where a community's station has set no others. They add up to 1."""
FEES = {"free": 1.0, "low": 0.7, "paid": 0.4}
SATISFACTION_PRIOR = 0.7
"""What an organization that too few have rated counts as in the claim meeting."""
UNRATED = 0.65
"""The same in a ranking, which goes by the cautious half of an interval."""
TURN_CAPACITY = 10
NEAR = 1000.0
"""At so many meters a way counts half."""
UNKNOWN_WAY = 0.5
MOST_CANDIDATES = 20
SHORTLIST = 60
"""Of so many offers that meet the conditions, those of the best standing, the score decides."""
STANDING = {"satisfaction": 0.75, "fee": 0.25}
EARTH = 6_371_008.8
"""Mean radius in meters (IUGG)."""


def rank(
    need: Need, openings: Iterable[Opening], tried: Collection[str] = (), taken: Mapping[str, int] | None = None
) -> list[Candidate]:
    """The organizations that can serve a need, each with its best offer, best first. Equal scores go by the
    organization's name, then the offer's title. `taken`: for how many requests each offer (id) was asked already in the set
    being ranked."""
    weights = need.weights or WEIGHTS
    asked = taken or {}
    scored = []
    for opening in openings:
        if can_serve(opening, need, tried, asked.get(opening.offer, 0)):
            parts = parts_of(need, opening)
            score = round(sum(weights[name] * value for name, value in parts.items()), 6)
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
            if len(best) == MOST_CANDIDATES:
                break
    return list(best.values())


def parts_of(need: Need, opening: Opening) -> dict[str, float]:
    """What an offer's score is made of, each part 0 to 1."""
    return {name: round(part(need, opening), 6) for name, part in _PARTS.items()}


def standing(satisfaction: float | None, low: float | None, fee_mode: str) -> float:
    """By what the offers that are looked at are chosen where very many meet the conditions: satisfaction and fee (0 to 1)."""
    return round(STANDING["satisfaction"] * cautious(satisfaction, low) + STANDING["fee"] * FEES[fee_mode], 6)


def cautious(satisfaction: float | None, low: float | None) -> float:
    """A satisfaction in the light of how sure it is: halfway between its mean and the lower end of its interval."""
    return UNRATED if satisfaction is None else (satisfaction + (satisfaction if low is None else low)) / 2


def distance_between(one: Place, other: Place) -> float:
    """Meters from place to place on the sphere (the haversine formula: Sinnott, Sky and Telescope 68(2), 1984)."""
    north, south = math.radians(one[0]), math.radians(other[0])
    up, along = math.sin((north - south) / 2), math.sin(math.radians(one[1] - other[1]) / 2)
    return 2 * EARTH * math.asin(math.sqrt(up * up + math.cos(north) * math.cos(south) * along * along))


def turn(text: str, name_zh: str, title_zh: str, weekly_capacity: int) -> float:
    """Whose turn it is, 0 to 1: u^(10 / weekly capacity), u a hash of the natural keys spread evenly over 0 to 1.

    By this part alone, of several offers each comes first in proportion to its weekly capacity, and one that drops out
    leaves the order of the others as it was (weighted rendezvous hashing: Thaler & Ravishankar 1998; the weighting is
    Efraimidis & Spirakis' A-Res key, Information Processing Letters 97(5), 2006).
    """
    digest = hashlib.sha256("\x1f".join((text, name_zh, title_zh)).encode()).digest()
    u = (int.from_bytes(digest[:6], "big") + 0.5) / 2**48
    return round(float(u ** (TURN_CAPACITY / max(1, weekly_capacity))), 6)


_PARTS: Mapping[str, Callable[[Need, Opening], float]] = {
    "fit": lambda need, opening: need.confidence,
    "satisfaction": lambda need, opening: cautious(opening.satisfaction, opening.low),
    "distance": lambda need, opening: UNKNOWN_WAY if opening.meters is None else 1 / (1 + opening.meters / NEAR),
    "fee": lambda need, opening: FEES[opening.fee_mode],
    "load": lambda need, opening: max(0.0, 1 - opening.used_before / max(1, opening.weekly_capacity)),
    "awards": lambda need, opening: 1 / (1 + opening.awards),
    "price": lambda need, opening: 1 - min(1.0, max(0.0, opening.price_of_capacity)),
    "turn": lambda need, opening: turn(need.text, opening.name_zh, opening.title_zh, opening.weekly_capacity),
}


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
