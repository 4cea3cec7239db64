"""What the sample community is made of, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from shared.events.registry import FeeMode, OrganizationClass, PriceUnit
from shared.events.words import Channel, Language, ProjectKind

LabelKind = Literal["need", "two-needs", "complaint", "duplicate", "off-topic"]


def _empty_to_none(value: Any) -> Any:
    return None if value == "" else value


def _semicolons(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value


def _area(value: Any) -> Any:
    return None if value == "all" else _semicolons(value)


Line = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Identifiers = Annotated[tuple[Identifier, ...], BeforeValidator(_semicolons), Field(min_length=1)]
Names = Annotated[tuple[Line, ...], BeforeValidator(_semicolons)]


@dataclass(frozen=True)
class Text:
    """The same words in Chinese and in English."""

    zh: Line
    en: Line


@dataclass(frozen=True)
class Phrases:
    """How residents say it, in Chinese and in English."""

    zh: tuple[Line, ...]
    en: tuple[Line, ...]


@dataclass(frozen=True)
class Community:
    """The community; `id` is the slug the sample is opened under."""

    id: Identifier
    name: Text


@dataclass(frozen=True)
class Compound:
    """A residential compound, its size, and where it lies (degrees)."""

    id: Identifier
    name_zh: Line
    name_en: Line
    buildings: int
    households: int
    residents: int
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Item:
    """A service item of the taxonomy."""

    id: Identifier
    name: Text
    phrases: Phrases


@dataclass(frozen=True)
class Category:
    """A category of the taxonomy with its items."""

    id: Identifier
    name: Text
    phrases: Phrases
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Taxonomy:
    """The categories and items of the supermarket."""

    id: Identifier
    version: int
    categories: tuple[Category, ...]

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Every item, in the order of the file."""
        return tuple(item for category in self.categories for item in category.items)

    @cached_property
    def category_of(self) -> Mapping[str, str]:
        """The category's id of each item's id."""
        return {item.id: category.id for category in self.categories for item in category.items}


@dataclass(frozen=True)
class Organization:
    """An organization, known by its Chinese name: how it came to be one, whether it is a hub, the hub or association it is
    under, the agreement it signs: its categories, from and to which day; and the compound from which it works."""

    name_zh: Line
    name_en: Line
    organization_class: OrganizationClass
    made_up: bool
    origin: Literal["incubated", "formed", "absorbed"]
    hub: bool
    parents: Names
    introduction_zh: Line
    introduction_en: Line
    agreement_categories: Identifiers
    agreement_starts_on: date
    agreement_ends_on: date
    based_in: Identifier


@dataclass(frozen=True)
class Offer:
    """An entry of the menu. `price` is in yuan, None where free; `area` None means the whole community."""

    organization_zh: Line
    title_zh: Line
    title_en: Line
    item: Identifier
    fee_mode: FeeMode
    price: Annotated[Decimal | None, BeforeValidator(_empty_to_none)]
    unit: PriceUnit
    standard_zh: Line
    standard_en: Line
    area: Annotated[tuple[Identifier, ...] | None, BeforeValidator(_area)]
    hours: Line
    weekly_capacity: Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Request:
    """A need in a resident's words. `day` counts from 1, the season's first day."""

    number: int
    day: int
    channel: Channel
    compound: Identifier
    language: Language
    text: Line


@dataclass(frozen=True)
class Label:
    """What a careful clerk would choose for a request; `item` is None where it is off-topic."""

    number: int
    item: Annotated[Identifier | None, BeforeValidator(_empty_to_none)]
    second_item: Annotated[Identifier | None, BeforeValidator(_empty_to_none)]
    kind: LabelKind


@dataclass(frozen=True)
class Quality:
    """How well an organization really serves (0 to 1), and the share of referrals it declines. No service reads it."""

    organization_zh: Line
    quality: Share
    decline_rate: Share


@dataclass(frozen=True)
class Activity:
    """Something an organization holds for the residents: on the `day`-th day of the season, from `starts` for `hours` hours.
    `beneficiaries` is how many came, None where it was cancelled."""

    organization_zh: Line
    category: Identifier
    title_zh: Line
    title_en: Line
    place_zh: Line
    place_en: Line
    day: int
    starts: time
    hours: Annotated[int, Field(ge=1)]
    capacity: Annotated[int, Field(ge=1)]
    outcome: Literal["held", "cancelled"]
    beneficiaries: Annotated[int | None, BeforeValidator(_empty_to_none)]


@dataclass(frozen=True)
class Talent:
    """Somebody of the talent pool, without a name; `how` they joined, led or founded an organization, both empty where not
    yet. `skills` are categories."""

    name_zh: Line
    name_en: Line
    skills: Identifiers
    how: Annotated[Literal["joined", "led", "founded"] | None, BeforeValidator(_empty_to_none)]
    organization_zh: Annotated[Line | None, BeforeValidator(_empty_to_none)]


@dataclass(frozen=True)
class Return:
    """An incubation that is sent back: at which step, to which, and why."""

    at: Identifier
    to: Identifier
    reason: Line


@dataclass(frozen=True)
class Attempt:
    """One passage through the incubation: what was decided at each gate that was opened (step -> reason), where it was sent
    back, and why it failed at the step after, if it did."""

    decisions: Mapping[Identifier, Line]
    returned: Return | None = None
    failure: Line | None = None


@dataclass(frozen=True)
class Standard:
    """A registration standard that a group did not meet, whom the station asked, and the answer."""

    name: Text
    asked: Line
    answer: Line


@dataclass(frozen=True)
class GreenChannel:
    """The green channel of a group, and who answers for it meanwhile."""

    guarantor: Line
    standards: tuple[Standard, ...]


@dataclass(frozen=True)
class Incubation:
    """How an incubated organization came to be registered: by the five steps, or by the green channel."""

    organization_zh: Line
    attempts: tuple[Attempt, ...] = ()
    green_channel: GreenChannel | None = None


@dataclass(frozen=True)
class Term:
    """An agreement that comes to its end within the season, so many days after the opening, and whether it is renewed."""

    organization_zh: Line
    days: Annotated[int, Field(ge=31)]
    renewed: bool


@dataclass(frozen=True)
class Expert:
    """An expert, without a name, the categories they know, and the organizations they may not judge."""

    name_zh: Line
    name_en: Line
    categories: Identifiers
    conflicts: Names


@dataclass(frozen=True)
class Project:
    """A project as the station writes it out of the needs for its `items`."""

    id: Identifier
    kind: ProjectKind
    title_zh: Line
    title_en: Line
    scope_zh: Line
    scope_en: Line
    category: Identifier
    items: Identifiers
    fee_mode: FeeMode
    price: Annotated[Decimal | None, BeforeValidator(_empty_to_none)]
    budget: Decimal
    deadline_days: Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class ClaimWishes:
    """What an organization claims at the claim meeting: project ids in the order of its wish, and how many it can take."""

    organization_zh: Line
    capacity: Annotated[int, Field(ge=1)]
    projects: Identifiers


@dataclass(frozen=True)
class Sample:
    """The whole sample; every reference between its files was checked."""

    community: Community
    compounds: tuple[Compound, ...]
    taxonomy: Taxonomy
    organizations: tuple[Organization, ...]
    offers: tuple[Offer, ...]
    requests: tuple[Request, ...]
    labels: Mapping[int, Label]
    quality: Mapping[str, Quality]
    activities: tuple[Activity, ...] = ()
    talents: tuple[Talent, ...] = ()
    experts: tuple[Expert, ...] = ()
    projects: tuple[Project, ...] = ()
    claims: tuple[ClaimWishes, ...] = ()
    incubations: tuple[Incubation, ...] = ()
    terms: tuple[Term, ...] = ()
