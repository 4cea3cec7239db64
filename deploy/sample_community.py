"""The sample community (`deploy/sample/`), read into typed values. A mistake in a file is a `SampleError` that names it and
the line.

Nothing here talks to a service: `deploy/season/` plays with what is read here.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import yaml
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from deploy.errors import CommandError
from shared.events.matching import Channel, Language
from shared.events.registry import FeeMode, OrganizationClass, PriceUnit

SAMPLE_FOLDER = Path(__file__).parent / "sample"

LabelKind = Literal["need", "two-needs", "complaint", "duplicate", "off-topic"]


class SampleError(CommandError, ValueError):
    """A mistake in a file of the sample, as `file:line: what is wrong`."""


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
    """A residential compound and its size."""

    id: Identifier
    name_zh: Line
    name_en: Line
    buildings: int
    households: int
    residents: int


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
    """An organization, known by its Chinese name, and the agreement it signs: its categories, from and to which day."""

    name_zh: Line
    name_en: Line
    organization_class: OrganizationClass
    made_up: bool
    introduction_zh: Line
    introduction_en: Line
    agreement_categories: Identifiers
    agreement_starts_on: date
    agreement_ends_on: date


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


RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Row(Generic[RowT]):
    """A row of a CSV file, with the place to name where it is wrong."""

    place: str
    value: RowT

    def wrong(self, what: str) -> SampleError:
        """The error that says what is wrong with this row."""
        return SampleError(f"{self.place}: {what}")


def load_sample(folder: Path = SAMPLE_FOLDER) -> Sample:
    """The sample community in `folder`. Raises SampleError for a missing file, a bad value, an unknown or double name."""
    community = _read_yaml(folder / "community.yaml", Community)
    taxonomy = _read_yaml(folder / "taxonomy.yaml", Taxonomy)
    compounds = _read_rows(folder / "compounds.csv", Compound)
    organizations = _read_rows(folder / "organizations.csv", Organization, {"class": "organization_class"})
    offers = _read_rows(folder / "offers.csv", Offer)
    requests = _read_rows(folder / "requests.csv", Request)
    labels = _read_rows(folder / "labels.csv", Label)
    quality = _read_rows(folder / "quality.csv", Quality)

    categories = [category.id for category in taxonomy.categories]
    items = [item.id for item in taxonomy.items]
    _once_each(folder / "taxonomy.yaml", "category", categories)
    _once_each(folder / "taxonomy.yaml", "item", items)
    names = _unique(organizations, "name_zh")
    places = _unique(compounds, "id")
    numbers = _unique(requests, "number")
    _unique(labels, "number")
    _unique(quality, "organization_zh")
    for organization in organizations:
        _known(organization, "category", organization.value.agreement_categories, categories)
        if organization.value.agreement_ends_on < organization.value.agreement_starts_on:
            raise organization.wrong("the agreement ends before it starts")
    terms = {organization.value.name_zh: organization.value.agreement_categories for organization in organizations}
    for offer in offers:
        _known(offer, "organization", [offer.value.organization_zh], names)
        _known(offer, "item", [offer.value.item], items)
        _known(offer, "compound", offer.value.area or (), places)
        if (offer.value.price is None) != (offer.value.fee_mode == "free"):
            raise offer.wrong("a free offer has no price, any other has one")
        if taxonomy.category_of[offer.value.item] not in terms[offer.value.organization_zh]:
            raise offer.wrong(f"the agreement of {offer.value.organization_zh} does not cover {offer.value.item!r}")
    _unique_pairs(offers)
    for request in requests:
        _known(request, "compound", [request.value.compound], places)
    for label in labels:
        _known(label, "request", [label.value.number], numbers)
        _known(label, "item", [i for i in (label.value.item, label.value.second_item) if i is not None], items)
        if (label.value.item is None) != (label.value.kind == "off-topic"):
            raise label.wrong("an off-topic request has no item, any other has one")
    for row in quality:
        _known(row, "organization", [row.value.organization_zh], names)
    _all_there(folder / "labels.csv", "request", numbers, {row.value.number for row in labels})
    _all_there(folder / "quality.csv", "organization", names, {row.value.organization_zh for row in quality})

    return Sample(
        community=community,
        compounds=tuple(row.value for row in compounds),
        taxonomy=taxonomy,
        organizations=tuple(row.value for row in organizations),
        offers=tuple(row.value for row in offers),
        requests=tuple(row.value for row in requests),
        labels={row.value.number: row.value for row in labels},
        quality={row.value.organization_zh: row.value for row in quality},
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SampleError(f"{path}: the file is missing") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SampleError(f"{path}:{line}: not UTF-8") from error


def _read_rows(path: Path, kind: type[RowT], renamed: Mapping[str, str] | None = None) -> list[Row[RowT]]:
    """The rows of a CSV file as `kind`; `renamed` maps a column to a field's name where they differ."""
    adapter = TypeAdapter(kind)
    reader = csv.DictReader(_read_text(path).splitlines(keepends=True), strict=True)
    columns = {(renamed or {}).get(column, column) for column in reader.fieldnames or ()}
    expected = {field.name for field in fields(cast(Any, kind))}
    if columns != expected:
        odd = ", ".join(sorted(columns ^ expected))
        raise SampleError(f"{path}:1: the header differs from what is expected in: {odd}")
    rows = []
    for line, values in _lines(path, reader):
        place = f"{path}:{line}"
        if None in values or None in values.values():
            raise SampleError(f"{place}: the row has not as many values as the header has columns")
        try:
            value = adapter.validate_python({(renamed or {}).get(key, key): text for key, text in values.items()})
        except ValidationError as error:
            raise SampleError(f"{place}: {_first(error)}") from error
        rows.append(Row(place, value))
    return rows


def _lines(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[Any, Any]]]:
    """Each row with the line it starts on (a quoted value may hold line breaks)."""
    ended_on = reader.line_num
    try:
        for values in reader:
            yield ended_on + 1, values
            ended_on = reader.line_num
    except csv.Error as error:
        raise SampleError(f"{path}:{reader.line_num}: {error}") from error


def _read_yaml(path: Path, kind: type[RowT]) -> RowT:
    text = _read_text(path)
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        return TypeAdapter(kind).validate_python(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SampleError(f"{path}:{mark.line + 1 if mark else 1}: {error.problem or error}") from error
    except ValidationError as error:
        raise SampleError(f"{path}:{_line_of(tree, error.errors()[0]['loc'])}: {_first(error)}") from error


def _line_of(node: yaml.Node | None, location: Iterable[int | str]) -> int:
    """The line of the innermost node that exists on the way to `location`."""
    for step in location:
        inner: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1 if node is not None else 1


def _first(error: ValidationError) -> str:
    wrong = error.errors()[0]
    return f"{'.'.join(str(step) for step in wrong['loc'])}: {wrong['msg']} (it says {wrong['input']!r})"


def _unique(rows: Iterable[Row[RowT]], field: str) -> set[Any]:
    seen: set[Any] = set()
    for row in rows:
        value = getattr(row.value, field)
        if value in seen:
            raise row.wrong(f"{field} {value!r} is there twice")
        seen.add(value)
    return seen


def _unique_pairs(offers: Iterable[Row[Offer]]) -> None:
    """An organization's offers differ by title: the season knows them by it."""
    seen: set[tuple[str, str]] = set()
    for row in offers:
        key = (row.value.organization_zh, row.value.title_zh)
        if key in seen:
            raise row.wrong(f"{key[0]} offers {key[1]!r} twice")
        seen.add(key)


def _once_each(path: Path, thing: str, identifiers: Iterable[str]) -> None:
    seen: set[str] = set()
    for identifier in identifiers:
        if identifier in seen:
            lines = [n for n, line in enumerate(_read_text(path).splitlines(), 1) if line.split()[-1:] == [identifier]]
            raise SampleError(f"{path}:{lines[-1] if lines else 1}: the {thing} {identifier!r} is there twice")
        seen.add(identifier)


def _known(row: Row[Any], thing: str, names: Iterable[Any], known: Collection[Any]) -> None:
    for name in names:
        if name not in known:
            raise row.wrong(f"unknown {thing} {name!r}")


def _all_there(path: Path, thing: str, expected: Collection[Any], found: Collection[Any]) -> None:
    missing = sorted(set(expected) - set(found), key=str)
    if missing:
        raise SampleError(f"{path}:1: no line for {thing} {missing[0]!r}")
