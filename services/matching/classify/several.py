"""Several needs in one message, told apart: each clause is read for itself."""

from __future__ import annotations

import re

from services.matching.classify.model import Choice, Model, Reading
from services.matching.classify.words import BREAK

LINKS = (
    "另外",
    "还有",
    "顺便",
    "顺带",
    "再就是",
    "再给",
    "再有",
    "也想",
    "还想",
    "还要",
    "此外",
    r"\b(?:also|besides|another thing)\b",
)
LINK = re.compile("|".join(LINKS), re.IGNORECASE)
SHORTEST = 4
FIRST = 2
POSSIBLE, SURE = 0.05, 0.85
"""A need is one of the first choices for the whole text, so probable there, and so sure in a clause of its own (chosen on the
sample's first 200 requests: 6 of 12 with two needs are told apart, 10 of 188 are taken apart without cause)."""


def needs_in(model: Model, text: str, whole: Reading) -> tuple[Choice, ...]:
    """The different items that parts of a text ask for, surest first; nothing where it is all about one. `whole` is what the
    text as a whole was read as."""
    possible = {choice[:2] for choice in whole.ranked[:FIRST] if choice.p >= POSSIBLE}
    clauses = [clause for part in BREAK.split(text) for clause in LINK.split(part) if len(clause.strip()) >= SHORTEST]
    if len(possible) < 2 or len(clauses) < 2:
        return ()
    found: dict[tuple[str, str | None], Choice] = {}
    for reading in model.read(clauses):
        best = reading.best
        if best and best.p >= SURE and best[:2] in possible:
            known = found.get(best[:2])
            if known is None or best.p > known.p:
                found[best[:2]] = best
    return tuple(sorted(found.values(), key=lambda choice: -choice.p)) if len(found) > 1 else ()
