"""What is looked for, and who could be asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Place = tuple[float, float]
"""Latitude and longitude, in degrees."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is looked for: the item with its names and the confidence (0 to 1) of the reading, where, in which words, and what
    the resident asks of whoever comes: at most `fee_limit` yuan, a language, to be open at a time. `weights` are the
    community's."""

    item: str
    item_zh: str
    item_en: str
    confidence: float
    compound: str
    text: str
    fee_limit: Decimal | None = None
    speaks: str | None = None
    at_a_time: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opening:
    """A published offer and whose it is, as far as it matters to some need.

    `serves`: the organization is registered or in incubation. `agreed`: it has an agreement in force for the item. `is_open` at
    the moment that the resident asks for. `barred`: a conflict is recorded. `used` is how many requests it was asked for in the
    last seven days, `used_before` without today's; `awards` how many projects it was given in the last ninety. `meters` is the
    way from where it works (None: not known), `price_of_capacity` (0 to 1) what a place with it was worth at the last claim
    meeting. `satisfaction`, `low` and `high` (0 to 1) and `stars` are None below five ratings.
    """

    organization: str
    name_zh: str
    name_en: str
    offer: str
    title_zh: str
    title_en: str
    item: str
    fee_mode: str
    price: str | None
    unit: str
    area: Collection[str] | None
    weekly_capacity: int
    languages: Collection[str] = ("zh",)
    serves: bool = True
    agreed: bool = True
    is_open: bool = True
    barred: bool = False
    used: int = 0
    used_before: int = 0
    awards: int = 0
    meters: float | None = None
    price_of_capacity: float = 0.0
    satisfaction: float | None = None
    low: float | None = None
    high: float | None = None
    stars: float | None = None
    ratings: int = 0
