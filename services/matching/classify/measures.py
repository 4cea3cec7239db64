"""How well a model reads: against labels that it has not learned from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.matching.classify.lessons import Label
from services.matching.classify.model import Reading

BINS = 10
PRECISIONS = (0.9, 0.95)


class Judged(NamedTuple):
    """One text: what it was read as, with which probability, and what it is."""

    said: str
    p: float
    right: str


class Measures(NamedTuple):
    """All between 0 and 1. `ece` is the expected calibration error over ten bins of equal width; `coverage` is, for each
    precision, the largest share of the texts that can be decided, the surest first, with so many of them right."""

    texts: int
    accuracy: float
    macro_f1: float
    ece: float
    coverage: dict[float, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        coverages = {f"coverage_at_{precision:g}": share for precision, share in self.coverage.items()}
        return {"texts": self.texts, "accuracy": self.accuracy, "macro_f1": self.macro_f1, "ece": self.ece, **coverages}


def finest(readings: Sequence[Reading], labels: Sequence[Label]) -> list[Judged]:
    """Each text judged as finely as it is labelled: by its item, or, where only that is known, by its category."""
    judged = []
    for reading, label in zip(readings, labels, strict=True):
        has_items = any(choice.category == label.category and choice.item is not None for choice in reading.ranked)
        if label.item is None and has_items:
            judged.append(_by_category(reading, label))
        elif reading.best is not None:
            best = reading.best
            judged.append(Judged(_name(best.category, best.item), best.p, _name(str(label.category), label.item)))
    return judged


def by_category(readings: Sequence[Reading], labels: Sequence[Label]) -> list[Judged]:
    """Each text judged by its category; the probability of a category is the sum of its items'."""
    return [_by_category(reading, label) for reading, label in zip(readings, labels, strict=True) if reading.best]


def measures(judged: Sequence[Judged]) -> Measures:
    """The measures of some judged texts; of none, all are 0."""
    if not judged:
        return Measures(0, 0.0, 0.0, 0.0, dict.fromkeys(PRECISIONS, 0.0))
    total = len(judged)
    accuracy = sum(one.said == one.right for one in judged) / total
    return Measures(
        texts=total,
        accuracy=round(accuracy, 4),
        macro_f1=round(_macro_f1(judged), 4),
        ece=round(_calibration_error(judged), 4),
        coverage={precision: round(_coverage(judged, precision), 4) for precision in PRECISIONS},
    )


def _by_category(reading: Reading, label: Label) -> Judged:
    shares: dict[str, float] = defaultdict(float)
    for choice in reading.ranked:
        shares[choice.category] += choice.p
    best = max(shares, key=lambda category: shares[category])
    return Judged(best, min(shares[best], 1.0), str(label.category))


def _name(category: str, item: str | None) -> str:
    return category if item is None else f"{category}/{item}"


def _macro_f1(judged: Sequence[Judged]) -> float:
    """The mean over all classes that occur among the labels."""
    hits = Counter(one.right for one in judged if one.said == one.right)
    said, right = Counter(one.said for one in judged), Counter(one.right for one in judged)
    return sum(2 * hits[name] / (said[name] + right[name]) for name in right) / len(right)


def _calibration_error(judged: Sequence[Judged]) -> float:
    bins: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        bins[min(int(one.p * BINS), BINS - 1)].append(one)
    return sum(abs(sum(one.p - (one.said == one.right) for one in some)) for some in bins.values()) / len(judged)


def _coverage(judged: Sequence[Judged], precision: float) -> float:
    hits, share = 0, 0.0
    for count, one in enumerate(sorted(judged, key=lambda one: -one.p), start=1):
        hits += one.said == one.right
        if hits >= precision * count:
            share = count / len(judged)
    return share
