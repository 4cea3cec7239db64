"""`fenghe import`: CSV files into a data folder, running or stopped, or into the database in FENGHE_DATABASE_URL."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from deploy.data_folder import databases, public_url
from deploy.errors import CommandError
from deploy.services import NAMES, load
from shared.access import Caller
from shared.database import Database
from shared.imports import Import
from shared.messaging.transaction import transact
from shared.migrations import upgrade
from shared.problems import Problem

if TYPE_CHECKING:
    from shared.service import Service


@dataclass(frozen=True)
class _Target:
    """A service and the database that rows of one kind go into."""

    service: Service
    kind: Import


def import_files(files: Sequence[Path], community: str, data: Path) -> int:
    """Take in files; returns how many rows were refused. Each row is a transaction of its own; its facts are sent by the
    running services, or when they start."""
    refused = 0
    for file in files:
        columns, rows = _read(file)
        target = _target(file, columns)
        with databases([target.service.name], data) as ((_, database),):
            upgrade(target.service, database)
            refused += _import_rows(file, rows, target, database, _community_id(database, community))
    return refused


def _read(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            try:
                columns = [name.strip() for name in reader.fieldnames or []]
                reader.fieldnames = columns
                rows = [(reader.line_num, row) for row in reader]
            except csv.Error as error:
                raise CommandError(f"{file}:{reader.reader.line_num}: this is not readable as CSV: {error}.") from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is not UTF-8; save it as “CSV UTF-8”.") from None
    if not columns:
        raise CommandError(f"{file} is empty: its first line must name the columns.")
    return columns, rows


def _target(file: Path, columns: list[str]) -> _Target:
    known = [_Target(load(name), kind) for name in NAMES for kind in load(name).imports]
    for target in known:
        if set(target.kind.columns) == set(columns):
            return target
    kinds = "\n".join(f"  {target.kind.name}: {','.join(target.kind.columns)}" for target in known)
    raise CommandError(f"{file}: nobody knows a table with the columns {','.join(columns)}. Known are:\n{kinds}")


def _community_id(database: Database, community: str) -> str:
    with database.reading() as session:
        found = session.execute(
            sa.text("SELECT id FROM communities WHERE id = :given OR slug = :given"), {"given": community}
        ).scalar()
    if found is None:
        raise CommandError(f"There is no community {community!r} here; open it first, and give its id or slug.")
    return str(found)


def _import_rows(
    file: Path, rows: list[tuple[int, dict[str, str]]], target: _Target, database: Database, community: str
) -> int:
    console = Console(stderr=True)
    caller = Caller("station", community=community)
    refused = 0
    with Progress(console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(f"{target.kind.name} from {file.name}", total=len(rows))
        for line, row in rows:
            try:
                _import_row(target, database, caller, community, row)
            except (Problem, ValidationError, DataError, IntegrityError) as error:
                refused += 1
                console.print(f"{file}:{line}: {_sentence(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    print(f"{file.name}: {len(rows) - refused} {target.kind.name} taken in, {refused} refused")
    return refused


def _import_row(target: _Target, database: Database, caller: Caller, community: str, row: dict[str, str]) -> None:
    if None in row or None in row.values():
        raise Problem(422, "invalid", f"the row has not {len(target.kind.columns)} columns as the header says")
    for column, value in row.items():
        if "\x00" in value:
            raise Problem(422, "invalid", "the value has a NUL character (U+0000) in it; take it out", field=column)
    transact(
        database,
        target.service.name,
        public_url(),
        lambda tx: target.kind.row(tx, caller, community, row),
        lambda: None,
    )


def _sentence(error: Problem | ValidationError | DBAPIError) -> str:
    if isinstance(error, DBAPIError):
        return f"the database refuses it: {str(error.orig).partition(chr(10))[0]}"
    if isinstance(error, Problem):
        return f"{error.field}: {error.detail}" if error.field else error.detail
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
