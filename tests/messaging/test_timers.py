"""Timers: each fires once, when the community's clock says so, with its effect or not at all; clocks of rehearsals move."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.events.examples import STATES
from shared.events.registry import CommunityClockMoved, OrganizationChanged
from shared.messaging import Transaction, clocks, tables
from shared.messaging import timers as kit_timers
from shared.messaging.testing import Harness
from shared.messaging.timers import Timer, Timers
from shared.service import Service
from shared.settings import Settings
from tests.messaging import child
from tests.messaging.test_kill import COMMANDS, assert_kept_promise
from tests.messaging.test_supervision import until

HOUR = timedelta(hours=1)

timers = Timers()
broken: set[str] = set()
"""Subjects for which the function has a bug; a test that mends it empties this."""
fired: list[Timer] = []


def state(subject: str) -> dict[str, Any]:
    return {"community": "c", **STATES["organization"], "organization": subject}


@timers("change")
def change(tx: Transaction, timer: Timer) -> None:
    fired.append(timer)
    tx.tell(OrganizationChanged.model_validate(state(timer.subject)))
    if timer.subject in broken:
        raise RuntimeError("a bug in the timer's function")


@timers("again")
def again(tx: Transaction, timer: Timer) -> None:
    change(tx, timer)
    tx.schedule("again", timer.subject, timer.community, timer.due_at + HOUR)


service = Service(
    "registry", "Timed", "A service of the tests", "timed", child.Table.metadata, handlers=[clocks.handlers], timers=[timers]
)


@pytest.fixture(autouse=True)
def _nothing_broken() -> Iterator[None]:
    yield
    broken.clear()
    fired.clear()


@pytest.fixture
def timed(harness: Callable[[Service], Harness]) -> Harness:
    return harness(service)


def schedule(timed: Harness, *subjects: str, ahead: timedelta = -HOUR, kind: str = "change") -> None:
    def action(tx: Transaction) -> None:
        for subject in subjects:
            tx.schedule(kind, subject, "c", tx.now("c") + ahead)

    timed.host.run(action)


def rows(timed: Harness) -> list[Any]:
    with timed.session() as session:
        return list(session.execute(sa.select(tables.timers).order_by(tables.timers.c.subject)))


def subjects(timed: Harness) -> list[str]:
    return sorted(event.subject for event in timed.told(OrganizationChanged))


def move_clock(timed: Harness, hours: int, community: str = "c") -> None:
    state = {**STATES["community"], "rehearsal": True, "clock_ahead": hours * 3600}
    timed.hear(CommunityClockMoved.model_validate({"community": community, **state}))


def test_a_timer_fires_when_it_is_due_and_not_before(timed: Harness) -> None:
    schedule(timed, "past")
    schedule(timed, "future", ahead=HOUR)
    assert subjects(timed) == ["past"]
    [row] = rows(timed)
    assert (row.kind, row.subject, row.community, row.attempts) == ("change", "future", "c", 0)
    [timer] = fired
    assert timer.due_at.tzinfo is UTC
    assert timer.due_at <= datetime.now(UTC) - HOUR


def test_a_timer_set_again_is_moved_and_one_taken_back_never_fires(timed: Harness) -> None:
    schedule(timed, "moved", "cancelled", ahead=HOUR)
    schedule(timed, "moved", ahead=2 * HOUR)
    timed.host.run(lambda tx: tx.unschedule("change", "cancelled"))
    timed.host.run(lambda tx: tx.unschedule("change", "never there"))
    move_clock(timed, 1)
    assert subjects(timed) == []
    move_clock(timed, 3)
    assert subjects(timed) == ["moved"]
    assert rows(timed) == []


def test_the_last_word_of_a_transaction_counts_and_an_undone_one_sets_nothing(timed: Harness) -> None:
    def to_and_fro(tx: Transaction) -> None:
        tx.schedule("change", "kept", "c", tx.now("c") + HOUR)
        tx.unschedule("change", "kept")
        tx.schedule("change", "kept", "c", tx.now("c") + 2 * HOUR)
        tx.schedule("change", "dropped", "c", tx.now("c") + HOUR)
        tx.unschedule("change", "dropped")

    def undone(tx: Transaction) -> None:
        tx.schedule("change", "undone", "c", tx.now("c") + HOUR)
        raise LookupError

    timed.host.run(to_and_fro)
    with pytest.raises(LookupError):
        timed.host.run(undone)
    assert [row.subject for row in rows(timed)] == ["kept"]


def test_a_moment_without_a_time_zone_is_refused(timed: Harness) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        timed.host.run(lambda tx: tx.schedule("change", "naive", "c", datetime(2026, 1, 1)))


def test_two_functions_for_one_kind_are_refused() -> None:
    more = Timers()
    more("change")(lambda tx, timer: None)
    with pytest.raises(ValueError, match="two functions"):
        Service("registry", "Timed", "", "timed", child.Table.metadata, timers=[timers, more])
    with pytest.raises(ValueError, match="already"):
        more("change")(change)


def test_two_replicas_fire_each_timer_once(settings: Callable[[Service], Settings]) -> None:
    given = settings(service).model_copy(update={"sole": False})
    wanted = [f"organization-{n:03d}" for n in range(250)]
    with Harness(service, given) as one, Harness(service, given) as other:
        schedule(one, *wanted)
        one.drain()
        other.drain()
        assert subjects(one) == wanted
        assert rows(one) == []
        counted = [each.host.metrics.fired.labels("change")._value.get() for each in (one, other)]
    assert sum(counted) == len(wanted)


def test_a_timer_that_fails_undoes_its_effect_is_tried_again_and_holds_up_no_other(timed: Harness) -> None:
    broken.add("broken")
    schedule(timed, "broken", ahead=-2 * HOUR)
    schedule(timed, "whole")
    timed.drain()
    assert subjects(timed) == ["whole"]
    [row] = rows(timed)
    assert row.attempts >= timed.settings.retry_attempts
    assert row.last_error == "RuntimeError: a bug in the timer's function"
    # It goes on being tried, later and later: a failure is written, and counted right after.
    until(lambda: timed.host.metrics.failed.labels("change")._value.get() == rows(timed)[0].attempts)
    broken.clear()
    until(lambda: not rows(timed))
    assert subjects(timed) == ["broken", "whole"]


def test_setting_a_failing_timer_again_begins_anew(settings: Callable[[Service], Settings]) -> None:
    with Harness(service, settings(service).model_copy(update={"retry_first": 3600.0})) as timed:
        broken.add("broken")
        schedule(timed, "broken")
        until(lambda: rows(timed)[0].attempts == 1)
        broken.clear()
        schedule(timed, "broken")
        assert subjects(timed) == ["broken"]


def test_a_timer_that_no_version_here_knows_is_kept_and_says_so(timed: Harness) -> None:
    schedule(timed, "unknown", kind="of the future")
    timed.drain()
    [row] = rows(timed)
    assert "no function for timers of the kind 'of the future'" in row.last_error


def test_what_came_due_while_nobody_ran_fires_at_the_start(settings: Callable[[Service], Settings]) -> None:
    given = settings(service)
    with Harness(service, given) as timed:
        schedule(timed, "sleeper", ahead=HOUR)
    with Harness(service, given) as timed:
        with timed.host.database.engine.begin() as connection:
            connection.execute(sa.update(tables.timers).values(due_at=datetime.now(UTC) - HOUR))
        assert subjects(timed) == ["sleeper"]


def test_a_moved_clock_fires_what_is_due_there_and_nowhere_else(timed: Harness) -> None:
    schedule(timed, "here", ahead=10 * HOUR)
    timed.host.run(lambda tx: tx.schedule("change", "elsewhere", "d", tx.now("d") + 10 * HOUR))
    move_clock(timed, 9)
    assert subjects(timed) == []
    move_clock(timed, 10)
    assert subjects(timed) == ["here"]
    [event] = timed.told(OrganizationChanged)
    assert event.time >= datetime.now(UTC) + 9 * HOUR  # a fact's time is the community's
    assert [row.subject for row in rows(timed)] == ["elsewhere"]


def test_a_timer_that_sets_itself_again_fires_as_often_as_the_clock_has_gone_past(timed: Harness) -> None:
    schedule(timed, "hourly", ahead=HOUR, kind="again")
    move_clock(timed, 5)
    assert subjects(timed) == ["hourly"] * 5
    assert [timer.due_at for timer in fired] == [fired[0].due_at + n * HOUR for n in range(5)]


def test_a_clock_never_goes_back_in_whatever_order_it_is_heard(timed: Harness) -> None:
    move_clock(timed, 5)
    move_clock(timed, 3)
    with timed.session() as session:
        assert clocks.ahead(session, "c") == 5 * 3600
        assert clocks.ahead(session, "d") == 0
        assert clocks.now(session, "c") >= datetime.now(UTC) + 4 * HOUR


def test_without_a_moved_clock_a_transaction_asks_once_at_most(timed: Harness) -> None:
    asked, mine = [], threading.get_ident()

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM clocks" in statement and threading.get_ident() == mine:  # the timekeeper looks at them too
            asked.append(statement)

    sa.event.listen(timed.host.database.engine, "before_cursor_execute", watch)
    timed.host.run(lambda tx: [tx.now("c"), tx.now("c"), tx.tell(OrganizationChanged.model_validate(state("a")))])
    assert len(asked) == 1


def test_the_clocks_of_a_whole_batch_are_asked_for_in_one_question(timed: Harness) -> None:
    here = [f"c{number}" for number in range(50)]
    timed.host.run(lambda tx: clocks.move(tx.session, {"c7": 60, "elsewhere": 3600}))
    asked, mine = [], threading.get_ident()

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM clocks" in statement and threading.get_ident() == mine:
            asked.append(statement)

    def action(tx: Transaction) -> dict[str, int]:
        clocks.expect(tx.session, here)
        found = {one: clocks.ahead(tx.session, one) for one in here}
        assert len(asked) == 1
        return found | {"elsewhere": clocks.ahead(tx.session, "elsewhere")}

    sa.event.listen(timed.host.database.engine, "before_cursor_execute", watch)
    found = timed.host.run(action)
    assert {one: ahead for one, ahead in found.items() if ahead} == {"c7": 60, "elsewhere": 3600}
    assert len(asked) == 2


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("label", ["timer:before-commit", "timer:after-commit"])
def test_killed_while_a_timer_fires_it_tells_its_fact_once(
    settings: Callable[[Service], Settings], label: str, hit: int
) -> None:
    given = settings(child.service)
    killed = child.run(given, COMMANDS, label, hit)
    assert killed.exit_code == -signal.SIGKILL
    assert child.run(given, 0).exit_code == 0
    assert_kept_promise(given, killed.acknowledged)


def test_the_timers_of_many_moved_clocks_are_looked_for_in_one_question(timed: Harness) -> None:
    moved = {f"rehearsal-{number}": 60 * number for number in range(1, 41)}
    timed.host.run(lambda tx: clocks.move(tx.session, moved))

    def action(tx: Transaction) -> None:
        for number in (7, 21):
            tx.schedule("change", f"s{number}", f"rehearsal-{number}", tx.now(f"rehearsal-{number}") - timedelta(minutes=1))
        tx.schedule("change", "later", "rehearsal-30", tx.now("rehearsal-30") + HOUR)

    timed.host.run(action)
    timed.drain()
    assert sorted(timer.subject for timer in fired) == ["s21", "s7"]
    asked: list[str] = []
    mine = threading.get_ident()

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() == mine:
            asked.append(statement)

    sa.event.listen(timed.host.database.engine, "before_cursor_execute", watch)
    now = datetime.now(UTC)
    assert timed.host.run(lambda tx: kit_timers.due(tx.session, now, 100)) == []
    assert len(asked) <= 5, "no question for each clock"
