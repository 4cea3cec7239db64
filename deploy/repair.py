"""`fenghe republish` and `fenghe dead-letters`: putting right what went wrong, running or stopped."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.data_folder import databases, public_url
from deploy.errors import CommandError
from shared.database import Database
from shared.messaging import dead_letters, healing, replay
from shared.migrations import is_current
from shared.service import Service

WIDTH = 150
"""Columns of the tables where the output is no terminal."""
LAST_REPLAYS = 100
LONGEST = 2000
"""Characters of a field that are printed."""
LONGEST_REASON = 500


def _standing(opened: list[tuple[Service, Database]]) -> list[tuple[Service, Database]]:
    behind = [service.name for service, database in opened if not is_current(service, database)]
    if behind:
        raise CommandError(f"The database of {', '.join(behind)} is not up to date; run: fenghe migrate")
    return opened


def republish(names: Sequence[str], community: str | None, data: Path) -> None:
    """Send the last fact of every subject again, under its own id: a new or emptied listener is rebuilt by it."""
    total = 0
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            total += (facts := database.transact(lambda session: healing.republish(session, community)))
            print(f"{service.name}: {facts} facts will be sent again by the running service, or when it starts")
    if community and not total:
        raise CommandError(f"Nothing that was sent is of a community {community!r}; the ids are at /api/registry/communities.")


def show_dead_letters(names: Sequence[str], every: bool, data: Path) -> None:
    """Print the dead letters that wait, grouped by cause; with `every` also those that were set aside."""
    table = Table("service", "cause", title="dead letters")
    table.add_column("type", no_wrap=True)
    table.add_column("letters")
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("one of them", no_wrap=True)
    aside = Table("service", "set aside (UTC)", "by", "because", "cause", "type", title="set aside")
    aside.add_column("dead letter", no_wrap=True)
    with databases(names, data) as opened:
        for service, database in _standing(opened):
            with database.reading() as session:
                for group in replay.groups(session):
                    first, last = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (group.first, group.last))
                    when = first if first == last else f"{first}\nto {last}"
                    table.add_row(service.name, Text(group.cause), group.type or "", str(group.letters), when, group.example)
                for one in replay.set_aside(session):
                    words = (Text(text) for text in (one.by, one.because, one.cause))
                    aside.add_row(service.name, f"{one.at:%Y-%m-%d %H:%M:%S}", *words, one.type or "", one.letter)
    if table.row_count:
        _print(table)
        print(
            "These facts had no effect at the service, all others have; they are kept whole. See one, with its traceback:\n"
            "fenghe dead-letters SERVICE --show ID\n"
            "When the cause is mended, replay one, all that died of its cause, or all of a service; each takes effect once:\n"
            "fenghe dead-letters SERVICE --replay ID, --replay-cause ID, or --replay-all\n"
            "What can never be a fact, such as an entry that somebody wrote by hand, is set aside; it is kept:\n"
            "fenghe dead-letters SERVICE --set-aside ID, or --set-aside-cause ID, with --reason TEXT"
        )
    else:
        print("There are no dead letters to replay.")
    if every and aside.row_count:
        _print(aside)
    elif aside.row_count:
        print(f"{aside.row_count} were set aside; see them: fenghe dead-letters --all")


def show_dead_letter(name: str, letter: str, data: Path) -> None:
    """Print one dead letter whole: what it was, what it died of and where, what became of it since."""
    with databases([name], data) as opened:
        ((_, database),) = _standing(opened)
        with database.reading() as session:
            found = replay.whole(session, letter)
            tried = replay.history(session, LAST_REPLAYS, letter)
    if found is None:
        raise CommandError(f"{name} has no dead letter {letter}. See those that wait: fenghe dead-letters {name}")
    print(f"{letter}: {found['type'] or 'an entry without a type'}, entry {found['entry_id']} of {found['stream']}")
    print(f"died {found['died_at']:%Y-%m-%d %H:%M:%S} UTC at attempt {found['attempts']} of: {found['cause']}")
    if found["set_aside_at"]:
        print(
            f"set aside {found['set_aside_at']:%Y-%m-%d %H:%M:%S} UTC by {found['set_aside_by']}, because: "
            f"{found['set_aside_because']}"
        )
    for one in reversed(tried):
        print(f"replayed {one.at:%Y-%m-%d %H:%M:%S} UTC: {one.outcome}")
    for field, value in found["fields"].items():
        text = str(value)
        print(f"  {field}: {text}" if len(text) <= LONGEST else f"  {field}: {text[:LONGEST]}… ({len(text)} characters)")
    print(found["traceback"].rstrip() or "It was never handed to a handler, so there is no traceback.")


def show_history(names: Sequence[str], data: Path) -> None:
    """Print the last replays of each service and what became of them, the newest first."""
    table = Table("service", "when (UTC)", title="replays")
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
        letters = _chosen(name, database, letter, cause)
        failed = replay.replay(database, service.dispatch, service.name, public_url(), letters)
    for id, why in failed.items():
        print(f"{id} is dead again: {why}")
    print(f"{name}: {len(letters) - len(failed)} took effect, {len(failed)} failed again")
    if failed:
        print(f"Those that failed had no effect and wait with their cause; mend it and replay: fenghe dead-letters {name}")
    return len(failed)


def set_dead_letters_aside(name: str, letter: str | None, cause: str | None, by: str | None, reason: str, data: Path) -> None:
    """Set aside dead letters of one service, of which nothing can be made: one, or those of a cause."""
    who = by or _user()
    for what, text in (("--reason", reason), ("--by", who)):
        if not 1 <= len(text.strip()) <= LONGEST_REASON:
            raise CommandError(f"{what} has 1 to {LONGEST_REASON} characters; say it in so many.")
    with databases([name], data) as opened:
        ((_, database),) = _standing(opened)
        letters = _chosen(name, database, letter, cause)
        database.transact(lambda session: dead_letters.set_aside(session, letters, who.strip(), reason.strip()))
    print(f"{name}: {len(letters)} set aside by {who.strip()}; kept whole, and counted no longer")
    print(f"See them: fenghe dead-letters {name} --all. Each can still be replayed: fenghe dead-letters {name} --replay ID")


def _chosen(name: str, database: Database, letter: str | None, cause: str | None) -> list[str]:
    """The ids of the dead letters that are meant. Raises CommandError where there is none."""
    with database.reading() as session:
        letters = replay.chosen(session, letter, cause)
        before = replay.history(session, 1, letter) if letter else []
    if not letters and (letter or cause):
        when = f" It was replayed at {before[0].at:%Y-%m-%d %H:%M:%S}, and {before[0].outcome}." if before else ""
        see = f"See those that do: fenghe dead-letters {name}"
        raise CommandError(f"{name} has no such dead letter that waits.{when} {see}")
    return letters


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise CommandError("This machine has no name for its user; say with --by who sets it aside.") from None
