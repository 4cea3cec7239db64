"""Structured logs, and the one id that goes from a request over its facts to their handlers (W3C trace context)."""

from __future__ import annotations

import contextvars
import logging
import random
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import structlog

_traceparent: contextvars.ContextVar[str] = contextvars.ContextVar("traceparent", default="")
TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")


def new_traceparent(parent: str | None = None) -> str:
    """A traceparent of a new span: in the trace of `parent` where that is a valid one, in a new trace otherwise."""
    match = TRACEPARENT.match(parent or "")
    trace = match.group(1) if match else secrets.token_hex(16)
    return f"00-{trace}-{random.getrandbits(64):016x}-01"


def traceparent() -> str:
    """The traceparent of what is being done right now; a new one where nothing is."""
    return _traceparent.get() or new_traceparent()


def bound_traceparent() -> str:
    """The traceparent of what is being done right now; empty where nothing is."""
    return _traceparent.get()


def bind_traceparent(value: str) -> contextvars.Token[str]:
    """From here on, in this context, everything belongs to this trace."""
    return _traceparent.set(value)


@contextmanager
def one_trace() -> Iterator[None]:
    """What is done within belongs to one new trace."""
    token = bind_traceparent(new_traceparent())
    try:
        yield
    finally:
        unbind_traceparent(token)


def unbind_traceparent(token: contextvars.Token[str]) -> None:
    """Back to the trace before `bind_traceparent`."""
    _traceparent.reset(token)


def trace_id(value: str) -> str:
    """The trace id (32 hex digits) within a traceparent; empty where it is not one."""
    match = TRACEPARENT.match(value)
    return match.group(1) if match else ""


def _add_trace(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if (current := _traceparent.get()) and "trace" not in event:
        event["trace"] = trace_id(current)
    return event


def configure(level: str = "INFO", format: str = "json") -> None:
    """Log to stderr, one line an event: `json` for machines, `text` for people. Other libraries' logs (INFO is too
    talkative in some) come along from WARNING up."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # wherever that leads by then
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=renderer,
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, structlog.processors.format_exc_info],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a part of the system, for example `relay`."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(part=name))
