"""`fenghe run`: one service in this process, or in several workers behind one port."""

from __future__ import annotations

from deploy import serving, workers
from deploy.errors import CommandError
from shared import logs
from shared.database import Database
from shared.migrations import MigrationError, is_current
from shared.service import Host, Service
from shared.settings import Settings, SettingsError
from shared.siblings import Siblings
from shared.web import build_app

log = logs.get("service")


def run(service: Service, settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Raises AddressInUse, CommandError, MigrationError, SettingsError."""
    if settings.workers > 1 and settings.sole:
        raise SettingsError("FENGHE_SOLE means one replica, and each of several FENGHE_WORKERS is one; unset one of them.")
    database = Database(settings.database_url)
    try:
        if not is_current(service, database):
            raise MigrationError(f"The database of {service.name} is not up to date; run: fenghe migrate {service.name}")
    finally:
        database.close()
    listening = serving.listen(settings.host, settings.port)

    def serve(siblings: Siblings | None = None, watched: int | None = None) -> None:
        host = _host(service, settings)
        host.siblings = siblings
        sockets = [listening, *([siblings.listen()] if siblings else [])]

        def ready() -> None:
            worker = {"worker": siblings.own} if siblings else {}
            log.info("listening", host=settings.host, port=settings.port, **worker)

        async def main() -> None:
            async with serving.running([host]):
                await serving.serve(build_app(host), sockets, ready, [host], watched)

        serving.run(main())

    if settings.workers == 1:
        serve()
        return 0
    return workers.watch_over(settings.workers, serve)


def _host(service: Service, settings: Settings) -> Host:
    try:
        return Host(service, settings)
    except (OSError, ValueError) as error:
        raise CommandError(f"A key cannot be read ({error}); check FENGHE_TOKEN_KEYS and FENGHE_SIGNING_KEY.") from None
