"""Near-duplicates: texts that say the same, by the cosine of the words' pieces and senses that the reading goes by."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.matching.classify.words import features

ALIKE = 0.5
"""From this cosine on two texts are offered as near-duplicates."""
COMPARED, SHOWN = 2000, 20


def alike(text: str, others: Sequence[str]) -> list[tuple[int, float]]:
    """The places of those texts that are like `text`, with their cosine (ALIKE to 1), most alike first, at most SHOWN."""
    own = features(text)
    found = [(place, round(_cosine(own, features(other)), 4)) for place, other in enumerate(others)]
    return sorted(((place, cosine) for place, cosine in found if cosine >= ALIKE), key=lambda one: (-one[1], one[0]))[:SHOWN]


class Compared:
    """Texts that are compared with one another: each is taken apart once, and meets those that have a piece in common."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._units = [_unit(features(text)) for text in texts]
        self._having: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, unit in enumerate(self._units):
            for name, amount in unit.items():
                self._having[name].append((place, amount))

    def like(self, place: int) -> list[tuple[int, float]]:
        """As `alike`: the places of the other texts that are like the one at `place`, most alike first, however many."""
        cosines: dict[int, float] = defaultdict(float)
        for name, amount in self._units[place].items():
            for other, others_amount in self._having[name]:
                cosines[other] += amount * others_amount
        found = [(other, round(min(1.0, cosine), 4)) for other, cosine in cosines.items() if other != place]
        return sorted(((other, cosine) for other, cosine in found if cosine >= ALIKE), key=lambda one: (-one[1], one[0]))


def _unit(counted: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(amount * amount for amount in counted.values()))
    return {name: amount / length for name, amount in counted.items()} if length else {}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    product = sum(amount * other.get(name, 0.0) for name, amount in one.items())
    lengths = sum(n * n for n in one.values()) * sum(n * n for n in other.values())
    return min(1.0, product / math.sqrt(lengths)) if lengths else 0.0
