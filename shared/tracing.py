"""Spans over OTLP, for whoever sets FENGHE_OTLP_ENDPOINT. Without it nothing here is loaded, and each place that could record a
span makes one comparison with None.

The ids are the kit's own: a traceparent goes from a request over its facts to their handlers whether anybody records it or
not. A span only says what happened under an id, so the one that a fact carries is that of the span that told it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from shared import logs
from shared.events import CloudEvent, Fact
from shared.problems import Problem
from shared.settings import Settings, SettingsError

log = logs.get("tracing")

Kind = Literal["internal", "server", "producer", "consumer"]
EXPORT_TIMEOUT = 3.0
"""Seconds that the collector may take for a batch of spans, and that an ending service waits for it."""
PATH = "/v1/traces"


def begin(settings: Settings, service: str, version: str) -> Tracing | None:
    """The tracing of a service; None where it is off. Raises SettingsError where what it needs is not installed."""
    return Tracing(settings.otlp_endpoint, service, version) if settings.otlp_endpoint else None


class Tracing:
    """Records what happened under a traceparent, and sends it to a collector in a thread of its own."""

    def __init__(self, endpoint: str, service: str, version: str) -> None:
        try:
            from opentelemetry import context, trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ALWAYS_ON
        except ImportError:
            raise SettingsError(
                "FENGHE_OTLP_ENDPOINT asks for tracing, and this installation has no OpenTelemetry; unset it, or: "
                "pip install 'fenghe[tracing]'"
            ) from None
        self._trace, self._context = trace, context
        self._ids = _Ids()
        address = endpoint if endpoint.rstrip("/").endswith(PATH) else endpoint.rstrip("/") + PATH
        # What the exporter says of a collector that is away, it says at every attempt; `_Sending` says it once.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        self._sending = _Sending(OTLPSpanExporter(endpoint=address, timeout=EXPORT_TIMEOUT), address)
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": service, "service.version": version, "service.namespace": "fenghe"}),
            shutdown_on_exit=False,
            id_generator=self._ids,  # type: ignore[arg-type]
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._sending))  # type: ignore[arg-type]
        self._tracer = self._provider.get_tracer("fenghe", version)

    def close(self) -> None:
        """Send what is left, within seconds, and end."""
        self._sending.deadline = time.monotonic() + EXPORT_TIMEOUT
        self._provider.shutdown()

    def record(
        self,
        name: str,
        kind: Kind,
        own: str,
        parent: str,
        began: int,
        attributes: Mapping[str, Any],
        links: Iterable[str] = (),
        error: str = "",
    ) -> None:
        """A span that ends now, with the ids of the traceparent `own`, under `parent` where that is one. `began` in
        nanoseconds of Unix time; `links` are traceparents; `error` is the kind of what it failed with."""
        trace = self._trace
        above = self._span_context(parent)
        context = self._context.Context()
        if above is not None:
            context = trace.set_span_in_context(trace.NonRecordingSpan(above), context)
        self._ids.following(own)
        span = self._tracer.start_span(
            name,
            context,
            trace.SpanKind[kind.upper()],
            {**attributes, "error.type": error} if error else attributes,
            [trace.Link(linked) for link in links if (linked := self._span_context(link)) is not None],
            began,
        )
        if error:
            span.set_status(trace.StatusCode.ERROR)
        span.end()

    def _span_context(self, traceparent: str) -> Any:
        match = logs.TRACEPARENT.match(traceparent)
        if match is None:
            return None
        ids = (int(match.group(1), 16), int(match.group(2), 16))
        return self._trace.SpanContext(*ids, is_remote=True, trace_flags=self._trace.TraceFlags(1))

    @contextmanager
    def span(self, name: str, kind: Kind, attributes: Mapping[str, Any], links: Sequence[str] = ()) -> Iterator[str]:
        """A span around what is done within: everything told there carries its id. Gives its traceparent."""
        parent = logs.bound_traceparent()
        own = logs.new_traceparent(parent)
        token = logs.bind_traceparent(own)
        began, failed = time.time_ns(), ""
        try:
            yield own
        except Problem:
            raise  # refused, which is an answer
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            logs.unbind_traceparent(token)
            self.record(name, kind, own, parent, began, attributes, links, failed)

    def command(self, action: Callable[..., Any], args: Sequence[Any]) -> Any:
        """A span around a command's transaction. Where the action is wrapped, the innermost function gives the name."""
        names = [given.__name__ for given in (action, *args) if hasattr(given, "__name__")]
        return self.span(f"transaction {names[-1]}", "internal", {"code.function.name": names[-1]})

    def timer(self, kind: str) -> Any:
        """A span around a timer's transaction: the beginning of a trace, for nobody asked for it but the clock."""
        return self.span(f"timer {kind}", "internal", {"fenghe.timer.kind": kind})

    @contextmanager
    def batch(self, group: str, events: Sequence[CloudEvent[Fact]]) -> Iterator[dict[str, str]]:
        """Spans around the transaction that handles facts: one of the batch, linked to them all, and for each fact that took
        effect one in the fact's own trace. Whoever handles them puts in their traceparents, by fact id."""
        began = time.time_ns()
        handled: dict[str, str] = {}
        attributes = {**SYSTEM, "messaging.consumer.group.name": group}
        failed, whole = "", ""
        try:
            counted = {**attributes, "messaging.batch.message_count": len(events)}
            with self.span(f"process batch {group}", "consumer", counted, [event.traceparent for event in events]) as whole:
                yield handled
        except Exception as error:
            failed = type(error).__name__
            if len(events) == 1:  # of several nobody knows whose fault it was; they are tried one by one
                handled[events[0].id] = logs.new_traceparent(events[0].traceparent)
            raise
        finally:
            for event in events:
                if event.id in handled:
                    known = {**attributes, **_of(event.type, event.id, event.source)}
                    name = f"process {event.type}"
                    self.record(name, "consumer", handled[event.id], event.traceparent, began, known, [whole], failed)

    def at_once(
        self, group: str, events: Sequence[CloudEvent[Fact]], handled: Mapping[str, str], began: int, failed: str = ""
    ) -> None:
        """Spans of facts that took effect in the transaction that told them, or did not (`failed`), each under the span of that
        command. `handled`: their traceparents, by fact id."""
        for event in events:
            own = handled.get(event.id) or logs.new_traceparent(event.traceparent)
            known = {**SYSTEM, "messaging.consumer.group.name": group, **_of(event.type, event.id, event.source)}
            self.record(f"process {event.type}", "consumer", own, event.traceparent, began, known, error=failed)

    def sent(self, rows: Sequence[Mapping[str, Any]], began: int) -> None:
        """Spans of outbox rows that were just sent, each under the span that told its fact."""
        for row in rows:
            own, told = logs.new_traceparent(row["traceparent"]), row["traceparent"]
            attributes = {**SYSTEM, "messaging.destination.name": row["stream"], **_of(row["type"], row["id"], row["source"])}
            self.record(f"send {row['type']}", "producer", own, told, began, attributes)


SYSTEM = {"messaging.system": "redis"}


def _of(type: str, id: str, source: str) -> dict[str, str]:
    return {"cloudevents.event_type": type, "cloudevents.event_id": id, "cloudevents.event_source": source}


class _Ids:
    """Gives the SDK the ids of the kit's own traceparents."""

    def __init__(self) -> None:
        self._next = threading.local()

    def following(self, traceparent: str) -> None:
        """The next span of this thread has these ids."""
        _, trace, span, _ = traceparent.split("-")
        self._next.trace, self._next.span = int(trace, 16), int(span, 16)

    def generate_trace_id(self) -> int:
        return int(self._next.trace)

    def generate_span_id(self) -> int:
        return int(self._next.span)

    def is_trace_id_random(self) -> bool:
        return True


class _Sending:
    """The exporter, which says once that the collector is away, and once that it is back."""

    def __init__(self, exporter: Any, address: str) -> None:
        self._exporter = exporter
        self._address = address
        self._away = False
        self.deadline = float("inf")

    def export(self, spans: Sequence[Any]) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        if time.monotonic() > self.deadline:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            log.warning(
                "the collector takes no spans; they are dropped, everything else goes on; check that it runs at this address, "
                "or unset FENGHE_OTLP_ENDPOINT",
                address=self._address,
            )
        elif self._away and not away:
            log.info("the collector takes spans again", address=self._address)
        self._away = away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))
