"""HTTP: the application of a service, its edge (one transaction a request), problems, pages of lists, logs."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import idempotency, logs, openapi
from shared.access import Caller, Signer
from shared.database import is_unavailable
from shared.problems import Invalid, Problem
from shared.service import Host
from shared.version import VERSION

T = TypeVar("T")

log = logs.get("http")

MAX_BODY_BYTES = 2_097_152
OF_THE_MACHINERY = ("/health/live", "/health/ready", "/metrics", "/quiet")
"""Asked all the time, and by no person: no spans."""
UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})|\x00")


class Edge:
    """Where a request meets the service: the only place that commits."""

    def __init__(self, host: Host, request: Request, response: Response, body: bytes) -> None:
        self._host = host
        self._request = request
        self._response = response
        self._body = body

    def run(self, action: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do `action(tx, …)` in one transaction. A POST with an Idempotency-Key is done once; a repetition is answered as
        the first time, with the header `Idempotency-Replayed: true`."""
        return self._once(self._host.run, action, args, kwargs)

    def run_together(self, action: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """As `run`, in one transaction with others that come at the same time: for what comes often and locks no row."""
        return self._once(self._host.run_together, action, args, kwargs)

    def _once(self, run: Callable[..., Any], action: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        key = self._request.headers.get("idempotency-key")
        if key is None:
            return cast(T, run(action, *args, **kwargs))
        if not 1 <= len(key) <= idempotency.MAX_LENGTH:
            raise Invalid("Idempotency-Key", f"An Idempotency-Key has 1 to {idempotency.MAX_LENGTH} characters.")
        caller: Caller = self._request.state.caller
        if caller.role == "anyone" and len(key) < idempotency.UNGUESSABLE:
            detail = "Without a token the Idempotency-Key alone says who asks again: send at least a UUID, and keep it secret."
            raise Invalid("Idempotency-Key", detail)
        who = ":".join(filter(None, (caller.role, caller.community, caller.organization, caller.request, caller.subject)))
        scope = f"{self._request.method} {self._request.url.path} {who}"
        outcome: tuple[T, bool] = run(idempotency.once, scope, key, self._body, action, args, kwargs)
        result, replayed = outcome
        if replayed:
            self._response.headers["Idempotency-Replayed"] = "true"
        return result

    def read(self, query: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do `query(session, …)` on a consistent state."""
        return self._host.read(query, *args, **kwargs)

    @property
    def signer(self) -> Signer:
        """Signs tokens, in the services that have a signing key."""
        return self._host.signer


async def _edge(request: Request, response: Response) -> Edge:
    body = await request.body()
    if UNSTORABLE.search(body):
        try:
            json.dumps(json.loads(body), ensure_ascii=False).encode()
        except ValueError:
            raise Invalid("body", "The body contains a character that is not valid Unicode text.") from None
        if b"\\u0000" in body or b"\x00" in body:
            raise Invalid("body", "The body contains a NUL character, which no text has.")
    return Edge(request.app.state.host, request, response, body)


EDGE: Any = Depends(_edge)
"""A route's edge: `edge: Edge = EDGE`."""


class Page(BaseModel, Generic[T]):
    """A page of a list. `next` is the cursor of the following page (`?after=…`), null on the last one."""

    items: list[T]
    next: str | None


class PageRequest(BaseModel):
    """Which page is asked for."""

    limit: int
    after: str | None


def _cursor(after: str | None) -> str | None:
    """The key in a cursor. Raises ValueError."""
    if after is None:
        return None
    try:
        key = base64.urlsafe_b64decode(after.encode("ascii")).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key or "\x00" in key:
        raise ValueError("This is not a cursor; use the value of `next` of the page before.")
    return key


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="how many, at most")] = 50,
    # Read as a parameter, not here: who may not ask at all is told that, and nothing of the cursor.
    after: Annotated[
        str | None, AfterValidator(_cursor), Query(max_length=400, description="`next` of the page before")
    ] = None,
) -> PageRequest:
    return PageRequest(limit=limit, after=after)


PAGE_REQUEST: Any = Depends(_page_request)
"""A route's page: `page: PageRequest = PAGE_REQUEST`."""


FIRST = "!"
"""Before the key in a cursor: the page goes on among the rows that come first."""


def paginate(
    session: Session,
    statement: Any,
    key: Any,
    page: PageRequest,
    present: Callable[[Any], T],
    first: TextClause | None = None,
) -> Page[T]:
    """One page of a selection of rows, ascending by `key`, a unique text column of theirs. Those for which the condition
    `first` holds (it is never null) come before all others."""
    statement = statement.order_by(key)
    before: list[Any] = []
    after = page.after
    if first is not None and (after is None or after.startswith(FIRST)):
        before = _rows(session, statement.where(first), key, after and after.removeprefix(FIRST), page.limit + 1)
        after = None
    if first is not None:
        statement = statement.where(text(f"NOT ({first.text})"))
    wanted = page.limit + 1 - len(before)
    rows = before + (_rows(session, statement, key, after, wanted) if wanted else [])
    following = None
    if len(rows) > page.limit:
        rows.pop()
        name = str(getattr(rows[-1], key.key))
        name = FIRST + name if len(rows) <= len(before) else name
        following = base64.urlsafe_b64encode(name.encode()).decode()
    return Page(items=[present(row) for row in rows], next=following)


def _rows(session: Session, statement: Any, key: Any, after: str | None, most: int) -> list[Any]:
    if after is not None:
        statement = statement.where(key > after)
    return list(session.execute(statement.limit(most)).scalars())


def problem_response(problem: Problem, request: Request) -> JSONResponse:
    """A problem as RFC 9457 `application/problem+json`."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.status == 503:
        headers["Retry-After"] = "1"
    return JSONResponse(
        problem.document(request.url.path), problem.status, headers=headers, media_type="application/problem+json"
    )


def install_problems(app: FastAPI) -> None:
    """Answer every error as a problem. What a caller sent is never repeated: it may be personal."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> JSONResponse:
        return problem_response(error, request)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": _field(item["loc"]), "detail": item["msg"].removeprefix("Value error, ")} for item in error.errors()
        ]
        problem = Problem(422, "invalid", "; ".join(f"{item['field']}: {item['detail']}" for item in errors))
        problem.errors = errors
        return problem_response(problem, request)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        kind = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
        response = problem_response(Problem(error.status_code, kind, str(error.detail)), request)
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            # Starlette names the methods of the first route at this path alone.
            host: Host = app.state.host
            path = request.url.path.removeprefix(f"/api/{host.service.name}")
            response.headers["Allow"] = ", ".join(openapi.methods(app.state.routers, path))
        return response

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> JSONResponse:
        if isinstance(error, IntegrityError):
            detail = "Somebody else has just made this change; read it again."
            return problem_response(Problem(409, "conflict", detail), request)
        if is_unavailable(error):
            return _unavailable(request)
        raise error

    @app.exception_handler(SQLAlchemyTimeoutError)
    async def _timeout(request: Request, error: SQLAlchemyTimeoutError) -> JSONResponse:
        return _unavailable(request)


def _unavailable(request: Request) -> JSONResponse:
    detail = "The database cannot be used at present; nothing was changed unless a repetition says so. Try again."
    return problem_response(Problem(503, "unavailable", detail), request)


def _field(location: tuple[Any, ...] | list[Any]) -> str:
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] in ("body", "query", "path", "header"):
        parts = parts[1:]
    return ".".join(parts)


class Traced:
    """ASGI middleware: gives each request its trace, a line in the log, and its place in the metrics; refuses what is too
    large; answers what nobody foresaw with a problem that carries the trace id."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        parent = headers.get(b"traceparent", b"").decode("latin-1")
        trace = logs.new_traceparent(parent)
        token = logs.bind_traceparent(trace)
        began, began_at = time.perf_counter(), time.time_ns()
        status = 500
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise Problem(413, "too-large", f"A request has at most {MAX_BODY_BYTES} bytes.")
            return message

        async def remember(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"traceparent", trace.encode())]
            await send(message)

        try:
            if b"%00" in scope.get("query_string", b"") or b"%00" in scope.get("raw_path", b""):
                raise Invalid("address", "The address contains a NUL character, which no text has.")
            await self._app(scope, bounded, remember)
        except Problem as problem:
            await problem_response(problem, Request(scope))(scope, receive, remember)
        except Exception as error:
            log.exception(
                "a request failed by a bug; nothing was changed, and the caller was told this trace; mend the bug",
                kind=type(error).__name__,
                path=scope["path"],
            )
            if status == 500:
                detail = f"Something went wrong here; nothing was changed. The operator finds it by {logs.trace_id(trace)}."
                await problem_response(Problem(500, "internal", detail), Request(scope))(scope, receive, remember)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "unknown")
            metrics = self._host.metrics
            metrics.requests.labels(scope["method"], route, str(status)).inc()
            metrics.request_seconds.observe(seconds)
            log.info("answered", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
            logs.unbind_traceparent(token)
            if self._host.tracing is not None and not route.endswith(OF_THE_MACHINERY):
                name, method = f"{scope['method']} {route}", {"http.request.method": scope["method"], "http.route": route}
                failed = str(status) if status >= 500 else ""
                attributes = {**method, "http.response.status_code": status}
                self._host.tracing.record(name, "server", trace, parent, began_at, attributes, error=failed)


def build_app(host: Host) -> FastAPI:
    """The application of a running service: its own routes under /api/<service>, and those that every service has."""
    from shared import operations

    service = host.service
    base = f"/api/{service.name}"
    app = FastAPI(
        title=service.title,
        summary=service.summary,
        version=VERSION,
        openapi_url=f"{base}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={"4XX": operations.PROBLEM, "5XX": operations.PROBLEM},
    )
    app.state.host = host
    install_problems(app)
    app.state.routers = [operations.router(service), *service.routers]
    for router in app.state.routers:
        app.include_router(router, prefix=base)
    openapi.complete(app, base, app.state.routers)
    app.add_middleware(Traced, host=host)
    return app
