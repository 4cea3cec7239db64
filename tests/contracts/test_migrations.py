"""Migrations make exactly the tables that the code expects, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from deploy.services import load_all
from shared.database import Database
from shared.messaging import tables
from shared.migrations import HERE, MigrationError, is_current, revisions, upgrade
from shared.service import Service

SERVICES = load_all()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_migrations_make_the_tables_the_models_say(database_url: Callable[[str], str], service: Service) -> None:
    database = Database(database_url(service.name))
    assert not is_current(service, database)
    upgrade(service, database)
    assert is_current(service, database)
    upgrade(service, database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, [service.metadata, tables.metadata])  # type: ignore[arg-type]
    database.close()
    assert differences == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_files_names_say_what_alembic_reads_in_them(service: Service) -> None:
    locations = [str(HERE / "versions"), str(service.migrations)]
    script = ScriptDirectory(str(HERE), version_locations=locations)
    assert revisions(service) == ({found.revision for found in script.walk_revisions()}, set(script.get_heads()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_of_a_newer_version_is_refused_with_a_sentence(database_url: Callable[[str], str]) -> None:
    database = Database(database_url("registry"))
    upgrade(SERVICES[0], database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = 'registry_9999' WHERE version_num LIKE 'registry%'"
        )
    with pytest.raises(MigrationError, match="newer version"):
        upgrade(SERVICES[0], database)
    database.close()
