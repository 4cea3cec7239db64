"""What is made of a resident's words beside the item: what to ask, what to warn of."""

from __future__ import annotations

from typing import Any, NamedTuple

from services.matching.classify.model import Choice, Model
from services.matching.classify.several import needs_in
from services.matching.classify.signals import alarm_in, is_abusive

ASKED = 3
"""The most choices that are shown to whoever is asked."""
WORTH_ASKING = 0.02
"""A choice less probable than this is not shown."""


class Understanding(NamedTuple):
    """What a text was read as. Without an item it is left to the resident, who is asked to pick one of `choices`, and to the
    station. `needs` are the different items a text seems to ask for, where it is more than one; of a text that is not surely
    about either, they are the first choices."""

    item: str | None
    category: str | None
    confidence: float
    choices: tuple[Choice, ...] = ()
    needs: tuple[Choice, ...] = ()
    is_off_topic: bool = False

    def as_kept(self, text: str, model: str) -> dict[str, Any]:
        """What a request keeps of it, and of which `model` (its name) read it."""
        return {
            "model": model,
            "choices": [choice._asdict() for choice in self.choices],
            "needs": [choice._asdict() for choice in self.needs],
            "off_topic": self.is_off_topic,
            "abusive": is_abusive(text),
        }


def understand(model: Model, text: str) -> Understanding:
    """Read a text. What calls for help at once, and what is not sure enough, is decided by people."""
    (reading,) = model.read([text])
    best = reading.best
    if best is None:
        return Understanding(None, None, 0.0)
    if alarm_in(text) is not None:
        return Understanding(None, None, best.p)
    if reading.nothing > best.p:
        return Understanding(None, None, best.p, is_off_topic=True)
    needs = tuple(need for need in needs_in(model, text, reading) if need.item is not None)
    needs = needs if len(needs) > 1 else ()
    if reading.abstain or best.item is None:
        likely = [choice for choice in reading.ranked[:ASKED] if choice.item is not None and choice.p >= WORTH_ASKING]
        asked = {choice[:2]: choice for choice in (*likely, *needs)}
        first = sorted(asked.values(), key=lambda choice: choice[:2] not in {need[:2] for need in needs})
        return Understanding(None, None, best.p, tuple(first[:ASKED]), needs)
    return Understanding(best.item, best.category, best.p, (), needs)
