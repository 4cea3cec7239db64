"""What goes wrong in a command, said to whoever gave it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from deploy.errors import CommandError

MENDED_BY_AN_OPERATOR = (
    ("deploy.data_folder", "DataFolderError"),
    ("deploy.serving", "AddressInUse"),
    ("shared.messaging.valkey", "ValkeyError"),
    ("shared.migrations", "MigrationError"),
    ("shared.problems", "Problem"),
    ("shared.settings", "SettingsError"),
)


@contextmanager
def sentences() -> Iterator[None]:
    """What an operator can mend is said in a sentence, with exit code 1; a traceback is for bugs."""
    try:
        yield
    except _to_be_mended() as error:
        message = str(error)
    else:
        return
    typer.secho(message, err=True, fg="red" if sys.stderr.isatty() else None)
    raise typer.Exit(1)


def _to_be_mended() -> tuple[type[Exception], ...]:
    """What has not been loaded has raised nothing: a command that asks for none of it starts in a third of the time."""
    loaded = (getattr(sys.modules[module], name) for module, name in MENDED_BY_AN_OPERATOR if module in sys.modules)
    return (CommandError, TimeoutError, *loaded)


@contextmanager
def key_sentences() -> Iterator[None]:
    """What is wrong with a key, or with where it lies."""
    try:
        yield
    except OSError as error:
        raise CommandError(
            f"{error.filename} cannot be used ({error.strerror}); check the path, and who may read and write there."
        ) from None
    except ValueError as error:
        raise CommandError(str(error)) from None
