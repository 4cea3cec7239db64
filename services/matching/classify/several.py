"""Several needs in one message, told apart: read what stands before a turn in it, and what stands after.

A turn is where a clause begins. It parts two needs where both sides are surely read, as different items, which the whole text
is about to some degree too; the more so where the clause begins as people begin who go on to something else, where something is
asked for on both sides, and where the items are of one category. How much each of these says was learned (logistic
regression) from the sample's first 200 requests and 84 messages made up for it (`tests/benchmarks/several.csv`), each read by a
model without labels and by one that learned the labels of others. How well it does: `make bench ARGS="classify"`.
"""

from __future__ import annotations

import math
import re

from services.matching.classify.model import Choice, Model, Reading
from services.matching.classify.words import ASKING, normal

LINKS = (
    *("另外", "还有", "顺便", "顺带", "再就是", "再给", "再帮", "再有", "也想", "还想", "还要", "还得", "此外", "同时"),
    *("二则", "二是", "二来", "第二", "其次", r"\b(?:also|besides|another thing|secondly|and then)\b"),
)
LINK = re.compile("|".join(LINKS), re.IGNORECASE)
TURN = re.compile("[\\n,.!?;:…" + "，。！？；：]+|" + "|".join(f"(?={link})" for link in LINKS), re.IGNORECASE)
GOING_ON = re.compile(r"也|又|再|\b(?:also|and)\b", re.IGNORECASE)
"""A weaker sign, near the beginning of a clause."""
NEAR = 12
SHORTEST = 4
MOST_TURNS = 8
SURE, KNOWN, LINKED, GOES_ON, ASKED, AKIN, USUAL = 5.3, 0.22, 2.3, 1.3, 1.1, 1.3, -5.2
"""The weights: of the probability of the less sure side, of the logarithm of the whole text's probability for the less likely
of the two items, of a link, of a weaker sign, of asking on both sides, of one category; and without any of it."""
ENOUGH = 0.5
"""The log-odds from which two needs are told apart."""


def needs_in(model: Model, text: str, whole: Reading) -> tuple[Choice, ...]:
    """The two items that a text asks for before and after one of its turns, surest first; nothing where it is all about one.
    `whole` is what the text as a whole was read as. Reads two texts for each turn, MOST_TURNS at most."""
    shares = {choice[:2]: choice.p for choice in whole.ranked}
    clauses = [clause.strip() for clause in TURN.split(text) if clause.strip()]
    signs = {turn: _sign(clauses[turn]) for turn in range(1, len(clauses))}
    found: tuple[Choice, ...] = ()
    best = ENOUGH
    for turn in sorted(signs, key=lambda turn: (-signs[turn], turn))[:MOST_TURNS]:
        sides = ["，".join(some) for some in (clauses[:turn], clauses[turn:])]
        if min(map(len, sides)) < SHORTEST:
            continue
        before, after = map(model.best, sides)
        if before is None or after is None or before[:2] == after[:2]:
            continue
        known = math.log(max(min(shares[before[:2]], shares[after[:2]]), 1e-3))
        odds = USUAL + SURE * min(before.p, after.p) + KNOWN * known + signs[turn]
        odds += ASKED * all(ASKING.search(normal(side)) for side in sides) + AKIN * (before.category == after.category)
        if odds > best:
            best, found = odds, tuple(sorted((before, after), key=lambda choice: -choice.p))
    return found


def _sign(clause: str) -> float:
    """What the beginning of a clause says for its going on to something else."""
    if LINK.match(clause):
        return LINKED
    return GOES_ON if GOING_ON.search(clause[:NEAR]) else 0.0
