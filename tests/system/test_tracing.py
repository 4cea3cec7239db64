"""Spans as a collector gets them: one trace from a resident's POST over the facts to the handlers of another service."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.matching.app import service as matching_service
from services.notify.app import service as notify_service
from shared import logs
from shared.messaging import CloudEvent, Transaction
from shared.messaging.testing import Harness
from shared.service import Service
from tests.matching.given import REQUESTS, Town
from tests.messaging.lending import LoanAsked
from tests.messaging.listener import offer
from tests.messaging.listener import service as listener
from tests.messaging.test_at_once import handled_by
from tests.messaging.test_supervision import until
from tests.messaging.test_timers import fired, schedule
from tests.messaging.test_timers import service as timed_service
from tests.system.conftest import ROOT

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

REQUEST = "fenghe.request"


@dataclass(frozen=True)
class Span:
    """A span as it came over the wire; ids in hex."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    links: frozenset[str]
    attributes: dict[str, Any]


class Collector:
    """An OpenTelemetry collector that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(self.path, ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, request: ExportTraceServiceRequest) -> None:
        assert path == "/v1/traces"
        for resource in request.resource_spans:
            names = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        names["service.name"],
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.kind,
                        frozenset(link.span_id.hex() for link in span.links),
                        {a.key: a.value.string_value or a.value.int_value for a in span.attributes},
                    )
                    for span in scope.spans
                ]

    def all(self, service: str, name: str) -> list[Span]:
        return [span for span in self.spans if (span.service, span.name) == (service, name)]

    def one(self, service: str, name: str) -> Span:
        """The one span of this name; waits until it has come."""
        until(lambda: bool(self.all(service, name)))
        (span,) = self.all(service, name)
        return span


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def traced(
    settings: Callable[[Service], Any], collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Service], Harness]]:
    """Starts a service that sends its spans to the collector."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    with ExitStack() as stack:
        yield lambda service: stack.enter_context(
            Harness(service, settings(service).model_copy(update={"otlp_endpoint": collector.address}))
        )


def test_one_trace_goes_from_a_post_over_facts_to_the_handlers_of_another_service(
    traced: Callable[[Service], Harness], collector: Collector
) -> None:
    matching, notify = traced(matching_service), traced(notify_service)
    town = Town()
    town.open_with(matching, "甲")
    until(lambda: bool(collector.spans))
    client = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
    answer = matching.client.post(REQUESTS, json=town.body(), headers={"traceparent": client})
    assert answer.status_code == 201
    matching.drain()
    notify.drain()

    post = collector.one("matching", "POST /requests")
    assert (post.trace, post.parent, post.kind) == ("c" * 32, "d" * 16, 2)
    assert answer.headers["traceparent"] == f"00-{post.trace}-{post.id}-01"
    command = collector.one("matching", "transaction submit_request")
    submitted = collector.one("matching", f"process {REQUEST}.submitted.v1")
    matched = collector.one("notify", f"process {REQUEST}.matched.v1")
    assert command.parent == post.id
    assert submitted.parent == command.id
    assert matched.parent == submitted.id
    assert collector.one("matching", f"send {REQUEST}.submitted.v1").parent == command.id
    assert collector.one("matching", f"send {REQUEST}.matched.v1").parent == submitted.id
    for span in (post, command, submitted, matched):
        assert span.trace == "c" * 32
    # The fact carries the id of the span that told it.
    traceparents = {event.type: event.traceparent for event in matching.told()}
    assert traceparents[f"{REQUEST}.submitted.v1"] == f"00-{command.trace}-{command.id}-01"
    assert traceparents[f"{REQUEST}.matched.v1"] == f"00-{submitted.trace}-{submitted.id}-01"
    # The batch, in a trace of its own, is linked to the facts in it, and they to it.
    (batch,) = [span for span in collector.all("notify", "process batch notify") if span.id in matched.links]
    assert submitted.id in batch.links
    assert batch.trace != matched.trace
    for span, group in ((submitted, "matching"), (matched, "notify")):
        assert (span.kind, span.attributes["messaging.consumer.group.name"]) == (5, group)
    ids = [span.id for span in collector.spans]
    assert len(ids) == len(set(ids))


def test_a_handler_that_fails_shows_in_the_trace_of_its_fact(
    traced: Callable[[Service], Harness], collector: Collector
) -> None:
    running = traced(listener)
    running.hear(offer(1, "title", "poison"))
    name = "process fenghe.offer.changed.v1"
    until(lambda: len(collector.all("listener", name)) >= 5)
    assert {span.attributes["error.type"] for span in collector.all("listener", name)} == {"RuntimeError"}


def test_what_fails_within_a_command_shows_in_its_trace(traced: Callable[[Service], Harness], collector: Collector) -> None:
    def fail(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        raise ZeroDivisionError("a bug in the handler")

    with handled_by(traced, fail) as running:
        assert running.client.put("/api/lending/communities/c/loans/drill?days=3").status_code == 201
        running.drain()
    # Within the command, in a batch of one, and by itself so many times.
    until(lambda: len(collector.all("lending", f"process {LoanAsked.type}")) == 2 + running.settings.retry_attempts)
    attempts = collector.all("lending", f"process {LoanAsked.type}")
    assert {span.attributes["error.type"] for span in attempts} == {"ZeroDivisionError"}
    assert {span.parent for span in attempts} == {collector.one("lending", "transaction ask").id}


def test_what_a_timer_tells_is_in_the_trace_that_its_clock_began(
    traced: Callable[[Service], Harness], collector: Collector
) -> None:
    timed = traced(timed_service)
    schedule(timed, "one", "two")
    told = timed.told()
    fired.clear()  # that module's own list
    assert len(told) == 2
    until(lambda: len(collector.all("registry", "timer change")) == 2)
    spans = collector.all("registry", "timer change")
    assert {event.traceparent for event in told} == {f"00-{span.trace}-{span.id}-01" for span in spans}
    assert {span.parent for span in spans} == {""}


def test_a_collector_that_is_away_harms_nobody_and_is_told_once(
    traced: Callable[[Service], Harness], collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("WARNING", "json")
    try:
        collector.server.shutdown()
        collector.server.server_close()
        running = traced(listener)
        for n in range(5):
            running.hear(offer(n, "title"))
        running.__exit__()
    finally:
        error = capsys.readouterr().err
        logs.configure("ERROR", "text")
    (line,) = [line for line in error.splitlines() if "collector" in line]
    assert "unset FENGHE_OTLP_ENDPOINT" in line
    assert [line for line in error.splitlines() if "keeps no append-only file" not in line] == [line]


def test_without_the_setting_nothing_of_it_is_loaded(
    harness: Callable[[Service], Harness], database_url: Callable[[str], str]
) -> None:
    assert harness(listener).host.tracing is None
    # (redis-py loads the API and the metrics of OpenTelemetry by itself, where they are installed)
    parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto")
    code = (
        f"import sys, deploy.services, shared.web; deploy.services.load_all(); print([m for m in {parts} if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
