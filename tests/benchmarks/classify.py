"""How well requests are read with no labels, 70 and 200, beside the plain linear model one would begin with; and how fast.

On the sample's 400 requests, whose labels were written by someone who did not see the taxonomy's phrases. Cross-validated: in
each run they are dealt anew into four parts, alike in what is asked for, and each part is read by models that learned from
labels drawn from the other three alone. The lists of fields and synonyms were written with the first 200 requests at hand,
and what is learned of the sayings was chosen by them; by the last 200 nothing was chosen, though they were looked at; so the
figures of the last 200 are those to go by. Matters and sayings were written by hands that had seen no request and no taxonomy.

Beside it 200 messages to a city (`city.csv`), short titles in seven classes, with a taxonomy of ten phrases a class: made up
afterwards for this, texts first and by one hand. What the sayings weigh was compared on them too.
"""

from __future__ import annotations

import csv
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.sample_community import load_sample
from services.matching.classify.fitting import fit
from services.matching.classify.lessons import Label, Leaf, Topic, syllabus, topics_of_file
from services.matching.classify.measures import Judged, by_category, finest, measures
from services.matching.classify.model import Model, Reading
from services.matching.classify.several import needs_in
from tests.benchmarks.measure import Row

HERE = Path(__file__).parent
CHOSEN_ON = 200
COUNTS = (0, 70, 200)
FOLDS = 4
LOAD = (
    "import sys, time\n"
    "import numpy\n"
    "data = open(sys.argv[1], 'rb').read()\n"
    "import services.matching.classify.model as model\n"
    "began = time.perf_counter(), time.process_time()\n"
    "model.Model.load(data).read(['水管漏水'])\n"
    "print(time.perf_counter() - began[0], time.process_time() - began[1])\n"
)
CLAUSES = (
    "我妈八十多了",
    "腿脚不好",
    "家里水管漏水",
    "楼下都淋湿了",
    "想请师傅来修",
    "孩子放学没人接",
    "也想找个地方托管",
    "谢谢你们",
)
Way = Callable[[Sequence[Topic], Sequence[Label], Sequence[Label]], tuple[list[Judged], list[Judged]]]
"""Learns from labels, reads the texts of others; how each was judged by its item, and by its category."""


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: shares right, calibration and coverage by number of labels; texts a second, milliseconds a text, load time. There
    are 400 requests, whatever the `scale`; with a small one they are dealt into two parts, not four."""
    topics, labels = _sample()
    folds = FOLDS if scale == 1 else 2
    yield from _elsewhere(runs, folds)
    for count in COUNTS:
        name = f"{count} labels: "
        tried = runs if count else 1
        plain = [_crossed(_plain, topics, labels, count, seed, folds) for seed in range(tried)]
        ours = [_crossed(_ours, topics, labels, count, seed, folds) for seed in range(tried)]
        for part, chosen in (("last 200", True), ("all", False)):
            begun = Row.of(f"{name}{part}, plain model: items right", "share", _accuracies(plain, chosen))
            yield begun
            yield Row.of(f"{name}{part}: items right", "share", _accuracies(ours, chosen), begun)
            items = [measures(_part(one, chosen)) for one, _ in ours]
            yield Row.of(f"{name}{part}: macro-F1 of items", "share", [one.macro_f1 for one in items])
            yield Row.of(f"{name}{part}: calibration error of items", "share", [one.ece for one in items])
            for precision in (0.9, 0.95):
                decided = [one.coverage[precision] for one in items]
                yield Row.of(f"{name}{part}: decided with {precision:g} right", "share", decided)
            categories = [measures(_part(one, chosen)) for _, one in ours]
            yield Row.of(f"{name}{part}: categories right", "share", [one.accuracy for one in categories])
    yield from _told_apart(topics, labels)
    yield from _speed(fit(topics), [label.text for label in labels], runs)


def _told_apart(topics: Sequence[Topic], labels: Sequence[Label]) -> Iterator[Row]:
    """Messages with two needs: how many are told apart with the right items, and how many others without cause; by a model
    without labels, and by one that learned those of the first 200 requests."""
    sample = load_sample()
    marked = [sample.labels[request.number] for request in sample.requests]
    last = [(request.text, one.item, one.second_item) for request, one in zip(sample.requests, marked, strict=True)][CHOSEN_ON:]
    with (HERE / "several.csv").open(encoding="utf-8", newline="") as file:
        made_up = [(one["part"], (one["text"], one["item"], one["second_item"])) for one in csv.DictReader(file)]
    unseen, later = ([message for part, message in made_up if part == name] for name in ("unseen", "later"))
    for learned in (0, CHOSEN_ON):
        model = fit(topics, labels[:learned])
        for name, messages in (("last 200 requests", last), ("made-up messages", unseen), ("messages made up later", later)):
            found = [{need.item for need in needs_in(model, text, model.reading_of(text))} for text, _, _ in messages]
            two = [{first, second} == needs for (_, first, second), needs in zip(messages, found, strict=True) if second]
            one = [len(needs) > 1 for (_, _, second), needs in zip(messages, found, strict=True) if not second]
            what = f"{learned} labels, {name}: needs"
            yield Row.of(f"{what} told apart rightly, of {len(two)}", "messages", [sum(two)])
            yield Row.of(f"{what} told apart without cause, of {len(one)}", "messages", [sum(one)])


def _elsewhere(runs: int, folds: int) -> Iterator[Row]:
    """The messages to a city: a taxonomy of another kind, and texts of another kind."""
    topics, labels = _city()
    for count in (0, 70):
        name, tried = f"messages to a city, {count} labels", range(runs if count else 1)
        plain, ours = (
            [measures([*_crossed(way, topics, labels, count, seed, folds)[0].values()]) for seed in tried]
            for way in (_plain, _ours)
        )
        begun = Row.of(f"{name}, plain model: right", "share", [one.accuracy for one in plain])
        yield begun
        yield Row.of(f"{name}: right", "share", [one.accuracy for one in ours], begun)
        yield Row.of(f"{name}: macro-F1", "share", [one.macro_f1 for one in ours])
        yield Row.of(f"{name}: calibration error", "share", [one.ece for one in ours])
        for precision in (0.9, 0.95):
            yield Row.of(f"{name}: decided with {precision:g} right", "share", [one.coverage[precision] for one in ours])


def _crossed(
    way: Way, topics: Sequence[Topic], labels: Sequence[Label], count: int, seed: int, folds: int
) -> tuple[dict[int, Judged], dict[int, Judged]]:
    """How each request that asks for something was judged, by its place: by item, and by category."""
    chance = random.Random(seed)
    parts = _dealt(labels, folds, chance) if count else [list(range(len(labels)))]
    by_item: dict[int, Judged] = {}
    by_its_category: dict[int, Judged] = {}
    for part in parts:
        others = [labels[at] for at in _dealt(labels, 1, chance)[0] if at not in set(part)]
        asking = [at for at in part if labels[at].category is not None]
        items, categories = way(topics, others[:count], [labels[at] for at in asking])
        by_item |= zip(asking, items, strict=True)
        by_its_category |= zip(asking, categories, strict=True)
    return by_item, by_its_category


def _dealt(labels: Sequence[Label], folds: int, chance: random.Random) -> list[list[int]]:
    """Places dealt into parts that are alike: the requests for each item one after the other, shuffled. A single part begins
    with as many different items as there are."""
    by_leaf = defaultdict(list)
    for at in chance.sample(range(len(labels)), len(labels)):
        by_leaf[labels[at].category, labels[at].item].append(at)
    dealt: list[list[int]] = [[] for _ in range(folds)]
    if folds == 1:
        rounds = [(turn / len(some), chance.random(), at) for some in by_leaf.values() for turn, at in enumerate(some)]
        return [[at for _, _, at in sorted(rounds)]]
    for turn, at in enumerate(at for some in by_leaf.values() for at in some):
        dealt[turn % folds].append(at)
    return dealt


def _part(judged: dict[int, Judged], only_last: bool) -> list[Judged]:
    return [one for at, one in judged.items() if at >= CHOSEN_ON or not only_last]


def _accuracies(tried: Sequence[tuple[dict[int, Judged], dict[int, Judged]]], only_last: bool) -> list[float]:
    return [measures(_part(items, only_last)).accuracy for items, _ in tried]


def _speed(model: Model, texts: Sequence[str], runs: int) -> Iterator[Row]:
    import tempfile

    rates, ninety_ninth, spent, loads, loading = [], [], [], [], []
    for _ in range(runs):
        anew = Model.load(model.dump())  # which remembers nothing
        began = time.perf_counter()
        anew.read(texts)
        rates.append(len(texts) / (time.perf_counter() - began))
        anew = Model.load(model.dump())
        single = []
        for text in texts:
            start = time.perf_counter(), time.thread_time()
            anew.read([text])
            single.append((1000 * (time.perf_counter() - start[0]), 1000 * (time.thread_time() - start[1])))
        for into, which in ((ninety_ninth, 0), (spent, 1)):
            into.append(statistics.quantiles([one[which] for one in single], n=100)[98])
    with tempfile.NamedTemporaryFile() as file:
        file.write(model.dump())
        file.flush()
        for _ in range(runs):
            out = subprocess.run([sys.executable, "-c", LOAD, file.name], check=True, capture_output=True, text=True)
            for into, seconds in zip((loads, loading), out.stdout.split(), strict=True):
                into.append(1000 * float(seconds))
    clauses, told = "，".join(CLAUSES), []
    for _ in range(max(runs, 5)):
        anew = Model.load(model.dump())
        start = time.thread_time()
        needs_in(anew, clauses, anew.reading_of(clauses))
        told.append(1000 * (time.thread_time() - start))
    yield Row.of("reading, one thread", "texts/s", rates)
    yield Row.of("reading one text, p99", "ms", ninety_ninth)
    yield Row.of("reading one text, processor time, p99", "ms", spent)
    yield Row.of("reading a text of eight clauses and telling its needs apart, processor time", "ms", told)
    yield Row.of("a fresh process that has numpy loads a model and reads the first text", "ms", loads)
    yield Row.of("the same, processor time", "ms", loading)


def _sample() -> tuple[tuple[Topic, ...], list[Label]]:
    sample = load_sample()
    topics = tuple(
        Topic(*_taught(category), items=tuple(Topic(*_taught(item)) for item in category.items))
        for category in sample.taxonomy.categories
    )
    labels = []
    for request in sample.requests:
        item = sample.labels[request.number].item
        labels.append(Label(request.text, sample.taxonomy.category_of[item] if item else None, item or None))
    return topics, labels


def _city() -> tuple[tuple[Topic, ...], list[Label]]:
    import yaml

    topics = topics_of_file(yaml.safe_load((HERE / "city.yaml").read_text(encoding="utf-8")))
    with (HERE / "city.csv").open(encoding="utf-8", newline="") as file:
        return topics, [Label(row["text"], row["category"]) for row in csv.DictReader(file)]


def _taught(thing: Any) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return thing.id, (thing.name.zh, thing.name.en), (*thing.phrases.zh, *thing.phrases.en)


def _ours(topics: Sequence[Topic], labels: Sequence[Label], judged: Sequence[Label]) -> tuple[list[Judged], list[Judged]]:
    return _both(fit(topics, labels).read([label.text for label in judged]), judged)


def _both(readings: list[Reading], judged: Sequence[Label]) -> tuple[list[Judged], list[Judged]]:
    return finest(readings, judged), by_category(readings, judged)


def _plain(topics: Sequence[Topic], labels: Sequence[Label], judged: Sequence[Label]) -> tuple[list[Judged], list[Judged]]:
    """TF-IDF on single characters and pairs and one linear support vector machine, on the same names, phrases and labels."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    taught = syllabus(topics, labels)
    lessons = [lesson for lesson in taught.lessons if lesson.leaf is not None and lesson.leaf >= 0]
    pieces = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    pipeline = make_pipeline(pieces, LinearSVC(random_state=0))
    pipeline.fit([lesson.text for lesson in lessons], [lesson.leaf for lesson in lessons])
    said: Sequence[Leaf] = [taught.leaves[place] for place in pipeline.predict([label.text for label in judged])]
    right = [Leaf(str(label.category), label.item) for label in judged]
    return (
        [Judged(str(one), 1.0, str(other)) for one, other in zip(said, right, strict=True)],
        [Judged(one.category, 1.0, other.category) for one, other in zip(said, right, strict=True)],
    )
