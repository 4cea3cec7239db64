"""Migrations (Alembic): a database has the kit's tables and its service's, each on a branch of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from shared.database import Database
from shared.service import Service

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent


class MigrationError(Exception):
    """The database does not have the tables this version needs; the message says what to do."""


def upgrade(service: Service, database: Database, revision: str = "heads") -> None:
    """Bring a service's database up to this version, or to an older revision of it. Does nothing where it is."""
    if not is_current(service, database):
        from alembic import command

        with _migrating(database) as connection:
            command.upgrade(_config(service, connection), revision)


def downgrade(service: Service, database: Database, revision: str) -> None:
    """Take a service's database back to an older revision of it, in one transaction. Raises MigrationError, and changes nothing,
    where something is kept that the older version has no place for."""
    from alembic import command

    with _migrating(database) as connection:
        command.downgrade(_config(service, connection), revision)


@contextmanager
def _migrating(database: Database) -> Iterator[sa.Connection]:
    """A transaction in which tables may be made anew. SQLite would delete the rows of the old table first, and refuse to where
    others refer to them: its foreign keys are off meanwhile, and all looked at before the commit. Raises MigrationError."""
    with database.engine.connect() as connection:
        # Of the driver itself: SQLAlchemy would begin a transaction, and within one SQLite does not hear this pragma.
        driver: Any = connection.connection.dbapi_connection
        if database.sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if database.sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                    raise MigrationError(
                        f"The migration leaves rows that refer to nothing: {broken[:3]}; nothing was changed. Report it, and stay on the version before."
                    )
        finally:
            if database.sqlite:
                driver.execute("PRAGMA foreign_keys=ON")


def is_current(service: Service, database: Database) -> bool:
    """Whether the database has the tables of this version. Raises MigrationError where it is of a newer one."""
    with database.reading() as session:
        if not sa.inspect(session.connection()).has_table("alembic_version"):
            return False
        given = set(session.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())
    known, heads = revisions(service)
    if unknown := given - known:
        raise MigrationError(
            f"The database of {service.name} was made by a newer version ({', '.join(sorted(unknown))}), which this one cannot use: "
            "install that one again, or put back a backup."
        )
    return given == heads


def revisions(service: Service) -> tuple[set[str], set[str]]:
    """All revisions of a service's database and, of each branch, the last. Read from the files' names, for Alembic itself
    takes a while to load and most starts have nothing to migrate."""
    names = {path.stem for folder in _folders(service) for path in folder.glob("*_[0-9][0-9][0-9][0-9]_*.py")}
    known = {"_".join(name.split("_")[:2]) for name in names}
    last: dict[str, str] = {}
    for revision in sorted(known):
        last[revision.partition("_")[0]] = revision
    return known, set(last.values())


def revise(service: Service, database: Database, message: str, revision: str) -> None:
    """Write the next migration of a service from the difference between its models and an up-to-date database."""
    from alembic import command

    with database.engine.connect() as connection:
        head = f"{service.name}@head" if any(Path(str(service.migrations)).glob(f"{service.name}_[0-9]*.py")) else "base"
        label = None if head != "base" else service.name
        command.revision(
            _config(service, connection),
            message,
            autogenerate=True,
            head=head,
            branch_label=label,
            rev_id=revision,
            version_path=str(service.migrations),
        )


def _folders(service: Service) -> list[Path]:
    return [HERE / "versions"] + ([service.migrations] if service.migrations else [])


def _config(service: Service, connection: sa.Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, _folders(service))))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = [service.metadata]
    return config
