"""Many rows in one statement: what the kit writes for a batch costs one round trip and no work per row but the database's.

SQLAlchemy's own executemany spends more time on its parameters than the database does on the rows, and on PostgreSQL sends a
statement a row. Here a statement is written once for its table and columns, and the driver gets the rows as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

Process = Callable[[Any], Any]


@dataclass(frozen=True)
class _Insert:
    text: str
    processes: tuple[tuple[int, Process], ...]
    """What makes a column's values ready for the driver, for those that need it."""


def insert(
    session: Session,
    table: sa.Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    conflict: str = "",
    returning: Sequence[str] = (),
) -> list[Any]:
    """Insert rows, whose values are those of the columns `names`, in this order. `conflict` is the ON CONFLICT clause;
    returns the columns `returning` of what was written. Without rows nothing is done."""
    if not rows:
        return []
    connection = session.connection()
    statement = _statement(table, tuple(names), conflict, tuple(returning), connection.dialect)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for n, process in statement.processes:
        values = columns[n]
        alike = len(set(map(id, values))) == 1  # such as the moment at which they all were written
        columns[n] = [process(values[0])] * len(values) if alike else [process(value) for value in values]
    parameters: Any
    if connection.dialect.name != "sqlite":
        parameters = tuple(map(list, columns))
    elif returning:
        parameters = (json.dumps(list(zip(*columns, strict=True))),)
    else:
        parameters = list(zip(*columns, strict=True))
    result = connection.exec_driver_sql(statement.text, parameters)
    return list(result) if returning else []


def replacing(table: sa.Table, names: Sequence[str], condition: str) -> str:
    """The ON CONFLICT clause by which a row takes the place of the one with its primary key, if `condition` holds."""
    key = [column.name for column in table.primary_key.columns]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in key)
    return f"ON CONFLICT ({_listed(key)}) DO UPDATE SET {changed} WHERE {condition}"


@lru_cache(maxsize=500)
def _statement(
    table: sa.Table, names: tuple[str, ...], conflict: str, returning: tuple[str, ...], dialect: sa.Dialect
) -> _Insert:
    if dialect.name != "sqlite":
        arrays = (f"CAST(%s AS {table.c[name].type.compile(dialect)}[])" for name in names)
        rows = f"SELECT * FROM unnest({', '.join(arrays)}) AS given"  # noqa: S608 (names of columns)
    elif returning:
        fields = (f"json_extract(value, '$[{n}]')" for n in range(len(names)))
        rows = f"SELECT {', '.join(fields)} FROM json_each(?) WHERE true"  # noqa: S608 (numbers; SQLite needs a WHERE before ON CONFLICT)
    else:
        rows = f"VALUES ({', '.join('?' * len(names))})"
    text = f'INSERT INTO "{table.name}" ({_listed(names)}) {rows} {conflict}'
    if returning:
        text += f" RETURNING {_listed(returning)}"
    processes = ((n, _process(table.c[name].type, dialect)) for n, name in enumerate(names))
    return _Insert(text, tuple((n, process) for n, process in processes if process))


def _process(type: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Process | None:
    if isinstance(type, sa.Float):  # psycopg takes no list of both whole numbers and others
        return lambda value: None if value is None else float(value)
    return type.dialect_impl(dialect).bind_processor(dialect)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
