"""`fenghe republish` and `fenghe dead-letters`: putting right what went wrong, running or stopped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.data_folder import databases, public_url
from deploy.errors import CommandError
from shared.database import Database
from shared.messaging import healing, replay
from shared.migrations import is_current
from shared.service import Service

WIDTH = 150
"""Columns of the tables where the output is no terminal."""
LAST_REPLAYS = 100


def _standing(opened: list[tuple[Service, Database]]) -> list[tuple[Service, Database]]:
    behind = [service.name for service, database in opened if not is_current(service, database)]
    if behind:
        raise CommandError(f"The database of {', '.join(behind)} is not up to date; run: fenghe migrate")
    return opened


def republish(names: Sequence[str], community: str | None, data: Path) -> None:
    """Send the last fact of every subject again, under its own id: a new or emptied listener is rebuilt by it."""
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            facts = database.transact(lambda session: healing.republish(session, community))
            print(f"{service.name}: {facts} facts will be sent again by the running service, or when it starts")


def show_dead_letters(names: Sequence[str], data: Path) -> None:
    """Print the dead letters, grouped by cause."""
    table = Table("service", "cause", "type", "letters", "since", "last", title="dead letters")
    table.add_column("one of them", no_wrap=True)
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            with database.reading() as session:
                for group in replay.groups(session):
                    moments = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (group.first, group.last))
                    table.add_row(service.name, group.cause, group.type or "", str(group.letters), *moments, group.example)
    if not table.row_count:
        print("There are no dead letters to replay.")
        return
    _print(table)
    print(
        "These facts had no effect at the service, all others have; they are kept whole. When the cause is mended:\n"
        "fenghe dead-letters SERVICE --replay ID, --replay-cause CAUSE, or --replay-all"
    )


def show_history(names: Sequence[str], data: Path) -> None:
    """Print the last replays of each service and what became of them, the newest first."""
    table = Table("service", "when", title="replays")
    table.add_column("dead letter", no_wrap=True)
    table.add_column("type")
    table.add_column("what became of it")
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            with database.reading() as session:
                for one in replay.history(session, LAST_REPLAYS):
                    became = f"{one.outcome}: {one.cause}" if one.cause else one.outcome
                    table.add_row(service.name, f"{one.at:%Y-%m-%d %H:%M:%S}", one.letter, one.type or "", became)
    if table.row_count:
        _print(table)
    else:
        print("No dead letter was replayed yet.")


def _print(table: Table) -> None:
    (Console() if sys.stdout.isatty() else Console(width=WIDTH)).print(table)


def replay_dead_letters(name: str, letter: str | None, cause: str | None, data: Path) -> int:
    """Replay one service's dead letters: one, those of a cause, or all. Returns how many failed again."""
    with databases([name], data) as opened:
        ((service, database),) = _standing(opened)
        with database.reading() as session:
            letters = replay.chosen(session, letter, cause)
            before = replay.history(session, 1, letter) if letter else []
        if not letters and (letter or cause):
            when = f" It was replayed at {before[0].at:%Y-%m-%d %H:%M:%S}, and {before[0].outcome}." if before else ""
            see = f"See those that do: fenghe dead-letters {name}"
            raise CommandError(f"{name} has no such dead letter that waits.{when} {see}")
        failed = replay.replay(database, service.dispatch, service.name, public_url(), letters)
    for id, why in failed.items():
        print(f"{id} is dead again: {why}")
    print(f"{name}: {len(letters) - len(failed)} took effect, {len(failed)} failed again")
    if failed:
        print(f"Those that failed had no effect and wait under their new cause; mend it and replay: fenghe dead-letters {name}")
    return len(failed)
