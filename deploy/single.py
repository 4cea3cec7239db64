"""All in one: four services, an embedded Valkey and SQLite in one data folder, one process, one port."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from deploy import front, serving
from deploy.data_folder import DataFolder
from deploy.services import load_all
from shared import logs
from shared.messaging.valkey import EmbeddedValkey
from shared.migrations import upgrade
from shared.service import Host
from shared.web import build_app

log = logs.get("all-in-one")

WATCH_EVERY = 0.2
DOCS, NOTIFY = "/docs/events", "/api/notify"
"""The pages about the public feed, and whose they are."""


class Together:
    """One ASGI application of several: a request goes to the service that its path names, the rest to the front page."""

    def __init__(self, hosts: list[Host]) -> None:
        self._apps: dict[str, Any] = {host.service.name: build_app(host) for host in hosts}
        self._front = front.build(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == DOCS or path.startswith(f"{DOCS}/"):  # as the gateway does
            scope = {**scope, "path": NOTIFY + path, "raw_path": (NOTIFY + path).encode()}
        _, _, rest = scope.get("path", "").partition("/api/")
        app = self._apps.get(rest.partition("/")[0], self._front)
        await app(scope, receive, send)


def up(path: Path, host: str, port: int, when_ready: Callable[[str, DataFolder], None]) -> None:
    """Run everything on a data folder until SIGTERM or SIGINT. `when_ready` is called once, in a thread, with the address.
    Raises DataFolderError, AddressInUse, SettingsError, ValkeyError or MigrationError, before anything was started."""
    folder = DataFolder(path)
    folder.lock()
    folder.make_keys()
    valkey = EmbeddedValkey(folder.valkey)
    listening = serving.listen(host, port)
    address = f"http://{host}:{listening.getsockname()[1]}"
    folder.reached_at(address)
    try:
        services = load_all()
        gc.freeze()
        gc.enable()
        settings = [folder.settings(service, valkey.url, address) for service in services]
        logs.configure(settings[0].log_level, settings[0].log_format)
        valkey.start()
        hosts = [Host(service, given) for service, given in zip(services, settings, strict=True)]
        for running in hosts:
            upgrade(running.service, running.database)
        announce = threading.Thread(target=when_ready, args=(address, folder), name="announce", daemon=True)
        serving.run(_serve(hosts, valkey, listening, announce.start))
    finally:
        listening.close()
        valkey.stop()
        folder.unlock()


async def _serve(hosts: list[Host], valkey: EmbeddedValkey, listening: Any, when_ready: Callable[[], None]) -> None:
    watching = asyncio.create_task(_watch(valkey))
    try:
        async with serving.running(hosts):
            await serving.serve(Together(hosts), [listening], when_ready, hosts)
    finally:
        watching.cancel()


async def _watch(valkey: EmbeddedValkey) -> None:
    """Start Valkey again when it ended: the services wait for it meanwhile."""
    while True:
        await asyncio.sleep(WATCH_EVERY)
        if not valkey.alive:
            log.warning(
                "the embedded Valkey has ended; it is started again, facts wait for it; if it lasts, see its log",
                log=str(valkey.folder / "valkey.log"),
            )
            await asyncio.to_thread(valkey.start)
