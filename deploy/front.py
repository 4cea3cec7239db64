"""The front page of an all-in-one: the gateway's own pages, with each service's state put in where the gateway would."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from shared.operations import state
from shared.service import Host
from shared.web import install_problems

PAGES = Path(__file__).parent / "gateway" / "pages"
INCLUDE = re.compile(r'<!--# include virtual="/api/([a-z]+)/state\.html\?lang=(zh|en)" -->')


def build(hosts: list[Host]) -> FastAPI:
    """The application that answers what belongs to no service."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)
    by_name = {host.service.name: host for host in hosts}

    async def render(page: str) -> HTMLResponse:
        text = (PAGES / page).read_text()
        for match in INCLUDE.finditer(text):
            name, language = match.groups()
            text = text.replace(match.group(), await state(by_name[name], language))
        return HTMLResponse(text)

    @app.get("/")
    async def chinese() -> HTMLResponse:
        return await render("index.html")

    @app.get("/en")
    async def english() -> HTMLResponse:
        return await render("en.html")

    return app
