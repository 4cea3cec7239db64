"""Reading requests: which item of the taxonomy a resident's words ask for.

`words` says what a text is known by, `lessons` what there is to learn from, `model` learns and reads, `measures` judges. No
model is downloaded: what it knows beyond the taxonomy's own names and phrases is two lists of related words. numpy and scipy
are loaded when they are first needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.matching.classify.lessons import topics_of_fact
from services.matching.classify.model import METHOD, THRESHOLD, Choice, Model, Reading, fit
from services.matching.classify.words import grams
from shared.events.registry import Category

__all__ = ["METHOD", "THRESHOLD", "Choice", "Classifier", "Model", "Reading", "classifier", "fit", "grams", "load_library"]

KEPT_CLASSIFIERS = 16


class Classifier(NamedTuple):
    """A model and its name."""

    name: str
    model: Model


def load_library() -> None:
    """Load what fitting needs, which takes a while the first time, before a transaction waits for it."""
    import scipy.sparse  # noqa: F401


_lock = threading.Lock()
_classifiers: dict[tuple[str, int], Classifier] = {}


def classifier(taxonomy: str, version: int, name: str, load: Callable[[], Sequence[Category]]) -> Classifier:
    """The classifier of a version of a taxonomy, fitted when this process needs it first. `load` gives the taxonomy's
    categories."""
    with _lock:
        known = _classifiers.get((taxonomy, version))
        if known is None:
            known = Classifier(f"{METHOD}/{name}/{version}", fit(topics_of_fact(load())))
            while len(_classifiers) >= KEPT_CLASSIFIERS:
                del _classifiers[next(iter(_classifiers))]
            _classifiers[taxonomy, version] = known
        return known
