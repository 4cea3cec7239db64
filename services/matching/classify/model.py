"""The model: two linear ones on the same features, for items and for categories, and a probability that can be trusted.

Fitting is ridge regression on unit vectors of (1 + log tf) · idf, in its dual form. The item model looks at senses of fields
little and at synonyms much, the category model at both; an item's score is its own plus a share of its category's. The
scores become probabilities by a softmax whose temperature is TEMPERATURE / ln(number of answers), less a small doubt, both
corrected by what the labelled texts say when each is read by a model that has not seen it. Reading needs numpy alone, and
the weights: the same bytes give the same readings everywhere.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from services.matching.classify.lessons import Label, Leaf, Lesson, Syllabus, Topic, syllabus
from services.matching.classify.words import FIELD, SYNONYM, edition, features, words_with_sense

METHOD = "ridge-words-v2"
RIDGE = 0.3
CATEGORY_SHARE = 0.3
SENSES = {FIELD: (0.3, 1.0), SYNONYM: (1.0, 1.0)}
"""How much a field or a synonym counts, for the item and for the category model."""
TEMPERATURE = 0.18
DOUBT = 0.06
"""However sure the softmax is: so much probability is spread evenly over all answers."""
DOUBTS = (0.0, 0.01, 0.02, 0.04, DOUBT, 0.08, 0.12)
TEMPERATURES = tuple(0.01 * 1.12**step for step in range(48))
PRIOR_STRENGTH = 20.0
"""How firmly temperature and doubt keep to the rule when few texts are labelled."""
THRESHOLD = 0.5
"""Below this probability nothing is decided: it would be wrong more often than right."""
LARGE = 3000
"""From this many lessons on the equations are solved step by step, and every eighth label is held out instead of each."""
STEPS, EXACT = 60, 1e-4
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
    """A fitted model. Made by `fit` or `Model.load`."""

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
        self._factors = _factors(self._names)
        self._items = arrays["items"]
        self._categories = arrays["categories"]
        self._offsets = (arrays["item_offsets"], arrays["category_offsets"])
        self._category_of = numpy.array([*head["category_of"], -1], dtype=int)
        self._has_item = numpy.array([*(leaf.item is not None for leaf in self.leaves), True])
        # A text is read when it comes in and when it is matched, and compared with whatever comes in next.
        self._read = lru_cache(READINGS_KEPT)(self._read_anew)
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

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What each text asks for. A batch reads as one by one."""
        return [self._read(text) for text in texts]

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
            shown = " ".join(dict.fromkeys(words_with_sense(text, name))) if name[0] in SENSES else name.strip(" .")
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

    def _read_anew(self, text: str) -> Reading:
        import numpy

        scores, known = self._scores(text)
        shares = _probabilities(scores, self.temperature, self.doubt)
        if not known:  # nothing to go by
            shares = numpy.zeros_like(scores)
            shares[-1] = 1
        order = numpy.argsort(-shares[:-1], kind="stable")
        leaves = [(self.leaves[at], round(float(shares[at]), 4)) for at in order]
        ranked = tuple(Choice(leaf.category, leaf.item, p) for leaf, p in leaves)
        nothing = float(shares[-1])
        sure = bool(ranked) and ranked[0].p >= max(THRESHOLD, nothing)
        return Reading(ranked, round(nothing, 4), not sure)

    def _scores(self, text: str) -> tuple[Any, bool]:
        places, of_items, of_categories, known = self._vectors(text)
        items = of_items @ self._weights(self._items, places) + self._offsets[0]
        categories = of_categories @ self._weights(self._categories, places) + self._offsets[1]
        return _joined(items, categories, self._category_of, self._has_item), known

    def _weights(self, of: Any, places: Any) -> Any:
        import numpy

        return of[places].astype(numpy.float32)

    def _vectors_anew(self, text: str) -> tuple[Any, Any, Any, bool]:
        """Where the text's features stand in the vocabulary, and its two unit vectors there."""
        import numpy

        found = [(place, amount) for name, amount in features(text).items() if (place := self._place.get(name)) is not None]
        places = numpy.array([place for place, _ in found], dtype=int)
        values = _damped(numpy.array([amount for _, amount in found], dtype=numpy.float32)) * self._idf[places]
        vectors = [values * factor[places] for factor in self._factors]
        units = [vector / (math.sqrt(float(vector @ vector)) or 1.0) for vector in vectors]
        return places, units[0], units[1], bool(found)


def fit(topics: Sequence[Topic], labels: Sequence[Label] = ()) -> Model:
    """Learn a taxonomy, and what people labelled. The same lessons give the same model on the same machine; replicas share
    its bytes. Takes a second or two for a thousand phrases; loads scipy's sparse matrices."""
    import numpy

    taught = syllabus(topics, labels)
    rows = [features(lesson.text) for lesson in taught.lessons]
    spread = Counter(name for row in rows for name in row)
    names = list(spread)
    idf = numpy.array([math.log((1 + len(rows)) / (1 + spread[name])) + 1 for name in names])
    of_items, of_categories = _matrices(rows, {name: at for at, name in enumerate(names)}, idf, _factors(names))
    leaf_wishes, category_wishes, knows_leaf = _wishes(taught)
    weights = numpy.array([lesson.weight for lesson in taught.lessons])
    category_of = [taught.categories.index(leaf.category) for leaf in taught.leaves]
    columns = numpy.array([*category_of, -1], dtype=int)
    has_item = numpy.array([*(leaf.item is not None for leaf in taught.leaves), True])

    judged = numpy.flatnonzero(knows_leaf & (numpy.arange(len(rows)) >= taught.labelled))
    if len(rows) > LARGE:
        judged = judged[::8]
    categories, category_offsets, category_unseen = _ridge(of_categories, category_wishes, weights, judged)
    known = numpy.flatnonzero(knows_leaf)
    items, item_offsets, item_unseen = _ridge(
        of_items[known], leaf_wishes[known], weights[known], numpy.searchsorted(known, judged)
    )
    unseen = _joined(item_unseen, category_unseen, columns, has_item)
    temperature, doubt = _calibrated(unseen, leaf_wishes[judged].argmax(axis=1))
    head = {
        "method": METHOD,
        "words": edition(),
        "leaves": taught.leaves,
        "category_of": category_of,
        "temperature": temperature,
        "doubt": doubt,
        "vocabulary": names,
    }
    arrays = {
        "idf": idf.astype(numpy.float16),
        "items": items.astype(numpy.float16),
        "categories": categories.astype(numpy.float16),
        "item_offsets": item_offsets,
        "category_offsets": category_offsets,
    }
    return Model(json.loads(json.dumps(head)), arrays)


def _factors(names: Sequence[str]) -> list[Any]:
    import numpy

    senses = [SENSES.get(name[0], (1.0, 1.0)) for name in names]
    return [numpy.array([sense[kind] for sense in senses], dtype=numpy.float32) for kind in (0, 1)]


def _damped(amounts: Any) -> Any:
    import numpy

    return numpy.where(amounts >= 1, 1 + numpy.log(numpy.maximum(amounts, 1)), amounts)


def _against(rows: Any, column: int) -> Any:
    """How much each row speaks for a column rather than for the others."""
    if rows.shape[1] == 1:
        return rows[:, column]
    return (rows[:, column] * rows.shape[1] - rows.sum(axis=1)) / (rows.shape[1] - 1)


def _joined(items: Any, categories: Any, category_of: Any, has_item: Any) -> Any:
    """A leaf's score: its item's and a share of its category's; of a category without items its own alone."""
    import numpy

    of_category = categories[..., category_of]
    return numpy.where(has_item, items + CATEGORY_SHARE * of_category, (1 + CATEGORY_SHARE) * of_category)


def _matrices(rows: Sequence[dict[str, float]], place: dict[str, int], idf: Any, factors: Sequence[Any]) -> list[Any]:
    import numpy
    from scipy.sparse import csr_matrix, diags_array

    ends = numpy.cumsum([0, *map(len, rows)])
    places = numpy.array([place[name] for row in rows for name in row], dtype=int)
    values = _damped(numpy.array([amount for row in rows for amount in row.values()])) * idf[places]
    made = []
    for factor in factors:
        matrix = csr_matrix((values * factor[places], places, ends), shape=(len(rows), len(place)))
        lengths = numpy.sqrt(numpy.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        made.append((diags_array(1 / numpy.where(lengths > 0, lengths, 1)) @ matrix).tocsr())
    return made


def _wishes(taught: Syllabus) -> tuple[Any, Any, Any]:
    """For each lesson 1 in the column of its leaf, or its category; the last column asks for nothing."""
    import numpy

    lessons: tuple[Lesson, ...] = taught.lessons
    leaves = numpy.zeros((len(lessons), len(taught.leaves) + 1))
    categories = numpy.zeros((len(lessons), len(taught.categories) + 1))
    knows_leaf = numpy.array([lesson.leaf is not None for lesson in lessons])
    for at, lesson in enumerate(lessons):
        categories[at, lesson.category] = 1
        if lesson.leaf is not None:
            leaves[at, lesson.leaf] = 1
    return leaves, categories, knows_leaf


def _ridge(matrix: Any, wishes: Any, weights: Any, judged: Any) -> tuple[Any, Any, Any]:
    """Weights per feature, offsets, and the scores of the judged lessons by a model that has not seen them: exact leaving
    out of one (residual / diagonal of the inverse); of many lessons, one fit without all the judged."""
    import numpy

    offsets = (wishes * weights[:, None]).sum(axis=0) / weights.sum()
    targets = wishes - offsets
    if matrix.shape[0] > LARGE:
        seen = numpy.setdiff1d(numpy.arange(matrix.shape[0]), judged)
        without = _step_by_step(matrix[seen], targets[seen], weights[seen])
        unseen = matrix[judged] @ (matrix[seen].T @ without) + offsets
        return matrix.T @ _step_by_step(matrix, targets, weights), offsets, unseen
    equations = (matrix @ matrix.T).toarray() + numpy.diag(RIDGE / weights)
    solved = numpy.linalg.solve(equations, numpy.hstack([targets, numpy.eye(matrix.shape[0])[:, judged]]))
    dual, inverse = solved[:, : wishes.shape[1]], solved[:, wishes.shape[1] :]
    diagonal = inverse[judged, numpy.arange(len(judged))]
    return matrix.T @ dual, offsets, wishes[judged] - dual[judged] / diagonal[:, None]


def _step_by_step(matrix: Any, targets: Any, weights: Any) -> Any:
    """The same equations by conjugate gradients, all columns at once."""
    import numpy

    penalty = (RIDGE / weights)[:, None]
    solved = numpy.zeros_like(targets)
    rest = targets.copy()
    towards = rest.copy()
    size = (rest * rest).sum(axis=0)
    for _ in range(STEPS):
        moved = matrix @ (matrix.T @ towards) + penalty * towards
        step = size / numpy.maximum((towards * moved).sum(axis=0), 1e-30)
        solved += step * towards
        rest -= step * moved
        left = (rest * rest).sum(axis=0)
        if math.sqrt(float(left.max())) < EXACT:
            break
        towards = rest + (left / numpy.maximum(size, 1e-30)) * towards
        size = left
    return solved


def _probabilities(scores: Any, temperature: float, doubt: float) -> Any:
    import numpy

    powers = numpy.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return (1 - doubt) * powers / powers.sum(axis=-1, keepdims=True) + doubt / scores.shape[-1]


def _calibrated(unseen: Any, right: Any) -> tuple[float, float]:
    """The temperature and the doubt at which the labelled texts, read unseen, are least surprising; near the rule while
    they are few."""
    import numpy

    rule = TEMPERATURE / math.log(max(unseen.shape[1], 2))

    def surprise(candidate: tuple[float, float]) -> float:
        temperature, doubt = candidate
        shares = _probabilities(unseen, temperature, doubt)[numpy.arange(len(right)), right]
        strayed = math.log(temperature / rule) ** 2 + (20 * (doubt - DOUBT)) ** 2
        return PRIOR_STRENGTH * strayed - float(numpy.log(numpy.maximum(shares, 1e-9)).sum())

    if len(right) == 0:
        return rule, DOUBT
    return min(((one, doubt) for one in (rule, *TEMPERATURES) for doubt in DOUBTS), key=surprise)
