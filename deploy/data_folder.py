"""The data folder of an all-in-one: four SQLite databases, Valkey's file, the keys, and a lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.errors import CommandError
from deploy.services import NAMES, load
from shared.access import make_keys
from shared.settings import Settings, SettingsError, from_environment

if TYPE_CHECKING:
    from shared.database import Database
    from shared.service import Service

PUBLIC_URL = "http://127.0.0.1:8080"


class DataFolderError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class DataFolder:
    """A data folder. Naming one makes nothing: `fenghe up` makes it, its keys under its lock, and `fenghe migrate`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @classmethod
    def used(cls, path: Path) -> DataFolder:
        """A folder on which an all-in-one has run. Raises DataFolderError: a mistyped path is told, not filled."""
        folder = cls(path)
        folder.expect(folder.keys / "tokens.jwks.json")
        return folder

    def expect(self, file: Path) -> None:
        """Raises DataFolderError where a file is missing that is made when the all-in-one runs."""
        if not file.exists():
            raise DataFolderError(f"Nothing has run in {self.path} yet; start it with: fenghe up --data {self.path}")

    def make(self) -> None:
        """Make the folder, where it is missing, without keys. Raises DataFolderError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._unusable(error) from None

    def make_keys(self) -> None:
        """Make the keys that are missing. Raises DataFolderError, also where the folder is not locked: two that make keys at
        the same time would each sign with keys that the other does not know."""
        if self._lock is None:
            raise DataFolderError(f"The data folder {self.path} is not locked.")
        try:
            make_keys(self.keys)
        except OSError as error:
            raise self._unusable(error) from None
        except ValueError as error:
            raise DataFolderError(str(error)) from None

    def _unusable(self, error: OSError) -> DataFolderError:
        return DataFolderError(
            f"The data folder {self.path} cannot be used ({error.strerror}); give another with --data, or mend it."
        )

    @property
    def keys(self) -> Path:
        """Where the signing keys are."""
        return self.path / "keys"

    @property
    def sample_opened(self) -> Path:
        """A file that is there once the sample community was opened completely."""
        return self.path / "sample-opened"

    @property
    def address(self) -> str:
        """The address at which the all-in-one of this folder was reached last, or would be."""
        file = self.path / "address"
        return file.read_text() if file.exists() else PUBLIC_URL

    def reached_at(self, address: str) -> None:
        """Remember the address."""
        (self.path / "address").write_text(address)

    @property
    def valkey(self) -> Path:
        """Where Valkey keeps its file."""
        return self.path / "valkey"

    def lock(self) -> None:
        """Make it, where it is missing, and make it this process's own until it ends, however it ends. Raises DataFolderError
        where another process has it."""
        self.make()
        try:
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            who = f" (process {owner})" if owner else ""
            raise DataFolderError(
                f"Another fenghe{who} is running on {self.path}; stop it first, or choose another folder with --data."
            ) from None
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._lock = handle

    def unlock(self) -> None:
        """Give it back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def settings(self, service: Service, redis_url: str, public_url: str = PUBLIC_URL) -> Settings:
        """The settings of a service that lives in this folder. What concerns neither database nor Redis may still be set by
        the environment. Raises SettingsError."""
        given = {
            "FENGHE_DATABASE_URL": f"sqlite:///{self.path / service.name}.db",
            "FENGHE_REDIS_URL": redis_url,
            "FENGHE_TOKEN_KEYS": str(self.keys / "tokens.jwks.json"),
            "FENGHE_SOLE": "true",
        }
        signing_key = self.keys / f"{service.name}.key.json"
        if signing_key.exists():
            given["FENGHE_SIGNING_KEY"] = str(signing_key)
        for name in given:
            if name in os.environ:
                raise SettingsError(f"{name} is not used here: an all-in-one keeps everything in its data folder. Unset it.")
        if os.environ.get("FENGHE_WORKERS", "1") != "1":
            raise SettingsError("FENGHE_WORKERS is not used here: an all-in-one is one process. Unset it.")
        environment = {"FENGHE_PUBLIC_URL": public_url, "FENGHE_LOG_FORMAT": "text", **os.environ, **given}
        return from_environment(environment)


@contextmanager
def databases(names: Sequence[str], data: Path, make: bool = False) -> Iterator[list[tuple[Service, Database]]]:
    """Services with their databases: the data folder's, or the one in FENGHE_DATABASE_URL. A folder where nothing has run is
    made where `make` says so. Raises CommandError or DataFolderError."""
    url = os.environ.get("FENGHE_DATABASE_URL")
    if url and len(names) != 1:
        raise CommandError("FENGHE_DATABASE_URL is one service's database; name the service.")
    for name in names:
        if name not in NAMES:
            raise CommandError(f"There is no service {name!r}; choose one of {', '.join(NAMES)}.")
    folder = None if url else DataFolder(data)
    if folder and make:
        folder.make()
    elif folder:
        for name in names or NAMES:
            folder.expect(folder.path / f"{name}.db")
    from shared.database import Database  # here: who asks a running deployment opens none

    opened = []
    try:
        for service in map(load, names or NAMES):
            opened.append((service, Database(url or folder.settings(service, "unix:///unused").database_url)))  # type: ignore[union-attr]
        yield opened
    finally:
        for _, database in opened:
            database.close()


def public_url() -> str:
    """The address people reach the deployment at, for a command that writes facts beside the running services."""
    return os.environ.get("FENGHE_PUBLIC_URL", PUBLIC_URL)
