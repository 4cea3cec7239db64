"""Migrations (Alembic): a database has the kit's tables and its service's, each on a branch of its own."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.database import Database
from shared.service import Service

HERE = Path(__file__).parent


class MigrationError(Exception):
    """The database does not have the tables this version needs; the message says what to do."""


def upgrade(service: Service, database: Database) -> None:
    """Bring a service's database up to this version. Does nothing where it is."""
    if not is_current(service, database):
        with database.engine.begin() as connection:
            command.upgrade(_config(service, connection), "heads")


def is_current(service: Service, database: Database) -> bool:
    """Whether the database has the tables of this version. Raises MigrationError where it is of a newer one."""
    script = ScriptDirectory.from_config(_config(service, None))
    with database.reading() as session:
        given = set(MigrationContext.configure(session.connection()).get_current_heads())
    known = {revision.revision for revision in script.walk_revisions()}
    if unknown := given - known:
        raise MigrationError(
            f"The database of {service.name} was made by a newer version ({', '.join(sorted(unknown))}); install that one."
        )
    return given == set(script.get_heads())


def revise(service: Service, database: Database, message: str, revision: str) -> None:
    """Write the next migration of a service from the difference between its models and an up-to-date database."""
    with database.engine.connect() as connection:
        head = f"{service.name}@head" if any(Path(str(service.migrations)).glob("[0-9]*.py")) else "base"
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


def _config(service: Service, connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    locations = [str(HERE / "versions")] + ([str(service.migrations)] if service.migrations else [])
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(locations))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = [service.metadata]
    return config
