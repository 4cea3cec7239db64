"""The facts: one room per teller, the envelope in `base`. Importing this package fills the catalogue."""

from shared.events import feedback, matching, notify, registry
from shared.events.base import CloudEvent, Fact, Part, catalogue, fact_class, json_format

__all__ = [
    "CloudEvent",
    "Fact",
    "Part",
    "catalogue",
    "fact_class",
    "feedback",
    "json_format",
    "matching",
    "notify",
    "registry",
]
