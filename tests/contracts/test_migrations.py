"""Migrations make exactly the tables that the code expects, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from deploy.services import load_all
from shared.database import Database
from shared.messaging import tables
from shared.migrations import HERE, MigrationError, downgrade, is_current, revisions, upgrade
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
def test_migrations_go_back_to_the_first_and_forth_again(database_url: Callable[[str], str], service: Service) -> None:
    database = Database(database_url(service.name))
    upgrade(service, database)
    downgrade(service, database, f"{service.name}_0001")
    assert not is_current(service, database)
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


def test_a_table_that_is_made_anew_keeps_its_rows_and_what_refers_to_them(database_url: Callable[[str], str]) -> None:
    registry = SERVICES[0]
    database = Database(database_url(registry.name))
    upgrade(registry, database, "registry_0001")
    organizations = "id, community, name_zh, name_en, organization_class, introduction_zh, introduction_en, status, applied_at"
    agreements = "id, community, organization, items, starts_on, ends_on, status, signed_at, ended_at"
    moment = "'2026-11-22 09:30:00'"
    with database.engine.begin() as connection:
        for table, columns, values in (
            ("communities", "id, slug, name_zh, name_en, rehearsal, opened_at", f"'c', 'c', '社区', 'C', false, {moment}"),
            ("organizations", organizations, f"'o', 'c', '组织', 'O', 'harmony', '好', 'Good', 'applied', {moment}"),
            ("agreements", agreements, f"'a', 'c', 'o', '[]', '2026-01-01', '2026-12-31', 'ended', {moment}, {moment}"),
        ):
            connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({values})")
    upgrade(registry, database)
    with database.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT id, origin, hub FROM organizations").one() == ("o", "absorbed", False)
        assert connection.exec_driver_sql("SELECT organization, ended_because FROM agreements").one() == ("o", "terminated")
    for statement in (
        "DELETE FROM organizations",
        "UPDATE organizations SET status = 'gone'",
        "UPDATE organizations SET status = 'registered'",
        "UPDATE agreements SET ended_because = 'forgotten'",
    ):
        with pytest.raises(IntegrityError), database.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    database.close()


def test_the_satisfaction_of_seasons_is_added_up_from_the_evaluations_there_are(database_url: Callable[[str], str]) -> None:
    feedback = next(service for service in SERVICES if service.name == "feedback")
    database = Database(database_url(feedback.name))
    upgrade(feedback, database, "feedback_0001")
    columns = "id, community, party, organization, score, season, recorded_at"
    with database.engine.begin() as connection:
        for number, (organization, score, season) in enumerate(
            (("o", 75, "2026-Q3"), ("o", 100, "2026-Q4"), ("o", 50, "2026-Q4"), ("p", 25, "2026-Q4"))
        ):
            values = f"'{number}', 'c', 'resident', '{organization}', {score}, '{season}', '2026-11-22 09:30:00'"
            connection.exec_driver_sql(f"INSERT INTO evaluations ({columns}) VALUES ({values})")
        connection.exec_driver_sql("INSERT INTO communities VALUES ('c', 1)")
    upgrade(feedback, database)
    with database.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, of, season, evaluations, n, total FROM satisfactions JOIN party_sums ON satisfaction = id"
        ).all()
        assert connection.exec_driver_sql("SELECT slug, sequence FROM communities").one() == ("", 0)
    database.close()
    assert sorted(map(tuple, rows)) == [
        ("community", "c", "2026-Q3", 1, 1, 75),
        ("community", "c", "2026-Q4", 3, 3, 175),
        ("organization", "o", "2026-Q3", 1, 1, 75),
        ("organization", "o", "2026-Q4", 2, 2, 150),
        ("organization", "p", "2026-Q4", 1, 1, 25),
    ]


def test_residents_who_sit_on_an_evaluation_body_keep_their_seats(database_url: Callable[[str], str]) -> None:
    feedback = next(service for service in SERVICES if service.name == "feedback")
    database = Database(database_url(feedback.name))
    upgrade(feedback, database, "feedback_0002")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO bodies (id, community, starts_on, ends_on, status) "
            "VALUES ('b', 'c', '2026-01-01', '2026-12-31', 'appointed')"
        )
        for party, subject, request in (("station", "station", "NULL"), ("resident", "member", "'request'")):
            connection.exec_driver_sql(f"INSERT INTO body_members VALUES ('b', '{party}', '{subject}', {request})")
    upgrade(feedback, database)
    with database.engine.begin() as connection:
        seats = connection.exec_driver_sql("SELECT body, request, subject FROM body_seats").all()
    database.close()
    assert list(map(tuple, seats)) == [("b", "request", "member")]


@contextmanager
def _unreferring(database: Database) -> Iterator[Any]:
    """A connection of the driver's, to write a row without those that it refers to."""
    url = database.engine.url
    if database.sqlite:
        connection: Any = sqlite3.connect(str(url.database))
    else:
        connection = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        connection.execute("SET session_replication_role = replica")
    with closing(connection):
        yield connection
        connection.commit()


def test_what_the_version_before_cannot_keep_is_said_before_anything_is_changed(database_url: Callable[[str], str]) -> None:
    matching = next(service for service in SERVICES if service.name == "matching")
    database = Database(database_url(matching.name))
    upgrade(matching, database)
    columns = "id, community, channel, compound, language, text, submitted_at, status, organization, served_at, candidates"
    rest = "intake, supporters, urgency, unserved"
    with database.engine.begin() as connection:
        for id, organization, served_at in (("served", "'o'", "'2026-11-22 09:30:00'"), ("dismissed", "NULL", "NULL")):
            said = f"'{id}', 'c', 'website', 'garden', 'zh', '水龙头', '2026-11-22 09:30:00'"
            values = f"{said}, 'closed', {organization}, {served_at}"
            connection.exec_driver_sql(
                f"INSERT INTO requests ({columns}, {rest}) VALUES ({values}, '[]', 'web', 1, 'routine', '{{}}')"
            )
    with _unreferring(database) as connection:
        connection.execute(
            "INSERT INTO questions (id, community, meeting, project, organization, text, asked_at, earlier) VALUES "
            """('q', 'c', 'm', 'p', 'o', '几点开始？', '2026-11-22 09:30:00', '[{"answer": "九点"}]')"""
        )
    with pytest.raises(MigrationError, match=r"1 answer\(s\) were corrected.* nothing was changed"):
        downgrade(matching, database, "matching_0014")
    assert is_current(matching, database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM questions")
    with pytest.raises(MigrationError, match=r"1 request\(s\) were closed unserved.* nothing was changed"):
        downgrade(matching, database, "matching_0012")
    assert is_current(matching, database)
    with database.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar_one() == 2
        connection.exec_driver_sql("DELETE FROM requests WHERE id = 'dismissed'")
        for id, status in (("first", "withdrawn"), ("again", "made")):
            decided_at = "NULL" if status == "made" else "'2026-11-22 09:30:00'"
            values = f"'{id}', 'c', 'served', 'o', 'offer', 'item', 'category', 'garden', 1, '{status}'"
            connection.exec_driver_sql(
                "INSERT INTO referrals (id, community, request, organization, offer, item, category, compound, rank, status, "
                f"made_at, due_at, decided_at) VALUES ({values}, '2026-11-22 09:30:00', '2026-11-25 09:30:00', {decided_at})"
            )
    with pytest.raises(MigrationError, match=r"again after they were taken back.* nothing was changed"):
        downgrade(matching, database, "matching_0012")
    assert is_current(matching, database)
    downgrade(matching, database, "matching_0013")
    assert not is_current(matching, database)
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE requests SET organization = NULL, served_at = NULL")
    upgrade(matching, database)
    assert is_current(matching, database)
    with database.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT id, status FROM requests").one() == ("served", "closed")
    database.close()
