"""Whoever follows a list by its cursor misses nothing, whichever of two replicas commits first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from services.notify import handlers
from services.notify.app import service
from services.notify.models import FeedFact, Notice
from tests.notify.given import Neighbourhood

PATIENCE = 0.5


@pytest.fixture
def notify(harness):
    return harness(service)


@pytest.mark.parametrize(
    ("handler", "path"), [(handlers.write_notices, "/api/notify/inbox"), (handlers.feed_public_facts, "/api/notify/events")]
)
def test_what_a_slow_replica_commits_late_is_not_passed_over(notify, handler, path):
    fenghe = Neighbourhood()
    headers = notify.as_("station", community=fenghe.community)
    slow, quick = notify.event(fenghe.opened()), notify.event(fenghe.opened())
    written, may_commit, committed = Event(), Event(), Event()
    seen, cursor = [], {}

    def read():
        answer = notify.client.get(path, params=cursor, headers=headers).json()
        seen.extend(item["id"] for item in answer["items"])
        if answer["next"]:
            cursor["after"] = answer["next"]

    def slowly(tx):
        handler(tx, [slow])
        tx.session.flush()
        written.set()
        assert may_commit.wait(20)

    def quickly():
        assert written.wait(20)
        notify.host.run(lambda tx: handler(tx, [quick]))
        committed.set()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(notify.host.run, slowly), pool.submit(quickly)]
        try:
            committed.wait(PATIENCE)
            read()
        finally:
            may_commit.set()
        for each in running:
            each.result()
    read()
    assert len(seen) == len(set(seen)) == 2


def test_positions_count_up_by_one_in_each_list(notify):
    fenghe = Neighbourhood()
    notify.hear(*fenghe.all())
    notify.hear(*Neighbourhood().all())
    for table in (Notice, FeedFact):
        positions = sorted(row.position for row in notify.rows(table))
        assert positions == list(range(1, len(positions) + 1))
