"""`fenghe classify`: texts on the standard input read by any taxonomy; JSON lines in, JSON lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from deploy.errors import CommandError
from services.matching.classify.fitting import fit, read_together
from services.matching.classify.lessons import Label, Leaf, Topic, topics_of_file
from services.matching.classify.measures import by_category, finest, measures
from services.matching.classify.model import Model, Reading

SMALLEST = 0.005
FEWEST = 3
"""A choice is printed when it is so probable, or among so many best."""


class Line(NamedTuple):
    """One line of input that could be read."""

    number: int
    given: dict[str, Any]

    @property
    def text(self) -> str:
        """What somebody wrote."""
        return str(self.given["text"])


class Report:
    """Counts and tells bad lines."""

    def __init__(self) -> None:
        self.bad = 0

    def __call__(self, source: str, number: int, what: str) -> None:
        self.bad += 1
        print(f"{source}, line {number}: {what}", file=sys.stderr)


class Asked(NamedTuple):
    """What is to be said of the texts. `one_by_one`: each is read as it comes, and nothing is learned from the others."""

    explain: bool = False
    evaluate: bool = False
    one_by_one: bool = False


def classify(taxonomy: Path, train: Path | None, asked: Asked, texts: BinaryIO | None = None) -> int:
    """Read the texts of the standard input, and print what each asks for or, with `evaluate`, how well that was read. Their
    words, never their labels, help to read one another. Returns how many lines could not be used. Raises CommandError where
    there is nothing to read them by."""
    if isinstance(sys.stdout, TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")  # JSON lines are, whatever the machine's own language
    report = Report()
    topics = _topics(taxonomy)
    labels = _labels_of(train, topics, report) if train else []
    lines = read_lines("standard input", texts or sys.stdin.buffer, report)
    if asked.evaluate:
        right = [label for _, label in _labels("standard input", lines, topics, report)]
        _, readings = _read(topics, labels, [label.text for label in right], asked)
        _evaluate(topics, readings, right)
        return report.bad
    if asked.one_by_one:
        model = fit(topics, labels)
        for line in lines:
            _print(model, topics, line.text, model.read([line.text])[0], asked.explain)
        return report.bad
    given = [line.text for line in lines]
    model, readings = _read(topics, labels, given, asked)
    for text, reading in zip(given, readings, strict=True):
        _print(model, topics, text, reading, asked.explain)
    return report.bad


def _read(
    topics: tuple[Topic, ...], labels: Sequence[Label], texts: Sequence[str], asked: Asked
) -> tuple[Model, list[Reading]]:
    if asked.one_by_one:
        model = fit(topics, labels)
        return model, model.read(texts)
    return read_together(topics, labels, texts)


def _print(model: Model, topics: tuple[Topic, ...], text: str, reading: Reading, explain: bool) -> None:
    answer: dict[str, Any] = {"text": text, "ranked": _ranked(reading), "abstain": reading.abstain}
    if explain:
        answer["why"] = _why(model, topics, text, reading)
    print(json.dumps(answer, ensure_ascii=False))


def read_lines(source: str, stream: Iterable[bytes], report: Report) -> Iterator[Line]:
    """The lines that are JSON objects with a text; the others are reported, empty ones passed over."""
    for number, raw in enumerate(stream, start=1):
        if not raw.strip():
            continue
        try:
            given = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        except ValueError:
            report(source, number, "this is not JSON in UTF-8")
            continue
        except RecursionError:
            report(source, number, "this is nested too deeply")
            continue
        if not isinstance(given, dict) or not isinstance(given.get("text"), str):
            report(source, number, 'this is not an object with a "text"')
        elif not _is_unicode(given["text"]):
            report(source, number, "the text has half a character (a lone surrogate)")
        else:
            yield Line(number, given)


def _topics(path: Path) -> tuple[Topic, ...]:
    import yaml

    try:
        with path.open("rb") as file:
            return topics_of_file(yaml.load(file, _loader()))  # noqa: S506
    except OSError as error:
        raise CommandError(f"The taxonomy {path} cannot be read: {error.strerror}.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise CommandError(f"The taxonomy {path} is not YAML: {where}{error.problem}.") from error
    except yaml.YAMLError as error:
        raise CommandError(f"The taxonomy {path} is not YAML in UTF-8: {error}.") from error
    except RecursionError as error:
        raise CommandError(f"The taxonomy {path} is not one: it is nested too deeply.") from error
    except ValueError as error:
        raise CommandError(f"The taxonomy {path} is not one: {error}") from error


def _loader() -> Any:
    """The loader of plain values, which takes no key twice: of two lists under the same one the first would be lost."""
    import yaml

    class Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:str" and key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"there is a second {key.value!r}", key.start_mark)
                seen.add(key.value if isinstance(key.value, str) else id(key))
            return super().construct_mapping(node, deep)

    return Strict


def _labels_of(path: Path, topics: tuple[Topic, ...], report: Report) -> list[Label]:
    try:
        with path.open("rb") as file:
            labels = [label for _, label in _labels(str(path), read_lines(str(path), file, report), topics, report)]
    except OSError as error:
        raise CommandError(f"The labelled texts {path} cannot be read: {error.strerror}.") from error
    return labels


def _labels(source: str, lines: Iterable[Line], topics: tuple[Topic, ...], report: Report) -> Iterator[tuple[Line, Label]]:
    """The labels of lines that have one the taxonomy knows; `"category": null` says that nothing is asked for."""
    items = {topic.id: {item.id for item in topic.items} for topic in topics}
    for line in lines:
        if "category" not in line.given:
            report(source, line.number, 'this has no "category"')
            continue
        category, item = (None if line.given.get(key) is None else str(line.given[key]) for key in ("category", "item"))
        if category is not None and category not in items:
            report(source, line.number, f"there is no category {category!r} in the taxonomy")
        elif item is not None and item not in items.get(category or "", ()):
            report(source, line.number, f"there is no item {item!r} in the category {category!r} of the taxonomy")
        else:
            yield line, Label(line.text, category, item)


def _evaluate(topics: tuple[Topic, ...], readings: Sequence[Reading], labels: Sequence[Label]) -> None:
    """Print one JSON object: how well texts were read at the level at which they are labelled, how well their categories
    were, how many decisions were left to people, and how many texts that ask for nothing were left alone."""
    asking = [(reading, label) for reading, label in zip(readings, labels, strict=True) if label.category is not None]
    read, right = [reading for reading, _ in asking], [label for _, label in asking]
    idle = [reading for reading, label in zip(readings, labels, strict=True) if label.category is None]
    answer = measures(finest(read, right)).as_dict()
    answer["abstained"] = round(sum(reading.abstain for reading in read) / max(len(read), 1), 4)
    if any(topic.items for topic in topics):
        answer["category"] = measures(by_category(read, right)).as_dict()
    if idle:
        answer["nothing_asked"] = {"texts": len(idle), "abstained": sum(reading.abstain for reading in idle)}
    print(json.dumps(answer))


def _ranked(reading: Reading) -> list[dict[str, Any]]:
    shown = [choice for at, choice in enumerate(reading.ranked) if at < FEWEST or choice.p >= SMALLEST]
    return [choice._asdict() for choice in shown]


def _why(model: Model, topics: tuple[Topic, ...], text: str, reading: Reading) -> dict[str, Any]:
    """What spoke for the first choice: pieces of the text with their shares of the score, and its phrases most like it."""
    best = reading.best
    assert best is not None
    taught = [topic for topic in topics if topic.id == best.category]
    if best.item is not None:
        taught = [item for topic in taught for item in topic.items if item.id == best.item]
    phrases = [phrase for topic in taught for phrase in (*topic.phrases, *topic.names)]
    return {
        "pieces": [{"piece": piece, "share": share} for piece, share in model.explain(text, Leaf(best.category, best.item))],
        "phrases": [{"phrase": phrase, "similarity": similarity} for phrase, similarity in model.most_like(text, phrases)],
    }


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
