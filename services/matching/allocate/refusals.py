"""What is asked of an allocation that cannot be done, and how it is said."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

EXCLUDING = "two needs that may not both go to one organization"
TOGETHER = "needs that have to go to one organization"
SIZES = "needs of unequal size"
LEAST = "a least number of needs for an organization"
INEXPRESSIBLE = {
    **dict.fromkeys(("conflict", "conflicts", "conflicting", "exclusive", "exclusion", "exclusions"), EXCLUDING),
    **dict.fromkeys(("incompatible", "incompatibility", "incompatibilities", "disjoint", "apart", "mutex"), EXCLUDING),
    **dict.fromkeys(("together", "groups", "bundle", "bundles"), TOGETHER),
    **dict.fromkeys(("size", "sizes", "demand", "demands", "load", "loads", "weight", "weights"), SIZES),
    **dict.fromkeys(("volume", "volumes", "quantity", "quantities", "amount", "amounts", "units"), SIZES),
    **dict.fromkeys(("minimum", "minimal", "min", "least", "lower"), LEAST),
}
"""Words of the names of what people might add to an instance that no flow of one unit per need expresses."""
PHRASES = {"forbidden_together": EXCLUDING, "not_together": EXCLUDING}
"""Names that say something else than their words."""
COUNTED = frozenset(
    f"{word}{end}" for word in ("need", "project", "organization", "capacity", "number", "count") for end in ("", "s")
) | {"of", "per", "each", "capacities"}
"""What else the name of a size or a least number speaks of."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


class Unsolvable(ValueError):
    """The instance contradicts itself, or asks for what cannot be expressed; the message says where, and what."""


def refuse_unknown(given: Iterable[str], known: Sequence[str], where: str) -> None:
    """Refuse what no flow expresses, and what is probably a slip of the pen. (Other words are left to whoever wrote them.)"""
    for name in map(str, given):
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, 1, 0.75)
        if close and name not in INEXPRESSIBLE:
            raise Unsolvable(f'{where}: there is no "{name}"; probably "{close[0]}" is meant')
        asked = _inexpressible(name)
        if asked is not None:
            raise Unsolvable(
                f'{where}: "{name}" cannot be honoured: {asked} cannot be expressed as a flow. Every need is '
                "one unit, and what rules out a pair rules out one need with one organization (options.forbidden)"
            )


def _inexpressible(name: str) -> str | None:
    words = [word.lower() for word in WORD.findall(name)]
    known = PHRASES.get("_".join(words))
    found = known or next((INEXPRESSIBLE[word] for word in words if word in INEXPRESSIBLE), None)
    if found in (SIZES, LEAST) and not all(word in INEXPRESSIBLE or word in COUNTED for word in words):
        return None  # of something else: the weights of a score, a least score
    return found
