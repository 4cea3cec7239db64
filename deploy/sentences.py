"""What goes wrong in a command, said to whoever gave it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from deploy.errors import CommandError


@contextmanager
def sentences() -> Iterator[None]:
    """What an operator can mend is said in a sentence, with exit code 1; a traceback is for bugs."""
    from deploy.data_folder import DataFolderError
    from deploy.serving import AddressInUse
    from shared.messaging.valkey import ValkeyError
    from shared.migrations import MigrationError
    from shared.problems import Problem
    from shared.settings import SettingsError

    try:
        yield
    except (
        CommandError,
        DataFolderError,
        AddressInUse,
        SettingsError,
        ValkeyError,
        MigrationError,
        TimeoutError,
    ) as error:
        message = str(error)
    except Problem as problem:
        message = problem.detail
    else:
        return
    typer.secho(message, err=True, fg="red" if sys.stderr.isatty() else None)
    raise typer.Exit(1)


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
