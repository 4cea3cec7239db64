"""The files of the sample: CSV rows and YAML documents as typed values, each mistake with its file and line."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import yaml
from pydantic import TypeAdapter, ValidationError

from deploy.errors import CommandError


class SampleError(CommandError, ValueError):
    """A mistake in a file of the sample, as `file:line: what is wrong`."""


RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Row(Generic[RowT]):
    """A row of a CSV file, with the place to name where it is wrong."""

    place: str
    value: RowT

    def wrong(self, what: str) -> SampleError:
        """The error that says what is wrong with this row."""
        return SampleError(f"{self.place}: {what}")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises SampleError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SampleError(f"{path}: the file is missing") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SampleError(f"{path}:{line}: not UTF-8") from error


def read_rows(path: Path, kind: type[RowT], renamed: Mapping[str, str] | None = None) -> list[Row[RowT]]:
    """The rows of a CSV file as `kind`; `renamed` maps a column to a field's name where they differ."""
    adapter = TypeAdapter(kind)
    reader = csv.DictReader(read_text(path).splitlines(keepends=True), strict=True)
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


def read_yaml(path: Path, kind: type[RowT]) -> RowT:
    """A YAML file as `kind`. Raises SampleError."""
    text = read_text(path)
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


def unique(rows: Iterable[Row[RowT]], field: str) -> set[Any]:
    """The values of a field, each of which may stand there once. Raises SampleError."""
    seen: set[Any] = set()
    for row in rows:
        value = getattr(row.value, field)
        if value in seen:
            raise row.wrong(f"{field} {value!r} is there twice")
        seen.add(value)
    return seen


def once_each(path: Path, thing: str, identifiers: Iterable[str]) -> None:
    """Raises SampleError for an identifier that is in the file twice."""
    seen: set[str] = set()
    for identifier in identifiers:
        if identifier in seen:
            lines = [n for n, line in enumerate(read_text(path).splitlines(), 1) if line.split()[-1:] == [identifier]]
            raise SampleError(f"{path}:{lines[-1] if lines else 1}: the {thing} {identifier!r} is there twice")
        seen.add(identifier)


def known(row: Row[Any], thing: str, names: Iterable[Any], all_names: Collection[Any]) -> None:
    """Raises SampleError for a name that nothing is known by."""
    for name in names:
        if name not in all_names:
            raise row.wrong(f"unknown {thing} {name!r}")


def all_there(path: Path, thing: str, expected: Collection[Any], found: Collection[Any]) -> None:
    """Raises SampleError where something expected has no line."""
    missing = sorted(set(expected) - set(found), key=str)
    if missing:
        raise SampleError(f"{path}:1: no line for {thing} {missing[0]!r}")
