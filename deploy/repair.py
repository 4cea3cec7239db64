"""`fenghe republish` and `fenghe dead-letters`: putting right what went wrong, running or stopped."""

from __future__ import annotations

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
    table = Table("service", "cause", "type", "letters", "since", "last", "one of them", title="dead letters")
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            with database.reading() as session:
                for group in replay.groups(session):
                    moments = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (group.first, group.last))
                    table.add_row(service.name, group.cause, group.type or "", str(group.letters), *moments, group.example)
    if not table.row_count:
        print("There are no dead letters.")
        return
    Console().print(table)
    print("When the cause is mended: fenghe dead-letters SERVICE --replay ID, --replay-cause CAUSE, or --replay-all")


def replay_dead_letters(name: str, letter: str | None, cause: str | None, data: Path) -> int:
    """Replay one service's dead letters: one, those of a cause, or all. Returns how many failed again."""
    with databases([name], data) as opened:
        ((service, database),) = _standing(opened)
        with database.reading() as session:
            letters = replay.chosen(session, letter, cause)
        if not letters and (letter or cause):
            raise CommandError(f"{name} has no such dead letter that was not replayed yet.")
        failed = replay.replay(database, service.dispatch, service.name, public_url(), letters)
    for id, why in failed.items():
        print(f"{id}: {why}")
    print(f"{name}: {len(letters) - len(failed)} took effect, {len(failed)} failed again")
    return len(failed)
