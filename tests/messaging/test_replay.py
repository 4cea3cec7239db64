"""A handler had a bug; the bug is mended; what died of it is replayed and takes effect once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.messaging.replay import chosen, groups, history, replay, whole
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
