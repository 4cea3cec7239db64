"""Learning a taxonomy: from its names and phrases, from how residents say things (`sayings`), from texts that people labelled
and, where there are many, from others that nobody did.

Fitting is ridge regression on unit vectors of (1 + log tf) · idf, in its dual form. Texts without a label are read by a first
model, and a second one learns from what was made of them, however unsure, beside all the rest: words that keep company with
the phrases' words come to speak for the same (one round of self-training, as in Nigam et al., "Text Classification from
Labeled and Unlabeled Documents using EM", 2000, section 5). On the whole the second is made to be no surer of them than the
first.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.matching.classify.lessons import Label, Lesson, Syllabus, Topic, syllabus
from services.matching.classify.model import METHOD, Model, Reading, damped, factors_of, joined, probabilities
from services.matching.classify.sayings import Learned, learned_by
from services.matching.classify.words import edition, features

RIDGE = 0.3
TEMPERATURE, TEMPERATURE_SAID = 0.25, 0.175
"""Of a model of phrases, and of one that knows sayings too, which is right more often."""
DOUBT = 0.06
"""However sure the softmax is: so much probability is spread evenly over all answers."""
DOUBTS = (0.0, 0.01, 0.02, 0.04, DOUBT, 0.08, 0.12)
TEMPERATURES = tuple(0.01 * 1.12**step for step in range(48))
PRIOR_STRENGTH = 20.0
"""How firmly temperature and doubt keep to the rule when few texts are labelled."""
LARGE = 3000
"""From this many lessons on the equations are solved step by step, and every eighth label is held out instead of each."""
STEPS, EXACT = 60, 1e-4
FEWEST_OTHERS, MOST_OTHERS = 50, 2000
"""Of fewer texts without a label, a leaf, nothing is learned; of more, these many in all, evenly over them."""
OTHERS_WEIGHT, SHARPNESS = 0.2, 0.5
"""What such a text weighs, and by how much the temperature is lowered at which its guesses are taken."""


class _Guessed(NamedTuple):
    """Texts without a label, the shares that an earlier model gave each leaf (the last column: nothing is asked), and the mean
    of the largest shares at its own temperature."""

    rows: list[dict[str, float]]
    shares: Any
    sureness: float


def fit(topics: Sequence[Topic], labels: Sequence[Label] = ()) -> Model:
    """Learn a taxonomy, and what people labelled. The same lessons give the same model on the same machine; replicas share
    its bytes. Takes a few seconds; loads scipy's sparse matrices."""
    taught = syllabus(topics, labels)
    return _first(taught, [features(lesson.text) for lesson in taught.lessons])[0]


def read_together(topics: Sequence[Topic], labels: Sequence[Label], texts: Sequence[str]) -> tuple[Model, list[Reading]]:
    """A model that learned from texts without labels too, and what they were read as: each as if the model had not seen what
    was made of it at first. Of few texts nothing is learned, nor beside many labels; nor of any for a taxonomy of many leaves,
    for which there is no room for enough of them."""
    taught = syllabus(topics, labels)
    rows = [features(lesson.text) for lesson in taught.lessons]
    first, said = _first(taught, rows)
    room = LARGE - len(rows) - (0 if said is None else len(said.rows))
    others = _evenly(sorted({*texts} - {label.text for label in labels}), min(MOST_OTHERS, room))
    if not taught.leaves or len(others) < FEWEST_OTHERS * len(taught.leaves):
        return first, first.read(texts)
    scores = first.scores(others)
    shares = probabilities(scores, SHARPNESS * first.temperature, 0.0)
    sureness = float(probabilities(scores, first.temperature, first.doubt).max(axis=1).mean())
    model, unseen = _fitted(taught, rows, said, _Guessed([features(text) for text in others], shares, sureness))
    scores_of = dict(zip(others, unseen, strict=True))
    return model, [model.reading_of(text, scores_of.get(text)) for text in texts]


def _evenly(texts: Sequence[str], most: int) -> list[str]:
    if len(texts) <= most:
        return list(texts)
    return [texts[at * len(texts) // most] for at in range(max(most, 0))]


def _first(taught: Syllabus, rows: list[dict[str, float]]) -> tuple[Model, Learned | None]:
    """A model of the lessons and of what it can tell, by the lessons alone, of how residents say things."""
    said = learned_by(_fitted(taught, rows)[0]) if taught.leaves else None
    return _fitted(taught, rows, said)[0], said


def _fitted(
    taught: Syllabus, rows: list[dict[str, float]], said: Learned | None = None, guessed: _Guessed | None = None
) -> tuple[Model, Any]:
    """The model, and how it scores the guessed texts: each as if that one had not been learned."""
    import numpy

    leaf_wishes, category_wishes, knows_leaf = _wishes(taught)
    weights = numpy.array([lesson.weight for lesson in taught.lessons])
    category_of = [taught.categories.index(leaf.category) for leaf in taught.leaves]
    columns = numpy.array([*category_of, -1], dtype=int)
    has_item = numpy.array([*(leaf.item is not None for leaf in taught.leaves), True])
    if said is not None:  # small talk goes on weighing as much as one leaf
        asks = numpy.array([lesson.category >= 0 for lesson in taught.lessons[: taught.labelled]])
        weights[: taught.labelled][~asks] *= 1 + said.weights.sum() / weights[: taught.labelled][asks].sum()
    further = [] if said is None else [said]
    if guessed is not None:
        further.append(Learned(guessed.rows, guessed.shares, numpy.full(len(guessed.rows), OTHERS_WEIGHT)))
    for more in further:
        rows = rows + more.rows
        leaf_wishes = numpy.vstack([leaf_wishes, more.shares])
        of_category = numpy.zeros((len(more.rows), category_wishes.shape[1]))
        numpy.add.at(of_category.T, columns, more.shares.T)
        category_wishes = numpy.vstack([category_wishes, of_category])
        knows_leaf = numpy.concatenate([knows_leaf, numpy.ones(len(more.rows), dtype=bool)])
        weights = numpy.concatenate([weights, more.weights])
    count = len(rows) - (0 if guessed is None else len(guessed.rows))
    spread = Counter(name for row in rows for name in row)
    names = list(spread)
    idf = numpy.array([math.log((1 + len(rows)) / (1 + spread[name])) + 1 for name in names])
    of_items, of_categories = _matrices(rows, {name: at for at, name in enumerate(names)}, idf, factors_of(names))

    judged = numpy.arange(taught.labelled, len(taught.lessons))
    judged = judged[knows_leaf[judged]]
    if len(rows) > LARGE:
        judged = judged[::8]
    answers = leaf_wishes[judged].argmax(axis=1)
    judged = numpy.concatenate([judged, numpy.arange(count, len(rows))])
    categories, category_offsets, category_unseen = _ridge(of_categories, category_wishes, weights, judged)
    known = numpy.flatnonzero(knows_leaf)
    items, item_offsets, item_unseen = _ridge(
        of_items[known], leaf_wishes[known], weights[known], numpy.searchsorted(known, judged)
    )
    unseen = joined(item_unseen, category_unseen, columns, has_item)
    unseen, others = unseen[: len(answers)], unseen[len(answers) :]
    rule = (TEMPERATURE if said is None else TEMPERATURE_SAID) / math.log(max(leaf_wishes.shape[1], 2))
    if guessed is not None:
        rule = _as_sure(others, guessed.sureness)
    temperature, doubt = _calibrated(unseen, answers, rule)
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
    return Model(json.loads(json.dumps(head)), arrays), others


def _matrices(rows: Sequence[dict[str, float]], place: dict[str, int], idf: Any, factors: Sequence[Any]) -> list[Any]:
    import numpy
    from scipy.sparse import csr_matrix, diags_array

    ends = numpy.cumsum([0, *map(len, rows)])
    places = numpy.array([place[name] for row in rows for name in row], dtype=int)
    values = damped(numpy.array([amount for row in rows for amount in row.values()])) * idf[places]
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


def _calibrated(unseen: Any, right: Any, rule: float) -> tuple[float, float]:
    """The temperature and the doubt at which the labelled texts, read unseen, are least surprising; near the rule while
    they are few."""
    import numpy

    def surprise(candidate: tuple[float, float]) -> float:
        temperature, doubt = candidate
        shares = probabilities(unseen, temperature, doubt)[numpy.arange(len(right)), right]
        strayed = math.log(temperature / rule) ** 2 + (20 * (doubt - DOUBT)) ** 2
        return PRIOR_STRENGTH * strayed - float(numpy.log(numpy.maximum(shares, 1e-9)).sum())

    if len(right) == 0:
        return rule, DOUBT
    return min(((one, doubt) for one in (rule, *TEMPERATURES) for doubt in DOUBTS), key=surprise)


def _as_sure(scores: Any, sureness: float) -> float:
    """The temperature at which the mean of the largest shares is `sureness`."""
    low, high = TEMPERATURES[0] / 10, TEMPERATURES[-1]
    for _ in range(30):
        middle = math.sqrt(low * high)
        if float(probabilities(scores, middle, DOUBT).max(axis=1).mean()) > sureness:
            low = middle
        else:
            high = middle
    return middle
