"""Reading: taught by the taxonomy and by labels, the same on every replica, and modest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.matching import classify
from services.matching.classify.fitting import fit
from services.matching.classify.lessons import Label, Leaf, syllabus, topics_of_fact, topics_of_file
from services.matching.classify.measures import Judged, measures
from services.matching.classify.model import Model
from services.matching.classify.words import FIELD, FILES, MATTER, SYNONYM, features
from tests.matching.given import CATEGORIES, CHOIR, GIBBERISH, LEAK, PESTS, PLUMBING

TOPICS = topics_of_fact(CATEGORIES)
TEXTS = [LEAK, GIBBERISH, "蟑螂", "唱歌", "你好", "", "our kitchen tap is leaking"]


@pytest.fixture(scope="module")
def tiny():
    return fit(TOPICS)


def read(model, text):
    (reading,) = model.read([text])
    return reading


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (LEAK, PLUMBING),
        ("我家厨房有蟑螂", PESTS),
        ("想唱歌，有合唱团吗", CHOIR),
        ("our kitchen tap is leaking", PLUMBING),
        ("may I SING in your choir", CHOIR),
        ("ＰＩＰＥ leaking", PLUMBING),
        # Words that no phrase has, but that stand with some that do in the lists of related words.
        ("屋里有耗子", PESTS),
        ("the faucet", PLUMBING),
    ],
)
def test_reads_both_languages(tiny, text, item):
    reading = read(tiny, text)
    assert reading.best.item == item
    assert not reading.abstain
    assert classify.THRESHOLD <= reading.best.p <= 1


@pytest.mark.parametrize("text", [GIBBERISH, "？？？", "12345", "Добрый день", "你好", "hello", "", "旺铺转让，加微信联系"])
def test_does_not_guess(tiny, text):
    assert read(tiny, text).abstain


def test_probabilities_are_probabilities(tiny):
    for reading in tiny.read(TEXTS):
        assert sum(choice.p for choice in reading.ranked) + reading.nothing == pytest.approx(1, abs=1e-3)
        assert [choice.p for choice in reading.ranked] == sorted((choice.p for choice in reading.ranked), reverse=True)


def test_a_batch_reads_as_one_by_one(tiny):
    assert tiny.read(TEXTS) == [read(tiny, text) for text in TEXTS]
    assert tiny.read([]) == []


def test_ids_and_order_of_the_taxonomy_do_not_matter(tiny):
    turned = tuple(
        topic._replace(id=f"x-{topic.id}", items=tuple(item._replace(id=f"x-{item.id}") for item in reversed(topic.items)))
        for topic in reversed(TOPICS)
    )
    own = [[(f"x-{c.category}", f"x-{c.item}", c.p) for c in reading.ranked] for reading in tiny.read(TEXTS)]
    assert [[tuple(choice) for choice in reading.ranked] for reading in fit(turned).read(TEXTS)] == own


@pytest.mark.parametrize("items", [0, 1, 2])
def test_small_taxonomies(items):
    topic = TOPICS[0]._replace(items=TOPICS[0].items[:items])
    model = fit((topic,))
    assert read(model, "水龙头漏水了，家里东西坏了").best[:2] == (topic.id, topic.items[0].id if items else None)
    assert read(model, "你好").abstain


def test_an_empty_taxonomy_reads_nothing():
    reading = read(fit(()), "水龙头")
    assert (reading.ranked, reading.best, reading.abstain) == ((), None, True)


def test_a_stored_model_reads_the_same(tiny):
    assert Model.load(tiny.dump()).read(TEXTS) == tiny.read(TEXTS)


def test_two_replicas_learn_and_read_alike():
    """Whatever order their processes keep sets in: the same lessons give the same model, and its bytes the same readings."""
    code = (
        "import hashlib\n"
        "from services.matching.classify import Model, fit\n"
        "from services.matching.classify.lessons import Label, topics_of_fact\n"
        "from tests.matching.given import CATEGORIES, PESTS\n"
        "stored = fit(topics_of_fact(CATEGORIES), [Label(f'隔壁麻将声{n}', 'housing', PESTS) for n in range(9)]).dump()\n"
        "print(hashlib.sha256(stored).hexdigest(), Model.load(stored).read(['水管漏水', '隔壁麻将', 'rats in the kitchen']))\n"
    )
    replicas = [
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert replicas[0] == replicas[1] != ""


def test_a_model_of_another_method_is_refused(tiny, monkeypatch):
    stored = tiny.dump()
    monkeypatch.setattr("services.matching.classify.model.METHOD", "tea-leaves-v1")
    with pytest.raises(ValueError, match="fit it again"):
        Model.load(stored)


def test_labels_are_learned():
    text = "麻将声太吵"
    labels = [Label(text, "leisure", CHOIR), Label("麻将", "leisure", CHOIR), Label("隔壁麻将", "leisure", CHOIR)]
    assert read(fit(TOPICS, labels), text).best.item == CHOIR
    assert read(fit(TOPICS, [Label(text, None), Label("麻将声", None)]), text).nothing > read(fit(TOPICS), text).nothing
    unknown = [Label(text, "weather", "rain"), Label(text, "leisure", "golf")]
    assert fit(TOPICS, unknown).read(TEXTS) == fit(TOPICS).read(TEXTS)


def test_many_labels_of_one_kind_do_not_drown_the_others():
    many = [Label(f"第{n}号楼的事", TOPICS[0].id, PLUMBING) for n in range(40)]
    taught = syllabus(TOPICS, [*many, Label("合唱", None), Label("蟑螂", TOPICS[0].id, PESTS)]).lessons[-42:]
    weights = {lesson.text: lesson.weight for lesson in taught}
    assert weights["第1号楼的事"] < 0.5 < weights["合唱"] == weights["蟑螂"]
    even = syllabus(TOPICS, [Label("合唱", None), Label("蟑螂", TOPICS[0].id, PESTS)]).lessons[-2:]
    assert [lesson.weight for lesson in even] == [0.5, 0.5]


def test_many_lessons_are_learned_as_few_are(tiny, monkeypatch):
    labels = [Label(f"{text}{n}号楼", "housing", item) for n in range(8) for text, item in ((LEAK, PLUMBING), ("蟑螂", PESTS))]
    exactly = fit(TOPICS, labels)
    monkeypatch.setattr("services.matching.classify.fitting.LARGE", 10)
    step_by_step = fit(TOPICS, labels)
    for one, other in zip(exactly.read(TEXTS), step_by_step.read(TEXTS), strict=True):
        assert one.best[:2] == other.best[:2]


def test_says_what_spoke_for_it(tiny):
    pieces = dict(tiny.explain("厨房有耗子", Leaf("housing", PESTS)))
    assert any("耗子" in piece for piece in pieces)
    assert all(share > 0 for share in pieces.values())
    ((phrase, similarity),) = tiny.most_like("老鼠", ["老鼠进屋了", "想加入合唱团唱歌"])
    assert phrase == "老鼠进屋了" and 0 < similarity <= 1


@pytest.mark.parametrize(
    ("taxonomy", "says"),
    [
        ([], "a list of `categories`"),
        ({"categories": []}, "at least one category"),
        ({"categories": [{"name": {"zh": "一"}}]}, "categories[0] needs an `id`"),
        ({"categories": [{"id": "a"}]}, "categories[0].name needs one of zh and en"),
        ({"categories": [{"id": "a", "name": {"zh": "一"}}] * 2}, "'a' is given twice"),
        ({"categories": [{"id": "a", "name": {"zh": "一"}, "phrases": ["x"]}]}, "phrases has a list for each language"),
        ({"categories": [{"id": "a", "name": {"zh": "一"}, "items": [{"id": "b"}]}]}, "items[0].name needs one"),
    ],
)
def test_a_file_that_is_no_taxonomy_says_where(taxonomy, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        topics_of_file(taxonomy)


def test_measures():
    judged = [Judged("a", 0.95, "a"), Judged("a", 0.85, "a"), Judged("b", 0.75, "a"), Judged("b", 0.15, "b")]
    found = measures(judged)
    assert (found.texts, found.accuracy) == (4, 0.75)
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-3)
    assert found.ece == pytest.approx((0.05 + 0.15 + 0.75 + 0.85) / 4)
    assert found.coverage == {0.9: 0.5, 0.95: 0.5}
    assert measures([]).texts == 0


def test_words_that_are_listed_together_speak_for_each_other():
    assert set(features("耗子")) & set(features("mouse")) == {f"{SYNONYM}蟑螂", f"{MATTER}老鼠"}


def test_every_line_of_related_words_has_a_name_of_its_own():
    for sign, name in FILES.items():
        lines = (Path(classify.__file__).parent / name).read_text(encoding="utf-8").splitlines()
        names = [line.split(": ")[0] if sign == FIELD else line.split()[0] for line in lines if not line.startswith("#")]
        assert len(names) == len(set(names))


def test_numpy_is_not_loaded_at_start_up():
    code = "import sys, services.matching.app; sys.exit(any(m.startswith(('sklearn', 'scipy', 'numpy')) for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
