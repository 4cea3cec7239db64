"""Several needs in one message, told apart: read what stands before a turn in it, and what stands after."""

from __future__ import annotations

import re

from services.matching.classify.model import Choice, Model, Reading

LINKS = (
    *("另外", "还有", "顺便", "顺带", "再就是", "再给", "再帮", "再有", "也想", "还想", "还要", "还得", "此外", "同时"),
    *("二则", "二是", "二来", "第二", "其次", r"\b(?:also|besides|another thing|secondly|and then)\b", r", and\b"),
)
TURN = re.compile("[\\n.!?;…" + "。！？；]+|" + "|".join(f"(?={link})" for link in LINKS), re.IGNORECASE)
SHORTEST = 4
MOST_TURNS = 2
CERTAIN = 0.95
"""A text that is read as one item so surely is about that one."""
FIRST = 3
POSSIBLE, SURE = 0.01, 0.65
"""A need is one of the first choices for the whole text, so probable there, and so sure on its side of the turn (chosen on the
sample's first 200 requests: 6 of 12 with two needs are told apart, with the right items, and 1 of 188 is without cause; on the
last 200, on which nothing was chosen, 1 of 9 and none)."""


def needs_in(model: Model, text: str, whole: Reading) -> tuple[Choice, ...]:
    """The two items that a text asks for before and after one of its turns, surest first; nothing where it is all about one.
    `whole` is what the text as a whole was read as. Reads two texts for each turn, MOST_TURNS at most."""
    if whole.best is None or whole.best.p > CERTAIN:
        return ()
    possible = {choice[:2] for choice in whole.ranked[:FIRST] if choice.p >= POSSIBLE}
    parts = [part for part in TURN.split(text) if len(part.strip()) >= SHORTEST]
    if len(possible) < 2 or len(parts) < 2:
        return ()
    found: tuple[Choice, ...] = ()
    surest = 0.0
    for turn in range(1, min(len(parts), MOST_TURNS + 1)):
        before = model.best("，".join(parts[:turn]))
        if before is None or before.p < SURE or before[:2] not in possible:
            continue
        after = model.best("，".join(parts[turn:]))
        if after is None or after.p < SURE or after[:2] not in possible - {before[:2]}:
            continue
        if before.p * after.p > surest:
            surest = before.p * after.p
            found = tuple(sorted((before, after), key=lambda choice: -choice.p))
    return found
