"""Near-duplicates: texts that say the same, by the cosine of the words' pieces and senses that the reading goes by."""

from __future__ import annotations

import math
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


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    product = sum(amount * other.get(name, 0.0) for name, amount in one.items())
    lengths = sum(n * n for n in one.values()) * sum(n * n for n in other.values())
    return min(1.0, product / math.sqrt(lengths)) if lengths else 0.0
