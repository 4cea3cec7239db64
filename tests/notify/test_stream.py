"""The feed as Server-Sent Events: nothing missed, nothing twice, whoever reads, however slowly."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from services.notify.app import service
from services.notify.stream import Tail
from shared.messaging.testing import Harness
from shared.service import Service
from shared.settings import Settings
from shared.web import build_app
from tests.notify.given import Neighbourhood

STREAM = "/api/notify/events/stream"
PATIENCE = 30.0


@pytest.fixture
def notify(harness: Callable[..., Harness]) -> Harness:
    return harness(service)


@contextmanager
def served(notify: Harness) -> Iterator[str]:
    """The running service behind a real server: a test client cannot read an answer that has no end."""
    assert notify.client.portal is not None
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(notify.host), lifespan="off", log_config=None, access_log=False))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    async def serve() -> None:
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup([listening])
        await server.main_loop()
        await server.shutdown([listening])

    ended = notify.client.portal.start_task_soon(serve)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        notify.client.portal.call(notify.host.ending.set)
        server.should_exit = True
        ended.result(PATIENCE)


class Reading:
    """A reader in a thread of its own: the events in the order in which they came."""

    def __init__(self, address: str, headers: dict[str, str] | None = None, **query: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self._wanted = threading.Condition()
        self._open = threading.Event()
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False)
        self._thread = threading.Thread(target=self._read, args=(address, headers or {}, query), daemon=True)
        self._thread.start()
        assert self._open.wait(PATIENCE)

    def _read(self, address: str, headers: dict[str, str], query: dict[str, Any]) -> None:
        try:
            with self._client.stream("GET", address + STREAM, headers=headers, params=query) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                fields: dict[str, str] = {}
                for line in answer.iter_lines():
                    self._open.set()  # its first line comes after the service knows where it begins
                    name, _, value = line.partition(": ")
                    if line:
                        fields[name] = value
                        continue
                    if "data" in fields:
                        with self._wanted:
                            self.events.append(json.loads(fields["data"]))
                            self.ids.append(fields["id"])
                            self._wanted.notify_all()
                    fields = {}
        except httpx.HTTPError:
            pass

    def wait_for(self, count: int) -> list[str]:
        """The fact ids, once there are so many."""
        with self._wanted:
            assert self._wanted.wait_for(lambda: len(self.events) >= count, PATIENCE), f"only {len(self.events)} came"
        return [event["id"] for event in self.events]

    def leave(self) -> None:
        """Close the line."""
        self._client.close()

    def ended(self) -> bool:
        """Whether the service ended the stream."""
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


def test_a_reader_gets_what_is_told_from_now_on(notify: Harness) -> None:
    fenghe = Neighbourhood()
    notify.hear(fenghe.opened())
    with served(notify) as address:
        reading = Reading(address)
        (told,) = notify.hear(fenghe.registered())
        assert reading.wait_for(1) == [told.id]
        assert reading.events[0]["specversion"] == "1.0"
        assert reading.events[0]["data"]["organization"] == fenghe.organization


def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(notify: Harness) -> None:
    fenghe = Neighbourhood()
    with served(notify) as address:
        first = Reading(address)
        told = notify.hear(fenghe.opened(), fenghe.taxonomy())
        first.wait_for(2)
        first.leave()
        told += notify.hear(fenghe.registered())
        second = Reading(address, {"Last-Event-ID": first.ids[-1]})
        told += notify.hear(Neighbourhood().opened())
        assert [event["id"] for event in first.events] + second.wait_for(2) == [event.id for event in told]
        # The list gives the same cursors: from a page of it one goes on with the stream.
        page = notify.client.get("/api/notify/events", params={"limit": 1}).json()
        assert Reading(address, {"Last-Event-ID": page["next"]}).wait_for(3) == [event.id for event in told[1:]]
        whole = Reading(address, {"Last-Event-ID": ""}, follow=False)
        assert whole.wait_for(4) == [event.id for event in told] and whole.ended()


def test_a_reader_far_behind_is_served_from_the_database(notify: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.stream.KEPT", 3)
    monkeypatch.setattr("services.notify.stream.PAGE", 4)
    places = [Neighbourhood() for _ in range(15)]
    with served(notify) as address:
        live = Reading(address)
        told = notify.hear(*(place.opened() for place in places), *(place.registered() for place in places))
        assert live.wait_for(30) == [event.id for event in told]
        assert Reading(address, {"Last-Event-ID": ""}).wait_for(30) == [event.id for event in told]
        wanted = [event.id for event in told if event.community == places[7].community]
        assert Reading(address, {"Last-Event-ID": ""}, community=places[7].community).wait_for(2) == wanted


def test_a_reader_gets_only_what_was_asked_for(notify: Harness) -> None:
    fenghe, elsewhere = Neighbourhood(), Neighbourhood()
    with served(notify) as address:
        by_type = Reading(address, type=["fenghe.org.registered.v1", "fenghe.taxonomy.published.v1"])
        by_subject = Reading(address, subject=fenghe.organization)
        by_community = Reading(address, community=elsewhere.community)
        notify.hear(fenghe.opened(), elsewhere.opened())
        registered, taxonomy, other = notify.hear(fenghe.registered(), fenghe.taxonomy(), elsewhere.registered())
        assert by_type.wait_for(3) == [registered.id, taxonomy.id, other.id]
        assert by_subject.wait_for(1) == [registered.id]
        by_community.wait_for(2)
        assert {event["community"] for event in by_community.events} == {elsewhere.community}


def test_readers_are_let_go_when_the_service_ends(notify: Harness) -> None:
    with served(notify) as address:
        readings = [Reading(address) for _ in range(3)]
    assert all(reading.ended() for reading in readings)


def test_what_is_no_id_of_an_event_is_said_to_be_none(notify: Harness) -> None:
    answer = notify.client.get(STREAM, headers={"Last-Event-ID": "yesterday"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


def test_a_slow_reader_holds_up_nobody_and_nothing_is_kept_for_it(notify: Harness) -> None:
    """It does not read at all; the service stops writing to it and remembers a position, no facts."""
    fenghe = Neighbourhood()
    with served(notify) as address, closing(socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))) as slow:
        slow.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        quick = Reading(address)
        large = [fenghe.taxonomy() for _ in range(50)]
        told = notify.hear(fenghe.opened(), *large)
        assert quick.wait_for(51) == [event.id for event in told]
        tail = notify.host.part(Tail)
        assert tail.readers == 2


def test_whoever_goes_from_replica_to_replica_misses_nothing_and_gets_nothing_twice(
    settings: Callable[[Service], Settings],
) -> None:
    """Two replicas on one database share the facts; a reader leaves one and comes back at the other, again and again."""
    shared = settings(service).model_copy(update={"sole": False})
    with Harness(service, shared) as one, Harness(service, shared) as other, served(one) as here, served(other) as there:
        read: list[str] = []
        last = ""
        for turn in range(6):
            reading = Reading((here, there)[turn % 2], {"Last-Event-ID": last})
            places = [Neighbourhood() for _ in range(4)]
            one.hear(*(place.opened() for place in places), *(place.registered() for place in places))
            other.drain()
            read += reading.wait_for(5)[:5]  # of the eight, and of those left before: it goes in the middle of them
            last = reading.ids[4]
            reading.leave()
        rest = Reading(here, {"Last-Event-ID": last}, follow=False)
        assert rest.ended()
        read += [event["id"] for event in rest.events]
        listed: list[str] = []
        after: dict[str, str] = {}
        while items := (page := one.client.get("/api/notify/events", params={"limit": 20, **after}).json())["items"]:
            listed += [item["id"] for item in items]
            after = {"after": page["next"]}
        assert len(listed) == 48
        assert read == listed
