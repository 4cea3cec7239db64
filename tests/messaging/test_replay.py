"""A handler had a bug; the bug is mended; what died of it is replayed and takes effect once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.messaging import dead_letters
from shared.messaging.replay import chosen, groups, history, replay, set_aside, whole
from shared.messaging.testing import Harness
from tests.messaging import listener as small
from tests.messaging.listener import Count, Offer, offer, service


@pytest.fixture
def bug() -> Iterator[None]:
    """A bug in the handler, mended at the end of the test at the latest."""
    small.POISON.add("poison")
    yield
    small.POISON.add("poison")


def run(running: Harness, letters: list[str]) -> dict[str, str]:
    return replay(running.host.database, service.dispatch, service.name, "http://x", letters)


@pytest.mark.usefixtures("bug")
def test_dead_letters_are_grouped_by_cause_and_replayed_once_it_is_mended(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    running.hear(*(offer(n, "good", "poison" if n % 5 == 0 else "x") for n in range(20)))
    with running.session() as session:
        (group,) = groups(session)
        letters = chosen(session, None, group.cause)
    assert (group.letters, group.type) == (4, "fenghe.offer.changed.v1")
    assert "a bug in the handler" in group.cause
    assert set(run(running, letters[1:]).values()) == {group.cause}
    with running.session() as session:
        assert [one.letters for one in groups(session)] == [4], "what was tried again in vain is still of the same cause"
        assert chosen(session, None, letters[0]) == letters, "an example names its group"
        assert "in keep_offers" in whole(session, letters[1])["traceback"]  # type: ignore[index]
    small.POISON.clear()
    assert run(running, letters) == {}
    assert len(running.rows(Offer)) == 20
    assert {row.times for row in running.rows(Count)} == {1}
    with running.session() as session:
        assert groups(session) == []
        assert chosen(session, None, None) == []
        tracked = history(session, 100)
    assert all(letter["replayed_at"] for letter in running.dead_letters())
    assert [one.outcome for one in tracked] == ["took effect"] * 4 + ["dead again"] * 3
    assert {one.cause for one in tracked[4:]} == {group.cause}
    assert {one.letter for one in tracked[:4]} == {*(one.letter for one in tracked[4:]), letters[0]} == set(letters)


@pytest.mark.usefixtures("bug")
def test_what_took_effect_meanwhile_is_only_marked(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    (event,) = running.hear(offer(1, "good", "poison"))
    small.POISON.clear()
    running.deliver([event])
    assert [row.times for row in running.rows(Count)] == [1]
    assert run(running, [running.dead_letters()[0]["id"]]) == {}
    assert [row.times for row in running.rows(Count)] == [1]
    with running.session() as session:
        assert [one.outcome for one in history(session, 100)] == ["had taken effect before"]


@pytest.mark.usefixtures("bug")
def test_what_was_set_aside_waits_no_longer_and_can_still_take_effect(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    running.hear(*(offer(n, "good", "poison") for n in range(3)))
    with running.session() as session:
        first, *others = chosen(session, None, None)
    running.host.database.transact(lambda session: dead_letters.set_aside(session, [first], "Duty", "no fact"))
    running.host.database.transact(lambda session: dead_letters.set_aside(session, [first], "Somebody", "else"))
    with running.session() as session:
        assert ([group.letters for group in groups(session)], dead_letters.waiting(session)) == ([2], 2)
        assert chosen(session, None, None) == chosen(session, None, first) == others, "by its cause it is not meant"
        (one,) = set_aside(session)
        assert (one.letter, one.by, one.because) == (first, "Duty", "no fact"), "who was first says why"
    assert list(run(running, [first])) == [first]
    with running.session() as session:
        assert [one.letter for one in set_aside(session)] == [first], "it died again, and stays aside"
        assert chosen(session, first, None) == [first]
    small.POISON.clear()
    assert run(running, [first]) == {}
    assert [row.times for row in running.rows(Count)] == [1]
    with running.session() as session:
        assert set_aside(session) == [] and dead_letters.waiting(session) == 2
