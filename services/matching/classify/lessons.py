"""What a model learns from: the names and phrases of a taxonomy, texts somebody labelled, and small talk."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.events.registry import Category
from shared.events.registry import Item as TaxonomyItem

NAME_WEIGHT, LABEL_WEIGHT = 3.0, 0.5
"""A phrase weighs 1. A labelled text tells much beside what it asks for."""
FIRM = 2.0
"""Of a kind with so few labels the number says nothing yet."""

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
    "测试测试",
    "暂时没有需要",
    "都挺好的，没什么事",
    "随便看看",
    "吃了吗",
    "写封感谢信，表扬一下好心人，好人一生平安",
    "谢谢你们上次来，办得很好",
    "祝你们工作顺利，身体健康",
    "世界杯谁会赢",
    "股票又跌了",
    "今天好冷啊，明天要下雨",
    "转发这条消息有好运",
    "精装房急售，价格面议，中介勿扰",
    "旺铺转让，位置好，客流大",
    "专业承接各种工程，价格优惠，加微信联系",
    "本店新开业，全场八折，欢迎光临",
    "低息放款，当天到账，无需抵押",
    "高薪诚聘，日结，详情私聊",
    "点击链接领红包",
    "出售二手车一辆，有意电话联系",
    "good morning everyone",
    "hi there",
    "hello, is anybody here",
    "just trying out this form",
    "never mind, it was nothing",
    "many thanks for everything",
    "what a sunny day it is",
    "did you watch the game yesterday",
    "happy holidays to all of you",
    "which film won the prize this year",
    "that is a very funny story",
    "test test 123",
    "testing, one two three",
    "nothing at the moment, everything is fine",
    "thank you note to a kind stranger",
    "when does the match start on saturday",
    "big sale this week, fifty percent off",
    "flat for sale, no agents please",
    "click this link to win a prize",
    "cheap loans, no questions asked",
)


class Topic(NamedTuple):
    """A category or an item, as it is taught: its names and phrases in whatever languages there are."""

    id: str
    names: tuple[str, ...]
    phrases: tuple[str, ...]
    items: tuple[Topic, ...] = ()


class Leaf(NamedTuple):
    """What a text can be read as: an item with its category, or a category that has no items."""

    category: str
    item: str | None


class Label(NamedTuple):
    """A text somebody labelled; without an item where only the category is known, without either where it asks for
    nothing."""

    text: str
    category: str | None
    item: str | None = None


class Lesson(NamedTuple):
    """One text to learn from. `leaf` and `category` are places in the leaves and categories; -1 asks for nothing; a leaf of
    None is not known."""

    text: str
    leaf: int | None
    category: int
    weight: float = 1.0


class Syllabus(NamedTuple):
    """All lessons of a taxonomy. `leaves` and `categories` (ids) are in the order of their names, not of their ids, so that
    a copy of the taxonomy with other ids is learned in the same way. The labelled lessons stand from `labelled` on."""

    leaves: tuple[Leaf, ...]
    categories: tuple[str, ...]
    lessons: tuple[Lesson, ...]
    labelled: int


def topics_of_fact(categories: Iterable[Category]) -> tuple[Topic, ...]:
    """The topics of a published taxonomy."""
    return tuple(
        Topic(*_taught(category), items=tuple(Topic(*_taught(item)) for item in category.items)) for category in categories
    )


def topics_of_file(taxonomy: Mapping[str, Any]) -> tuple[Topic, ...]:
    """The topics of a taxonomy file. Raises ValueError with a sentence for one of another shape."""
    if isinstance(taxonomy, Mapping):
        _refuse_slips(taxonomy, ("id", "version", "categories"), "the taxonomy")
    if not isinstance(taxonomy, Mapping) or not isinstance(taxonomy.get("categories"), list):
        raise ValueError("A taxonomy is a mapping with a list of `categories`.")
    topics = tuple(_topic(category, f"categories[{at}]") for at, category in enumerate(taxonomy["categories"]))
    for ids in ([topic.id for topic in topics], *([item.id for item in topic.items] for topic in topics)):
        if repeated := [id for id, times in Counter(ids).items() if times > 1]:
            raise ValueError(f"The id {repeated[0]!r} is given twice.")
    if not topics:
        raise ValueError("A taxonomy has at least one category.")
    return topics


def syllabus(topics: Sequence[Topic], labels: Iterable[Label] = ()) -> Syllabus:
    """Everything there is to learn. A label of a category or item that the taxonomy does not have is left out."""
    topics = sorted(topics, key=lambda topic: (topic.names, topic.id))
    leaves: list[Leaf] = []
    lessons: list[Lesson] = []
    for place, topic in enumerate(topics):
        if not topic.items:
            lessons += _lessons(topic, len(leaves), place)
            leaves.append(Leaf(topic.id, None))
            continue
        lessons += _lessons(topic, None, place)
        for item in sorted(topic.items, key=lambda item: (item.names, item.id)):
            lessons += _lessons(item, len(leaves), place)
            leaves.append(Leaf(topic.id, item.id))
    # Small talk weighs as much as one leaf, so that it does not drown a small taxonomy.
    weight = min(1.0, 1 * max(len(lessons), 1) / (max(len(leaves), 1) * len(NOTHING_ASKED)))
    lessons += [Lesson(text, -1, -1, weight) for text in NOTHING_ASKED]
    place_of = {topic.id: place for place, topic in enumerate(topics)}
    leaf_of = {leaf: place for place, leaf in enumerate(leaves)}
    taught = len(lessons)
    lessons += _evened(_labelled(labels, leaf_of, place_of))
    return Syllabus(tuple(leaves), tuple(topic.id for topic in topics), tuple(lessons), taught)


def _labelled(labels: Iterable[Label], leaf_of: Mapping[Leaf, int], place_of: Mapping[str, int]) -> Iterator[Lesson]:
    for label in sorted(set(labels), key=lambda label: (label.text, label.category or "", label.item or "")):
        if label.category is None:
            yield Lesson(label.text, -1, -1, LABEL_WEIGHT)
        elif label.category in place_of:
            leaf = leaf_of.get(Leaf(label.category, label.item))
            if leaf is not None or label.item is None:
                yield Lesson(label.text, leaf, place_of[label.category], LABEL_WEIGHT)


def _evened(lessons: Iterable[Lesson]) -> list[Lesson]:
    """The labelled texts, each of a weight that falls as the root of how many there are of its kind: many labels of one kind
    are not to drown the others, nor is a chance draw of a few to pass for how often each is asked for."""
    labelled = list(lessons)
    counts = Counter((one.leaf, one.category) for one in labelled)
    usual = len(labelled) / max(len(counts), 1) + FIRM
    return [one._replace(weight=one.weight * (usual / (counts[one.leaf, one.category] + FIRM)) ** 0.5) for one in labelled]


def _lessons(topic: Topic, leaf: int | None, category: int) -> list[Lesson]:
    return [
        *(Lesson(phrase, leaf, category) for phrase in topic.phrases),
        *(Lesson(name, leaf, category, NAME_WEIGHT) for name in topic.names),
    ]


def _taught(thing: Category | TaxonomyItem) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return thing.id, tuple(filter(None, (thing.name_zh, thing.name_en))), (*thing.phrases_zh, *thing.phrases_en)


def _topic(given: Any, where: str, with_items: bool = True) -> Topic:
    id = given.get("id") if isinstance(given, Mapping) else None
    if isinstance(id, bool) or not isinstance(id, str | int) or id == "":
        raise ValueError(f"{where} needs an `id` (in quotes where it looks like a yes or no).")
    _refuse_slips(given, ("id", "name", "phrases", *(["items"] if with_items else [])), where)
    name, phrases, items = given.get("name") or {}, given.get("phrases") or {}, given.get("items")
    # A language without a name may be left empty: programs that write all keys do so.
    written = [one for one in name.values() if one is not None] if isinstance(name, Mapping) else None
    names = _texts(written, f"{where}.name")
    if not names:
        raise ValueError(f"{where}.name needs one of zh and en.")
    if not isinstance(phrases, Mapping):
        raise ValueError(f"{where}.phrases has a list for each language.")
    listed = [phrase for some in phrases.values() for phrase in _listed(some, where)]
    if items and not (with_items and isinstance(items, list)):
        raise ValueError(f"{where}.items is a list, and items have none of their own.")
    below = tuple(_topic(item, f"{where}.items[{at}]", with_items=False) for at, item in enumerate(items or []))
    return Topic(str(id), names, _texts(listed, f"{where}.phrases"), below)


def _refuse_slips(given: Mapping[Any, Any], known: Sequence[str], where: str) -> None:
    """Raises ValueError for a key that is probably a slip of the pen: what stands under it would be left out unnoticed. Other
    keys are left to whoever wrote them."""
    for name in given:
        close = difflib.get_close_matches(str(name), known, 1, 0.75)
        if name not in known and close:
            raise ValueError(f"{where} has a `{name}`; probably `{close[0]}` is meant.")


def _listed(some: Any, where: str) -> list[Any]:
    if some is not None and not isinstance(some, list):
        raise ValueError(f"{where}.phrases has a list for each language.")
    return some or []


def _texts(values: Any, where: str) -> tuple[str, ...]:
    texts = None if values is None else tuple(values)
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{where} holds texts by language (put what looks like a number or a yes in quotes).")
    return tuple(text for text in texts if text.strip())
