"""The routes every service has: its documents, its health, whether it is quiet, its metrics and the kit's figures."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlmodel import Session

from shared.access import Caller, allow
from shared.asyncapi import document, fact_schema
from shared.messaging import dead_letters, outbox
from shared.problems import Problem
from shared.service import Host, Service
from shared.siblings import asked_by_a_sibling
from shared.status import Status, status
from shared.version import VERSION
from shared.web import EDGE, Edge


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; `errors` names the fields."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = None


PROBLEM: dict[str, Any] = {
    "description": "A problem, as RFC 9457 says it",
    "content": {"application/problem+json": {"schema": ProblemDocument.model_json_schema()}},
}


class KitFigures(BaseModel):
    """What the kit counts for a community: facts this service told, entries it could not handle."""

    facts: int
    dead_letters: int


class Quiet(BaseModel):
    """Whether all that was told is sent, all that was heard is handled, and all timers that are due have fired. `retrying`
    are facts and timers that failed and are tried again soon. `streams` are the last entries heard of."""

    quiet: bool
    unsent: int
    pending: int
    retrying: int
    due: int
    streams: dict[str, str]


class Ready(BaseModel):
    """Whether the service can do its work, and what it lacks."""

    ready: bool
    missing: list[str]


def router(service: Service) -> APIRouter:
    """The common routes of a service."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/health/live")
    async def live(caller: Caller = allow("anyone")) -> dict[str, str]:
        """The process answers."""
        return {"service": service.name, "version": VERSION}

    @routes.get("/health/ready", responses={503: {"model": Ready}})
    async def ready(request: Request, response: Response, caller: Caller = allow("anyone")) -> Ready:
        """The service can do its work; 503 with what is missing where it cannot. Of several workers, all can."""
        host: Host = request.app.state.host
        missing = await host.missing()
        if host.siblings and not asked_by_a_sibling(request.scope):
            missing += await asyncio.to_thread(lambda siblings: list(siblings.lacking(service.name)), host.siblings)
        response.status_code = 503 if missing else 200
        return Ready(ready=not missing, missing=missing)

    @routes.get("/status")
    async def read_status(request: Request, caller: Caller = allow("operator", "system")) -> Status:
        """How the service is: its replicas, how far it is behind, what is unsent, what could not be handled."""
        return await status(request.app.state.host)

    @routes.get("/quiet")
    async def quiet(request: Request, caller: Caller = allow("anyone")) -> Quiet:
        """Nothing unsent, nothing pending, nothing due. Two rounds of this over all services with the same `streams` mean that
        everything that was set going has come to its end."""
        host: Host = request.app.state.host
        try:
            return Quiet(**await host.quiet())
        except (RedisError, OSError) as error:
            detail = f"Redis cannot be asked ({type(error).__name__}), so nobody knows whether all is handled; no fact is lost."
            raise Problem(503, "unavailable", f"{detail} Start Redis, then ask again.") from None

    @routes.get("/metrics", response_class=Response)
    def metrics(request: Request, caller: Caller = allow("anyone")) -> Response:
        """Prometheus metrics of this replica; of several workers those of all, each with the label `worker`."""
        host: Host = request.app.state.host
        registry: Collector = host.metrics.registry
        if host.siblings and not asked_by_a_sibling(request.scope):
            registry = host.siblings.metrics(service.name, registry)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/asyncapi.json")
    async def asyncapi(request: Request, caller: Caller = allow("anyone")) -> JSONResponse:
        """The facts this service tells and hears, as an AsyncAPI 3 document."""
        return JSONResponse(document(service, VERSION))

    @routes.get("/schemas/{type}.json")
    async def schema(type: str, caller: Caller = allow("anyone")) -> JSONResponse:
        """The JSON Schema of the data of a fact this service tells."""
        for fact in service.tells:
            if fact.type == type:
                return JSONResponse(fact_schema(fact), media_type="application/schema+json")
        detail = f"{service.name} tells no fact of the type {type!r}; asyncapi.json beside this lists those it tells."
        raise Problem(404, "type-unknown", detail)

    @routes.get("/state.html", response_class=HTMLResponse, include_in_schema=False)
    async def state_page(request: Request, lang: Literal["zh", "en"] = "zh", caller: Caller = allow("anyone")) -> HTMLResponse:
        """This service's entry on the front page."""
        return HTMLResponse(await state(request.app.state.host, lang))

    @routes.get("/communities/{community}/kit-figures")
    def kit_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> KitFigures:
        """How many facts this service told for a community, and how many entries it could not handle."""
        return edge.read(_kit_figures, community)

    return routes


WORDS = {
    "zh": {"ready": "运行正常", "missing": "暂时不能工作", "links": ("接口文档", "事件文档", "状态", "指标")},
    "en": {"ready": "ready", "missing": "cannot work at present", "links": ("API", "Events", "State", "Metrics")},
}
LINKS = ("openapi.json", "asyncapi.json", "health/ready", "metrics")


async def state(host: Host, language: str) -> str:
    """A service's entry on the front page, as an HTML list item: its name, its state, links to its documents."""
    words = WORDS[language]
    service = host.service
    missing = await host.missing()
    stand = f"{words['missing']} ({'; '.join(missing)})" if missing else str(words["ready"])
    title = service.title_zh if language == "zh" else service.title
    summary = service.summary_zh if language == "zh" else service.summary
    links = " ".join(
        f'<a href="/api/{service.name}/{path}">{label}</a>' for path, label in zip(LINKS, words["links"], strict=True)
    )
    return (
        f'<li><strong>{escape(title)}</strong> <span class="{"missing" if missing else "ready"}">{escape(stand)}</span>'
        f"<br>{escape(summary)}<br>{links}</li>"
    )


def _kit_figures(session: Session, community: str) -> KitFigures:
    return KitFigures(facts=outbox.told(session, community), dead_letters=dead_letters.count(session, community))
