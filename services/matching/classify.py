"""Reading requests: which item of the taxonomy a resident's words ask for.

A linear model on character n-grams (TF-IDF; one-against-rest linear support vectors, softmax confidence), trained on
the taxonomy's own phrases and names, and on some small talk that asks for nothing, in a fraction of a second and kept
in the process. Nothing else goes into it: the same taxonomy gives the same readings on every replica. scikit-learn is
loaded when the first request is read.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.events.registry import Category

METHOD = "linear-char-v1"
THRESHOLD = 0.07
"""Chosen on the first 200 of the sample's requests alone."""
TEMPERATURE = 0.2
CATEGORY_SHARE = 0.3
NAME_WEIGHT = 3
PENALTY = 0.5
KEPT_CLASSIFIERS = 16

CJK_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
WORD = re.compile(r"[a-z]+")
CJK_LENGTHS = (1, 2)
WORD_LENGTHS = (3, 4, 5)

# What people write who ask for nothing. Without it every text would have to be about some item, the more so the fewer
# items a taxonomy has.
NOTHING_ASKED = (
    "您好",
    "早上好",
    "晚上好，打扰了",
    "有人吗",
    "多谢，辛苦你们了",
    "没事了，就是点进来看看",
    "试一下能不能发出去",
    "天气不错，出太阳了",
    "昨天的球赛踢得真精彩",
    "明天放假，祝大家开心",
    "哈哈，太有意思了",
    "今年的电视剧不好看",
    "good morning everyone",
    "hi there",
    "just trying out this form",
    "never mind, it was nothing",
    "many thanks for everything",
    "what a sunny day it is",
    "did you watch the game yesterday",
    "happy holidays to all of you",
    "which film won the prize this year",
    "that is a very funny story",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text was read as. `confidence` (0 to 1) is that of the best guess; where it is below the published
    threshold, or the text asks for nothing the taxonomy has, `item` and `category` are None."""

    item: str | None
    category: str | None
    confidence: float


class Classifier:
    """A model trained on one version of a taxonomy; `name` names it."""

    def __init__(self, name: str, categories: Sequence[Category]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.svm import LinearSVC

        self.name = name
        # By name, not by id or position, so that a copy of the taxonomy with other ids is learned in the same way.
        lessons = sorted(
            ((item.name_zh, item.name_en, category, item) for category in categories for item in category.items),
            key=lambda lesson: lesson[:2],
        )
        self._items = [(item.id, category.id) for _, _, category, item in lessons]
        category_names = sorted({(category.name_zh, category.name_en) for _, _, category, _ in lessons})
        place = {name: index + 1 for index, name in enumerate(category_names)}
        self._category_of = [0, *(place[category.name_zh, category.name_en] for _, _, category, _ in lessons)]

        texts, items, groups = list(NOTHING_ASKED), [0] * len(NOTHING_ASKED), [0] * len(NOTHING_ASKED)
        for index, (_, _, _, item) in enumerate(lessons, start=1):
            taught = [*item.phrases_zh, *item.phrases_en, *[item.name_zh, item.name_en] * NAME_WEIGHT]
            texts += taught
            items += [index] * len(taught)
            groups += [self._category_of[index]] * len(taught)
        of_items = len(texts)
        for category in sorted(categories, key=lambda category: (category.name_zh, category.name_en)):
            if group := place.get((category.name_zh, category.name_en)):
                taught = [*category.phrases_zh, *category.phrases_en, category.name_zh, category.name_en]
                texts += taught
                groups += [group] * len(taught)

        self._vectorizer = TfidfVectorizer(analyzer=grams, sublinear_tf=True)
        vectors = self._vectorizer.fit_transform(texts)
        self._of_items = LinearSVC(C=PENALTY, random_state=0).fit(vectors[:of_items], items) if lessons else None
        self._of_categories = LinearSVC(C=PENALTY, random_state=0).fit(vectors, groups) if lessons else None

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What each text asks for, all in one prediction."""
        import numpy

        if self._of_items is None or not texts:
            return [Reading(None, None, 0.0) for _ in texts]
        vectors = self._vectorizer.transform(texts)
        decisions = _decisions(self._of_items, vectors)
        decisions = decisions + CATEGORY_SHARE * _decisions(self._of_categories, vectors)[:, self._category_of]
        powers = numpy.exp((decisions - decisions.max(axis=1, keepdims=True)) / TEMPERATURE)
        shares = powers / powers.sum(axis=1, keepdims=True)
        known = vectors.getnnz(axis=1) > 0
        return [
            self._reading(int(best), float(confidence)) if is_known else Reading(None, None, 0.0)
            for best, confidence, is_known in zip(shares.argmax(axis=1), shares.max(axis=1), known, strict=True)
        ]

    def _reading(self, best: int, confidence: float) -> Reading:
        confidence = round(confidence, 4)
        if best == 0 or confidence < THRESHOLD:
            return Reading(None, None, confidence)
        item, category = self._items[best - 1]
        return Reading(item, category, confidence)


def _decisions(model: Any, vectors: Any) -> Any:
    import numpy

    decisions = model.decision_function(vectors)
    # Of two classes there is one number: how much it speaks for the second.
    return numpy.column_stack([-decisions, decisions]) if decisions.ndim == 1 else decisions


def grams(text: str) -> list[str]:
    """The pieces a text is known by: of Chinese single characters and pairs, of Latin words the words and their pieces
    of three to five letters."""
    text = unicodedata.normalize("NFKC", text).lower()
    pieces = []
    for run in CJK_RUN.findall(text):
        pieces += [run[at : at + n] for n in CJK_LENGTHS for at in range(len(run) - n + 1)]
    for word in WORD.findall(text):
        bounded = f" {word} "
        pieces += [bounded[at : at + n] for n in WORD_LENGTHS for at in range(len(bounded) - n + 1)]
        pieces.append(f"={word}")
    return pieces


def load_library() -> None:
    """Load scikit-learn, which takes a second or more the first time, before a transaction waits for it."""
    import sklearn.feature_extraction.text
    import sklearn.svm  # noqa: F401


_lock = threading.Lock()
_classifiers: dict[tuple[str, int], Classifier] = {}


def classifier(taxonomy: str, version: int, name: str, load: Callable[[], Sequence[Category]]) -> Classifier:
    """The classifier of a version of a taxonomy, trained when this process needs it first. `load` gives the taxonomy's
    categories."""
    with _lock:
        known = _classifiers.get((taxonomy, version))
        if known is None:
            known = Classifier(f"{METHOD}/{name}/{version}", load())
            while len(_classifiers) >= KEPT_CLASSIFIERS:
                del _classifiers[next(iter(_classifiers))]
            _classifiers[taxonomy, version] = known
        return known
