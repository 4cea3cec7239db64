"""How well requests are read with no labels, 70 and 200, beside the plain linear model one would begin with; and how fast.

On the sample's requests, whose labels were written by someone who did not see the taxonomy's phrases. What was chosen was
chosen on texts of our own and on the first 200 requests. All figures are of the last 200 alone; labels to learn from are
drawn from the first 200.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.sample_community import load_sample
from services.matching.classify import grams
from services.matching.classify.lessons import Label, Leaf, Topic, syllabus
from services.matching.classify.measures import Judged, Measures, by_category, finest, measures
from services.matching.classify.model import Model, fit
from tests.benchmarks.measure import Row

CHOSEN_ON = 200
SMALL, LARGE = 70, 200
LOAD = (
    "import sys, time\n"
    "data = open(sys.argv[1], 'rb').read()\n"
    "import services.matching.classify.model as model\n"
    "began = time.perf_counter()\n"
    "model.Model.load(data).read(['水管漏水'])\n"
    "print(time.perf_counter() - began)\n"
)


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: shares right, calibration and coverage by number of labels; texts a second, milliseconds a text, load time. There
    are 400 requests, whatever the `scale`."""
    topics, first, last = _sample()
    model = fit(topics)
    for count in (0, SMALL, LARGE):
        draws = (
            [first]
            if count >= len(first)
            else [random.Random(seed).sample(first, count) for seed in range(runs if count else 1)]
        )
        plain = [_plain(topics, labels, last) for labels in draws]
        ours = [_ours(topics, labels, last) for labels in draws]
        name = f"{count} labels: "
        begun = Row.of(f"{name}a plain linear model on character 1-2-grams: items right", "share", plain)
        yield begun
        yield Row.of(f"{name}items right", "share", [items.accuracy for items, _ in ours], begun)
        yield Row.of(f"{name}macro-F1 of items", "share", [items.macro_f1 for items, _ in ours])
        yield Row.of(f"{name}categories right", "share", [categories.accuracy for _, categories in ours])
        yield Row.of(f"{name}calibration error of items", "share", [items.ece for items, _ in ours])
        for precision in (0.9, 0.95):
            yield Row.of(f"{name}decided with {precision:g} right", "share", [items.coverage[precision] for items, _ in ours])
    yield from _speed(model, [label.text for label in (*first, *last)], runs)


def _speed(model: Model, texts: Sequence[str], runs: int) -> Iterator[Row]:
    import tempfile

    rates, ninety_ninth, loads = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        model.read(texts)
        rates.append(len(texts) / (time.perf_counter() - began))
        single = []
        for text in texts:
            began = time.perf_counter()
            model.read([text])
            single.append(1000 * (time.perf_counter() - began))
        ninety_ninth.append(statistics.quantiles(single, n=100)[98])
    with tempfile.NamedTemporaryFile() as file:
        file.write(model.dump())
        file.flush()
        for _ in range(runs):
            out = subprocess.run([sys.executable, "-c", LOAD, file.name], check=True, capture_output=True, text=True)
            loads.append(1000 * float(out.stdout))
    yield Row.of("reading, one thread", "texts/s", rates)
    yield Row.of("reading one text, p99", "ms", ninety_ninth)
    yield Row.of("a fresh process loads numpy and a model, and reads the first text", "ms", loads)


def _sample() -> tuple[tuple[Topic, ...], list[Label], list[Label]]:
    sample = load_sample()
    topics = tuple(
        Topic(*_taught(category), items=tuple(Topic(*_taught(item)) for item in category.items))
        for category in sample.taxonomy.categories
    )
    labels = []
    for request in sample.requests:
        item = sample.labels[request.number].item
        labels.append(Label(request.text, sample.taxonomy.category_of[item] if item else None, item or None))
    return topics, labels[:CHOSEN_ON], labels[CHOSEN_ON:]


def _taught(thing: Any) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return thing.id, (thing.name.zh, thing.name.en), (*thing.phrases.zh, *thing.phrases.en)


def _ours(topics: Sequence[Topic], labels: Sequence[Label], judged: Sequence[Label]) -> tuple[Measures, Measures]:
    asking = [label for label in judged if label.category is not None]
    readings = fit(topics, labels).read([label.text for label in asking])
    return measures(finest(readings, asking)), measures(by_category(readings, asking))


def _plain(topics: Sequence[Topic], labels: Sequence[Label], judged: Sequence[Label]) -> float:
    """TF-IDF and one linear support vector machine on the same names, phrases and labels."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    taught = syllabus(topics, labels)
    lessons = [lesson for lesson in taught.lessons if lesson.leaf is not None and lesson.leaf >= 0]
    pipeline = make_pipeline(TfidfVectorizer(analyzer=grams, sublinear_tf=True), LinearSVC(random_state=0))
    pipeline.fit([lesson.text for lesson in lessons], [lesson.leaf for lesson in lessons])
    asking = [label for label in judged if label.category is not None]
    said: Sequence[Leaf] = [taught.leaves[place] for place in pipeline.predict([label.text for label in asking])]
    right = [
        Judged(str(leaf), 1.0, str(Leaf(str(label.category), label.item))) for leaf, label in zip(said, asking, strict=True)
    ]
    return measures(right).accuracy
