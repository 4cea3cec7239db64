"""Near-duplicates: texts that say the same, by the cosine of the words' pieces and senses that the reading goes by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from services.matching.classify.words import features

ALIKE = 0.5
"""From this cosine on two texts are offered to the station as near-duplicates."""
ALIKE_IN_COMPOUND = 0.12
"""The same for a resident, to whom none are offered but open requests for the same item in the same compound."""
COMPARED, SHOWN = 2000, 20
CELLS = 4_000_000
"""Of many texts, so many pairs at once are compared."""


def alike(text: str, others: Sequence[str]) -> list[tuple[int, float]]:
    """The places of those texts that are like `text`, with their cosine (ALIKE to 1), most alike first, at most SHOWN."""
    own = features(text)
    found = [(place, round(_cosine(own, features(other)), 4)) for place, other in enumerate(others)]
    return sorted(((place, cosine) for place, cosine in found if cosine >= ALIKE), key=lambda one: (-one[1], one[0]))[:SHOWN]


class Compared:
    """Texts that are compared with one another: each is taken apart once, and all meet all, a portion at a time."""

    def __init__(self, texts: Sequence[str]) -> None:
        import numpy
        from scipy.sparse import csr_matrix

        units = [_unit(features(text)) for text in texts]
        place = {name: at for at, name in enumerate(dict.fromkeys(name for unit in units for name in unit))}
        ends = numpy.cumsum([0, *map(len, units)])
        columns = numpy.array([place[name] for unit in units for name in unit], dtype=int)
        values = numpy.array([amount for unit in units for amount in unit.values()], dtype=float)
        self._units: Any = csr_matrix((values, columns, ends), shape=(len(units), max(len(place), 1)))

    def nearest(self, group_of: Sequence[int], groups: int) -> Any:
        """For each text its largest cosine with another text of each group (an array, 0 to 1): `group_of` says of which group
        each is, of so many `groups`."""
        import numpy

        count = len(group_of)
        found = numpy.zeros((count, groups))
        order = numpy.argsort(group_of, kind="stable")
        sorted_groups = numpy.asarray(group_of)[order]
        begins = numpy.flatnonzero(numpy.diff(sorted_groups, prepend=-1))
        others = self._units[order].T.tocsc()
        portion = max(1, CELLS // max(count, 1))
        for start in range(0, count, portion):
            places = numpy.arange(start, min(start + portion, count))
            cosines = (self._units[places] @ others).toarray()
            cosines[order[None, :] == places[:, None]] = 0
            found[numpy.ix_(places, sorted_groups[begins])] = numpy.maximum.reduceat(cosines, begins, axis=1)
        return numpy.minimum(found.round(4), 1)


def _unit(counted: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(amount * amount for amount in counted.values()))
    return {name: amount / length for name, amount in counted.items()} if length else {}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    product = sum(amount * other.get(name, 0.0) for name, amount in one.items())
    lengths = sum(n * n for n in one.values()) * sum(n * n for n in other.values())
    return min(1.0, product / math.sqrt(lengths)) if lengths else 0.0
