"""Many rows in one statement: what the kit writes for a batch costs one round trip and no work per row but the database's.

SQLAlchemy's own executemany spends more time on its parameters than the database does on the rows, and on PostgreSQL sends a
statement a row. Here a statement is written once for its table and columns, and the driver gets the rows as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

Process = Callable[[Any], Any]

AT_ONCE = 500
"""Rows a statement: SQLite takes so many parameters only (32,766)."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def insert(
    session: Session,
    table: sa.Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    conflict: str = "",
    returning: Sequence[str] = (),
    alike: Mapping[str, Any] = _NOTHING,
) -> list[Any]:
    """Insert rows, whose values are those of the columns `names`, in this order; `alike` are the values of columns that are
    the same in all of them. `conflict` is the ON CONFLICT clause; returns the columns `returning` of what was written.
    Without rows nothing is done."""
    written: list[Any] = []
    connection = session.connection()
    columns = (*names, *alike)
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        statement = _insert(table, columns, len(alike), len(some), conflict, tuple(returning), connection.dialect)
        result = connection.exec_driver_sql(statement.text, statement.parameters(some, list(alike.values())))
        written += result if returning else ()
    return written


def update(session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Change rows: `rows` has the values of the columns `names`, the primary key's and those that change."""
    connection = session.connection()
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        statement = _update(table, tuple(names), len(some), connection.dialect)
        connection.exec_driver_sql(statement.text, statement.parameters(some, []))


def replacing(table: sa.Table, names: Sequence[str], condition: str = "") -> str:
    """The ON CONFLICT clause by which a row takes the place of the one with its primary key, if `condition` holds."""
    key = [column.name for column in table.primary_key.columns]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in key)
    return f"ON CONFLICT ({_listed(key)}) DO UPDATE SET {changed}" + (f" WHERE {condition}" if condition else "")


@dataclass(frozen=True)
class _Statement:
    """A statement for so many rows. `processes` make a column's values ready for the driver, for those that need it."""

    text: str
    processes: tuple[tuple[int, Process], ...]
    in_arrays: bool

    def parameters(self, rows: Sequence[Sequence[Any]], alike: list[Any]) -> tuple[Any, ...]:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        first = len(columns)
        for n, process in self.processes:
            if n < first:
                columns[n] = [process(value) for value in columns[n]]
            else:
                alike[n - first] = process(alike[n - first])
        if self.in_arrays:
            return (*alike, *map(list, columns))
        return tuple(chain.from_iterable(zip(*columns, *map(repeat, alike), strict=False)))


# On PostgreSQL an array a column, sent in binary (`%b`): psycopg writes an array of texts at a tenth of the speed. On SQLite
# one row of placeholders a row.


@lru_cache(maxsize=500)
def _insert(
    table: sa.Table,
    names: tuple[str, ...],
    alike: int,
    count: int,
    conflict: str,
    returning: tuple[str, ...],
    dialect: sa.Dialect,
) -> _Statement:
    if dialect.name == "sqlite":
        rows = f"VALUES {_placeholders(len(names), count)}"
    else:
        given, same = names[: len(names) - alike], names[len(names) - alike :]
        constants = "".join(f", CAST(%s AS {table.c[name].type.compile(dialect)})" for name in same)
        rows = f"SELECT given.*{constants} FROM {_unnested(table, given, dialect)}"  # noqa: S608 (names of columns)
    text = f'INSERT INTO "{table.name}" ({_listed(names)}) {rows} {conflict}'
    if returning:
        text += f" RETURNING {_listed(returning)}"
    return _statement(text, table, names, dialect)


@lru_cache(maxsize=100)
def _update(table: sa.Table, names: tuple[str, ...], count: int, dialect: sa.Dialect) -> _Statement:
    if dialect.name == "sqlite":
        given = f"(VALUES {_placeholders(len(names), count)}) AS given"
        places = {name: f"given.column{n}" for n, name in enumerate(names, start=1)}
    else:
        given = f"{_unnested(table, names, dialect)} ({_listed(names)})"
        places = {name: f'given."{name}"' for name in names}
    key = {column.name for column in table.primary_key.columns}
    changed = ", ".join(f'"{name}" = {place}' for name, place in places.items() if name not in key)
    mine = " AND ".join(f'"{table.name}"."{name}" = {place}' for name, place in places.items() if name in key)
    text = f'UPDATE "{table.name}" SET {changed} FROM {given} WHERE {mine}'  # noqa: S608 (names of columns)
    return _statement(text, table, names, dialect)


def _statement(text: str, table: sa.Table, names: Sequence[str], dialect: sa.Dialect) -> _Statement:
    processes = ((n, _process(table.c[name].type, dialect)) for n, name in enumerate(names))
    return _Statement(text, tuple((n, process) for n, process in processes if process), dialect.name != "sqlite")


def _placeholders(width: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * count)


def _unnested(table: sa.Table, names: Sequence[str], dialect: sa.Dialect) -> str:
    arrays = (f"CAST(%b AS {table.c[name].type.compile(dialect)}[])" for name in names)
    return f"unnest({', '.join(arrays)}) AS given"


def _process(type: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Process | None:
    if isinstance(type, sa.Float):  # psycopg takes no list of both whole numbers and others
        return lambda value: None if value is None else float(value)
    return type.dialect_impl(dialect).bind_processor(dialect)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
