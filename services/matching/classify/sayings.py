"""How residents say what they need: some thousand made-up messages (`sayings.tsv`), each with plain names of what it asks for,
as different lists of services have it.

A model that knows a taxonomy's phrases reads the names, which are like phrases; what it makes of them is then learned of the
message. So words that no phrase has come to speak for an item of whatever taxonomy: 摸黑下楼 for its lamps in corridors.
Messages and names were written for this, by hands that had seen no taxonomy, request or label of the sample's or of the
benchmarks'.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from services.matching.classify.model import Model, probabilities
from services.matching.classify.words import SAYINGS, features

KNOWN, EVIDENCE = 0.3, 0.2
"""The probability, and the score beyond what every text would have, below which the names of a message say that it has no place
in the taxonomy."""
BUNDLE = 4
"""Messages that say the same are learned together, so many as one lesson: the equations grow with the lessons."""
WEIGHT, FIRM = 0.15, 2.0
"""What a message weighs, times the usual number of messages for a leaf (and FIRM) by the number for this one."""
SHARPNESS = 0.5
"""By how much the temperature is lowered at which the readings of names are taken."""


class Saying(NamedTuple):
    """A message and the plain names, Chinese and English, of what it asks for."""

    text: str
    names: tuple[str, ...]


class Learned(NamedTuple):
    """Lessons that nobody labelled: what they are known by, the shares of each leaf (the last column: nothing is asked), and
    what they weigh."""

    rows: list[dict[str, float]]
    shares: Any
    weights: Any


@cache
def sayings() -> tuple[Saying, ...]:
    """All of them."""
    lines = (line.split("\t") for line in (Path(__file__).parent / SAYINGS).read_text(encoding="utf-8").splitlines())
    return tuple(Saying(text, (*chinese.split("、"), *english.split(", "))) for text, chinese, english in lines)


def learned_by(model: Model) -> Learned | None:
    """What there is to learn from the messages for a taxonomy, by what a model makes of their names; None where no message
    has a place in it."""
    import numpy

    known = sayings()
    names = list(dict.fromkeys(name for saying in known for name in saying.names))
    place = {name: at for at, name in enumerate(names)}
    of_names = model.scores(names)
    scores = numpy.array([of_names[[place[name] for name in saying.names]].mean(axis=0) for saying in known])
    sureness = probabilities(scores, model.temperature, model.doubt)
    shares = probabilities(scores, SHARPNESS * model.temperature, 0.0)
    evidence = scores - model.offsets
    alike: dict[int, list[int]] = defaultdict(list)
    for at in numpy.argsort(-sureness.max(axis=1), kind="stable"):
        leaf = int(sureness[at].argmax())
        if leaf < len(model.leaves) and sureness[at, leaf] >= KNOWN and evidence[at, leaf] >= EVIDENCE:
            alike[leaf].append(int(at))
    bundles = []
    for some in alike.values():
        count = max(1, round(len(some) / BUNDLE))
        bundles += [some[first::count] for first in range(count)]
    if not bundles:
        return None
    rows: list[dict[str, float]] = []
    for bundle in bundles:
        row: dict[str, float] = defaultdict(float)
        for at in bundle:
            for name, amount in features(known[at].text).items():
                row[name] += amount
        rows.append(row)
    common = Counter(name for row in rows for name in row)
    sizes = numpy.array([len(bundle) for bundle in bundles])
    meant = numpy.array([shares[bundle].mean(axis=0) for bundle in bundles])
    counts = (meant * sizes[:, None]).sum(axis=0)
    usual = sizes.sum() / max(int((counts > 0.5).sum()), 1)
    weights = WEIGHT * (meant * (usual / (counts + FIRM))).sum(axis=1) * sizes**0.5
    # What one bundle alone has speaks for nothing else, and would make the model half as large again.
    kept = [{name: row[name] for name in row if common[name] > 1 or model.knows(name)} for row in rows]
    return Learned(kept, meant, weights)
