"""`fenghe allocate`: an instance solved, or a result checked against its instance."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

from deploy.errors import CommandError
from services.matching.allocate import Instance, Refuted, Unsolvable, check, read, read_arrays, solve

ARCHIVE = b"PK\x03\x04"
"""How an archive of arrays begins, whatever its name."""


def allocate(instance: Path, result: Path | None) -> bool:
    """Print the result of an instance as one line of JSON, and its figures on the standard error; or, given a `result`, say
    whether it is proved, which is returned. Raises CommandError for what cannot be read or solved."""
    began = time.perf_counter()
    try:
        found = _read_instance(instance)
        reading = time.perf_counter() - began
        if result is not None:
            return _check(found, result)
        answer = solve(found)
    except Unsolvable as error:
        raise CommandError(f"{instance}: {error}.") from None
    except MemoryError:
        raise CommandError(f"{instance}: this machine has not enough memory for an instance of this size.") from None
    answer["seconds"] = {**answer["seconds"], "read": round(reading, 6)}
    answer["seconds"]["total"] = round(answer["seconds"]["total"] + reading, 6)
    sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
    told = {**answer["report"], "seconds": answer["seconds"]["total"]}
    print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items()), file=sys.stderr)
    return True


def _check(instance: Instance, path: Path) -> bool:
    try:
        print(check(instance, _json(path)))
    except Refuted as error:
        print(f"Refused: {error}.")
        return False
    return True


def _read_instance(path: Path) -> Instance:
    """An instance from a file that is opened once: it may come through a pipe."""
    with _opened(path) as file:
        if path.suffix.lower() == ".npz" or file.peek(len(ARCHIVE)).startswith(ARCHIVE):
            return _read_archive(path, file)
        return read(_parsed(path, file))


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from None


def _read_archive(path: Path, file: BufferedReader) -> Instance:
    import zipfile
    import zlib

    import numpy

    whole = file if file.seekable() else BytesIO(file.read())
    try:
        with numpy.load(whole, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError, RuntimeError):
        raise CommandError(f"{path} is not an archive of number arrays (.npz, as numpy.savez writes it).") from None
    return read_arrays(arrays)


def _json(path: Path) -> Any:
    with _opened(path) as file:
        return _parsed(path, file)


def _parsed(path: Path, file: BufferedReader) -> Any:
    try:
        return json.loads(file.read(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, of which no key stands twice: what stood under the first would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has {next(name for name in found if names.count(name) > 1)!r} twice")
    return found
