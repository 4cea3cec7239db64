"""How the menu is looked through by words: each word stands in an entry's texts as it is written. One that stands nowhere on
the menu is looked for by its pieces, for nobody knows beforehand how a thing is called here: with 午餐 one finds 中午送餐到家,
with 修水管 who repairs (维修) pipes (水管), with "repairs" a repair."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import NamedTuple

from shared.written import CHINESE

LETTER = re.compile(f"[^\\W\\d_{CHINESE}]")
"""A letter of a script that parts its words."""
RUN = re.compile(f"[{CHINESE}]+|[^\\W{CHINESE}]+")
ENDINGS = ("ing", "ers", "ies", "er", "ed", "es", "s")
FEWEST_LETTERS = 4
"""So many letters at least has a piece of a word in another script."""
FEWEST_WITHIN = 5
"""So many has one that is looked for within others; those in -ing stand in too many, as parking does in sparking."""
BETWEEN = 2
"""So many other characters may stand between the two of a pair."""


class Entry(NamedTuple):
    """An entry of the menu: its own texts, and the item whose names and phrases are its as well."""

    texts: tuple[str, ...]
    item: str


def found(q: str, entries: Mapping[str, Entry], items: Mapping[str, Collection[str]]) -> set[str]:
    """The ids of the entries in which every word of a search is found. `items`: the names and phrases of each."""
    of_items = {item: _joined(texts) for item, texts in items.items()}
    texts = {id: f"{_joined(entry.texts)}\n{of_items.get(entry.item, '')}" for id, entry in entries.items()}
    chosen = set(entries)
    for word in _normal(q).split():
        chosen &= (
            {id for id, text in texts.items() if _written(word, text)} or _by_pieces(word, texts) or _within_words(word, texts)
        )
    return chosen


def named(q: str, items: Mapping[str, Collection[str]]) -> list[str]:
    """The items, in their order, in whose texts every word of a search stands as it is written."""
    words = _normal(q).split()
    return [item for item, texts in items.items() if all(_written(word, _joined(texts)) for word in words)]


def _written(word: str, text: str) -> bool:
    """Whether a word stands in a text; one in letters from the beginning of a word there, for `sparking` is no parking."""
    if word not in text or not LETTER.match(word):
        return word in text
    return re.search(f"(?<!{LETTER.pattern}){re.escape(word)}", text) is not None


def _by_pieces(word: str, texts: Mapping[str, str]) -> set[str]:
    runs = RUN.findall(word)
    return {id for id, text in texts.items() if runs and all(_has(run, text) for run in runs)}


def _within_words(word: str, texts: Mapping[str, str]) -> set[str]:
    """Where else a long word stands: chair in wheelchair."""
    if not LETTER.match(word) or len(word) < FEWEST_WITHIN or word.endswith("ing"):
        return set()
    return {id for id, text in texts.items() if word in text}


def _has(run: str, text: str) -> bool:
    if not re.match(f"[{CHINESE}]", run):
        return any(len(piece) >= FEWEST_LETTERS and _written(piece, text) for piece in (run, _stem(run)))
    # The fewest single characters among the pieces into which the run can be cut, from its beginning to each place.
    fewest = [0] + [len(run)] * len(run)
    for end in range(1, len(run) + 1):
        fewest[end] = fewest[end - 1] + (1 if run[end - 1] in text else len(run))
        for begin in range(end - 1):
            if fewest[begin] < fewest[end] and _stands(run[begin:end], text):
                fewest[end] = fewest[begin]
    return fewest[-1] == 0 or (fewest[-1] == 1 and len(run) > 2)


def _stands(piece: str, text: str) -> bool:
    if piece in text:
        return True
    return len(piece) == 2 and re.search(f"{piece[0]}.{{0,{BETWEEN}}}{piece[1]}", text) is not None


def _stem(word: str) -> str:
    return next((word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending)), word)


def _joined(texts: Collection[str]) -> str:
    return _normal("\n".join(texts))


def _normal(text: str) -> str:
    """In one width and one case, as people type."""
    return unicodedata.normalize("NFKC", text).casefold()
