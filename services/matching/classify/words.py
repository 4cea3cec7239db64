"""What a text is known by: pieces of its words, and the senses that a short list of related words gives them.

A piece of Chinese is a character or a pair, of Latin words the word and its runs of three to five letters; what is neither, and
where they meet, is known by its characters and pairs, as 3栋 and A股 are. A sense is a line
of `fields.txt` (words of one field), `synonyms.txt` (words that can stand for each other) or `matters.txt` (what is said of
one matter: its names, signs and things), all in Chinese and English: so that a phrase with 剃头 speaks for a text with 理发 or
with a haircut.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from shared.written import CHINESE

CJK_RUN = re.compile(f"[{CHINESE}]+")
WORD = re.compile(r"[a-z]+")
RUN = re.compile(f"{CJK_RUN.pattern}|{WORD.pattern}")
BLANKS = re.compile(r"\s+")
CJK_LENGTHS = (1, 2)
WORD_LENGTHS = (3, 4, 5)
BREAK = re.compile("[\\n,.!?;:~…" + "，。！？；、：～]+")
ASKING_WORDS = (
    *("想", "请", "能不能", "有没有", "能否", "帮", "找", "需要", "希望", "求", "能给", "谁能", "谁会", "哪儿", "哪里", "可以"),
    *("能来", "要个", "借", "教", "学", "报名", "参加", "咨询", r"\bcould\b", r"\bcan\b", r"\bneed\b", r"\bwant\b"),
    *(r"\blooking\b", r"\bplease\b", r"\bhelp\b", r"\bwould\b", r"\bis there\b", r"\bwhere\b", r"\bhow\b"),
)
ASKING = re.compile("|".join(ASKING_WORDS))
ENDINGS = ("ing", "ies", "ed", "es", "s")
FIELD, SYNONYM, MATTER, MARK = "≈", "=", "≃", "~"
"""The first character of a feature that is a sense, or a piece that is not of words alone."""
FILES = {FIELD: "fields.txt", SYNONYM: "synonyms.txt", MATTER: "matters.txt"}
SAYINGS = "sayings.tsv"
"""What `sayings` reads."""


class Lexicon(NamedTuple):
    """The senses of words. `longest` is the length of the longest Chinese word that begins with a character."""

    senses: dict[str, tuple[str, ...]]
    longest: dict[str, int]


def normal(text: str) -> str:
    """The text in one width and one case."""
    return unicodedata.normalize("NFKC", text).lower()


def features(text: str) -> dict[str, float]:
    """Everything a text is known by, and how often it is there. What is said where something is asked for counts twice:
    around it people tell their story."""
    text = normal(text)
    clauses = [clause for clause in BREAK.split(text) if clause.strip()]
    asking = [clause for clause in clauses if ASKING.search(clause)]
    if not 0 < len(asking) < len(clauses):
        return _counted(text)
    counted = _counted(text)
    for clause in asking:
        for name, amount in _counted(clause).items():
            counted[name] = counted.get(name, 0.0) + amount
    return counted


def grams(text: str) -> list[str]:
    """The pieces of a text: of Chinese single characters and pairs, of Latin words the words (with a full stop behind) and
    their pieces of three to five letters."""
    text = normal(text)
    pieces = []
    for run in CJK_RUN.findall(text):
        pieces += [run[at : at + n] for n in CJK_LENGTHS for at in range(len(run) - n + 1)]
    for word in WORD.findall(text):
        bounded = f" {word} "
        pieces += [bounded[at : at + n] for n in WORD_LENGTHS for at in range(len(bounded) - n + 1)]
        pieces.append(f"{word}.")
    return pieces


def marks(text: str) -> list[str]:
    """The characters between a text's words, and every pair that is not within one."""
    text = BLANKS.sub(" ", normal(text)).strip()
    pieces: list[str] = []
    at = 0
    for start, end in [*(run.span() for run in RUN.finditer(text)), (len(text), len(text))]:
        around = text[max(at - 1, 0) : start + 1]
        pieces += [MARK + mark for mark in text[at:start]]
        pieces += [MARK + one + other for one, other in pairwise(around)]
        at = end
    return pieces


def _counted(text: str) -> dict[str, float]:
    runs, words = CJK_RUN.findall(text), WORD.findall(text)
    counted: dict[str, float] = dict(Counter([*grams(text), *marks(text)]))
    for file in FILES:
        lexicon = _lexicon(file)
        for word in [*_words_of(runs, lexicon), *map(_stem, words)]:
            senses = lexicon.senses.get(word, ())
            for sense in senses:
                counted[sense] = counted.get(sense, 0.0) + len(senses) ** -0.5
    return counted


def words_with_sense(text: str, sense: str) -> list[str]:
    """The words of a text that gave it a sense, for an explanation."""
    text, lexicon = normal(text), _lexicon(sense[0])
    chinese = _words_of(CJK_RUN.findall(text), lexicon)
    latin = {word: _stem(word) for word in WORD.findall(text)}
    return [word for word in chinese if sense in lexicon.senses[word]] + [
        word for word, stem in latin.items() if sense in lexicon.senses.get(stem, ())
    ]


@cache
def edition() -> str:
    """Names the lists of words and sayings; a model made with others is of no use."""
    digest = hashlib.sha256()
    for name in (*FILES.values(), SAYINGS):
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:8]


def _words_of(runs: list[str], lexicon: Lexicon) -> list[str]:
    """The listed words in some runs of characters, the longest first wherever one begins."""
    found = []
    senses, longest = lexicon.senses, lexicon.longest
    for run in runs:
        at, end = 0, len(run)
        while at < end:
            most = longest.get(run[at])
            if most is None:
                at += 1
                continue
            for length in range(min(most, end - at), 0, -1):
                if run[at : at + length] in senses:
                    found.append(run[at : at + length])
                    at += length
                    break
            else:
                at += 1
    return found


def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@cache
def _lexicon(file: str) -> Lexicon:
    senses: dict[str, list[str]] = {}
    longest: dict[str, int] = {}
    for line in (Path(__file__).parent / FILES[file]).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, _, listed = line.partition(": ") if file == FIELD else (line.split()[0], "", line)
        chinese, _, english = listed.partition("|")
        for word in [*chinese.split(), *map(_stem, english.split())]:
            known = senses.setdefault(word, [])
            if file + name not in known:
                known.append(file + name)
        for word in chinese.split():
            longest[word[0]] = max(longest.get(word[0], 0), len(word))
    return Lexicon({word: tuple(known) for word, known in senses.items()}, longest)
