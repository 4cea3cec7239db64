"""The model: two linear ones on the same features, for items and for categories, and a probability that can be trusted.

The item model looks at senses of fields little and at synonyms much, the category model at both; an item's score is its own
plus a share of its category's. The scores become probabilities by a softmax whose temperature is TEMPERATURE / ln(number of
answers), less a small doubt, both corrected by what the labelled texts say when each is read by a model that has not seen it
(`fitting`). Reading needs numpy alone, and the weights: the same bytes give the same readings everywhere.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from services.matching.classify.lessons import Leaf
from services.matching.classify.words import FIELD, MARK, MATTER, SYNONYM, edition, features, words_with_sense

METHOD = "ridge-words-v4"
CATEGORY_SHARE = 0.3
SENSES = {FIELD: (0.3, 1.0), SYNONYM: (1.0, 1.0), MATTER: (1.0, 1.0)}
"""How much a field, a synonym or a matter counts, for the item and for the category model."""
THRESHOLD = 0.5
"""Below this probability nothing is decided: it would be wrong more often than right."""
READINGS_KEPT, VECTORS_KEPT = 32, 1000
"""Of so many texts a model remembers what it made of them: at most a few megabytes."""


class Choice(NamedTuple):
    """A leaf that a text may be about, and how probable that is."""

    category: str
    item: str | None
    p: float


class Reading(NamedTuple):
    """What a text was read as: all leaves, most probable first; `nothing` is the probability that it asks for nothing the
    taxonomy has. `abstain`: the best is not probable enough to be decided on."""

    ranked: tuple[Choice, ...]
    nothing: float
    abstain: bool

    @property
    def best(self) -> Choice | None:
        """The most probable leaf, None of an empty taxonomy."""
        return self.ranked[0] if self.ranked else None


class Model:
    """A fitted model. Made by `fitting.fit` or `Model.load`."""

    def __init__(self, head: dict[str, Any], arrays: dict[str, Any]) -> None:
        import numpy

        self.leaves = tuple(Leaf(*leaf) for leaf in head["leaves"])
        self.temperature: float = head["temperature"]
        self.doubt: float = head["doubt"]
        self._head, self._arrays = {**head, "vocabulary": None}, arrays
        # The models of many communities stand in memory together: their words are the same ones, and the weights stay as they
        # are stored, half as wide as what is reckoned with.
        self._names: list[str] = [sys.intern(name) for name in head["vocabulary"]]
        self._place = {name: at for at, name in enumerate(self._names)}
        self._idf = arrays["idf"].astype(numpy.float32)
        self._factors = factors_of(self._names)
        self._items = arrays["items"]
        self._categories = arrays["categories"]
        self._offsets = (arrays["item_offsets"], arrays["category_offsets"])
        self._category_of = numpy.array([*head["category_of"], -1], dtype=int)
        self._has_item = numpy.array([*(leaf.item is not None for leaf in self.leaves), True])
        # A text is read when it comes in and when it is matched, and compared with whatever comes in next.
        self._read = lru_cache(READINGS_KEPT)(self.reading_of)
        self._vectors = lru_cache(VECTORS_KEPT)(self._vectors_anew)

    @classmethod
    def load(cls, data: bytes) -> Model:
        """A model from what `dump` gave. Raises ValueError for one of another method or another list of words."""
        import numpy

        with numpy.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        head = json.loads(arrays.pop("head").tobytes())
        if (head["method"], head["words"]) != (METHOD, edition()):
            raise ValueError(f"this model was made by {head['method']} with other lists of words; fit it again")
        return cls(head, arrays)

    def dump(self) -> bytes:
        """The model as a file."""
        import numpy

        named = self._head | {"vocabulary": self._names}
        head = numpy.frombuffer(json.dumps(named, ensure_ascii=False).encode(), dtype=numpy.uint8)
        buffer = io.BytesIO()
        numpy.savez(buffer, head=head, **self._arrays)
        return buffer.getvalue()

    @property
    def offsets(self) -> Any:
        """The scores of a text of which no word is known: of each leaf, and at last of asking for nothing."""
        return joined(*self._offsets, self._category_of, self._has_item)

    def knows(self, name: str) -> bool:
        """Whether it learned anything of a feature (`words.features`)."""
        return name in self._place

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What each text asks for. A batch reads as one by one."""
        return [self._read(text) for text in texts]

    def best(self, text: str) -> Choice | None:
        """What a text most probably asks for, without the order of the rest: half the work of reading it. None where no word of
        it is known."""
        scores, known = self._scores(text)
        if not known or not self.leaves:
            return None
        at = int(scores[:-1].argmax())
        p = float(probabilities(scores, self.temperature, self.doubt)[at])
        return Choice(self.leaves[at].category, self.leaves[at].item, round(p, 4))

    def explain(self, text: str, leaf: Leaf, most: int = 5) -> list[tuple[str, float]]:
        """The pieces of a text that speak for a leaf, rather than for the others, strongest first, with their shares of its
        score. A sense stands as the words that have it."""
        places, of_items, of_categories, _ = self._vectors(text)
        at = self.leaves.index(leaf)
        category = self._category_of[at]
        share = 1 + CATEGORY_SHARE if leaf.item is None else CATEGORY_SHARE
        parts = share * of_categories * _against(self._weights(self._categories, places), category)
        if leaf.item is not None:
            parts = parts + of_items * _against(self._weights(self._items, places), at)
        said: dict[str, float] = defaultdict(float)
        for place, part in zip(places, parts, strict=True):
            name = self._names[place]
            shown = " ".join(dict.fromkeys(words_with_sense(text, name))) if name[0] in SENSES else name.strip(" .~")
            if shown:
                said[shown] += float(part)
        strongest = sorted(said.items(), key=lambda one: -one[1])[:most]
        return [(name, round(part, 4)) for name, part in strongest if part > 0]

    def alike(self, text: str, others: Sequence[str]) -> list[float]:
        """How alike each of some texts is to this one: the cosine of their vectors (0 to 1)."""
        places, vector, _, _ = self._vectors(text)
        own = dict(zip(places.tolist(), vector.tolist(), strict=True))
        cosines = []
        for other in others:
            theirs, their_vector, _, _ = self._vectors(other)
            shared = zip(theirs.tolist(), their_vector.tolist(), strict=True)
            cosines.append(round(sum(own.get(place, 0.0) * value for place, value in shared), 4))
        return cosines

    def most_like(self, text: str, phrases: Sequence[str], most: int = 2) -> list[tuple[str, float]]:
        """The phrases most like a text with their cosines; none that have nothing in common with it."""
        different = list(dict.fromkeys(phrases))
        alike = sorted(zip(different, self.alike(text, different), strict=True), key=lambda one: -one[1])
        return [(phrase, cosine) for phrase, cosine in alike[:most] if cosine > 0]

    def scores(self, texts: Sequence[str]) -> Any:
        """For each text the scores of the leaves and, last, of asking for nothing; no probabilities yet."""
        import numpy

        return numpy.array([self._scores(text)[0] for text in texts])

    def reading_of(self, text: str, scores: Any = None) -> Reading:
        """What a text asks for; by these `scores`, where there are any, in place of the model's own."""
        import numpy

        own, known = self._scores(text)
        scores = own if scores is None else scores
        shares = probabilities(scores, self.temperature, self.doubt)
        if not known:  # nothing to go by
            shares = numpy.zeros_like(scores)
            shares[-1] = 1
        order = numpy.argsort(-shares[:-1], kind="stable").tolist()
        rounded = shares.astype(numpy.float64).round(4).tolist()
        ranked = tuple(Choice(self.leaves[at].category, self.leaves[at].item, rounded[at]) for at in order)
        nothing = float(shares[-1])
        sure = bool(ranked) and ranked[0].p >= max(THRESHOLD, nothing)
        return Reading(ranked, round(nothing, 4), not sure)

    def _scores(self, text: str) -> tuple[Any, bool]:
        places, of_items, of_categories, known = self._vectors(text)
        items = of_items @ self._weights(self._items, places) + self._offsets[0]
        categories = of_categories @ self._weights(self._categories, places) + self._offsets[1]
        return joined(items, categories, self._category_of, self._has_item), known

    def _weights(self, of: Any, places: Any) -> Any:
        import numpy

        return of[places].astype(numpy.float32)

    def _vectors_anew(self, text: str) -> tuple[Any, Any, Any, bool]:
        """Where the text's features stand in the vocabulary, its two unit vectors there, and whether it has a known word."""
        import numpy

        found = [(place, amount) for name, amount in features(text).items() if (place := self._place.get(name)) is not None]
        places = numpy.array([place for place, _ in found], dtype=int)
        values = damped(numpy.array([amount for _, amount in found], dtype=numpy.float32)) * self._idf[places]
        vectors = [values * factor[places] for factor in self._factors]
        units = [vector / (math.sqrt(float(vector @ vector)) or 1.0) for vector in vectors]
        return places, units[0], units[1], any(self._names[place][0] != MARK for place, _ in found)


def factors_of(names: Sequence[str]) -> list[Any]:
    import numpy

    senses = [SENSES.get(name[0], (1.0, 1.0)) for name in names]
    return [numpy.array([sense[kind] for sense in senses], dtype=numpy.float32) for kind in (0, 1)]


def damped(amounts: Any) -> Any:
    import numpy

    return numpy.where(amounts >= 1, 1 + numpy.log(numpy.maximum(amounts, 1)), amounts)


def _against(rows: Any, column: int) -> Any:
    """How much each row speaks for a column rather than for the others."""
    if rows.shape[1] == 1:
        return rows[:, column]
    return (rows[:, column] * rows.shape[1] - rows.sum(axis=1)) / (rows.shape[1] - 1)


def joined(items: Any, categories: Any, category_of: Any, has_item: Any) -> Any:
    """A leaf's score: its item's and a share of its category's; of a category without items its own alone."""
    import numpy

    of_category = categories[..., category_of]
    return numpy.where(has_item, items + CATEGORY_SHARE * of_category, (1 + CATEGORY_SHARE) * of_category)


def probabilities(scores: Any, temperature: float, doubt: float) -> Any:
    import numpy

    powers = numpy.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return (1 - doubt) * powers / powers.sum(axis=-1, keepdims=True) + doubt / scores.shape[-1]
