"""The classifier: taught by the taxonomy alone, the same on every replica, and modest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.matching import classify
from services.matching.classify import Classifier, Reading
from tests.matching.given import CATEGORIES, CHOIR, GIBBERISH, LEAK, PESTS, PLUMBING


@pytest.fixture(scope="module")
def tiny():
    return Classifier("tiny", CATEGORIES)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (LEAK, PLUMBING),
        ("我家厨房有蟑螂", PESTS),
        ("想唱歌，有合唱团吗", CHOIR),
        ("our kitchen tap is leaking", PLUMBING),
        ("may I SING in your choir", CHOIR),
        ("ＰＩＰＥ leaking", PLUMBING),
    ],
)
def test_reads_both_languages(tiny, text, item):
    (reading,) = tiny.read([text])
    assert reading.item == item
    assert classify.THRESHOLD <= reading.confidence <= 1


@pytest.mark.parametrize("text", [GIBBERISH, "？？？", "12345", "Добрый день", "你好", "hello"])
def test_does_not_guess(tiny, text):
    (reading,) = tiny.read([text])
    assert (reading.item, reading.category) == (None, None)


def test_a_batch_reads_as_one_by_one(tiny):
    texts = [LEAK, GIBBERISH, "蟑螂", "唱歌"]
    assert tiny.read(texts) == [reading for text in texts for reading in tiny.read([text])]
    assert tiny.read([]) == []


def test_ids_and_order_of_the_taxonomy_do_not_matter(tiny):
    turned = tuple(
        category.model_copy(
            update={
                "id": f"x-{category.id}",
                "items": tuple(item.model_copy(update={"id": f"x-{item.id}"}) for item in reversed(category.items)),
            }
        )
        for category in reversed(CATEGORIES)
    )
    texts = [LEAK, "蟑螂", "唱歌", "你好", GIBBERISH]
    prefixed = [
        Reading(f"x-{r.item}" if r.item else None, f"x-{r.category}" if r.category else None, r.confidence)
        for r in tiny.read(texts)
    ]
    assert Classifier("turned", turned).read(texts) == prefixed


@pytest.mark.parametrize("items", [0, 1, 2])
def test_small_taxonomies(items):
    category = CATEGORIES[0].model_copy(update={"items": CATEGORIES[0].items[:items]})
    (leak, hello) = Classifier("small", (category,)).read(["水龙头漏水了", "你好"])
    assert leak.item == (PLUMBING if items else None)
    assert hello.item is None
    assert Classifier("none", ()).read(["水龙头"]) == [Reading(None, None, 0.0)]


def test_a_version_is_learned_once():
    learned = []

    def load():
        learned.append(1)
        return CATEGORIES

    first = classify.classifier("once", 1, "tiny", load)
    assert classify.classifier("once", 1, "tiny", load) is first
    assert first.name == "linear-char-v1/tiny/1"
    assert classify.classifier("once", 2, "tiny", load).name == "linear-char-v1/tiny/2"
    assert learned == [1, 1]


def test_sklearn_is_not_loaded_at_start_up():
    code = "import sys, services.matching.app; sys.exit(any(m.startswith(('sklearn', 'numpy')) for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
