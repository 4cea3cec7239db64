"""A matching service in a process of its own, with a small community to serve."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from shared.events import Fact
from shared.identifiers import new_id
from shared.logs import new_traceparent
from shared.messaging import entries
from shared.messaging.streams import stream_of
from tests.benchmarks.ground import Ground, environment_of
from tests.benchmarks.http_load import Bodies
from tests.matching.given import LEAK, REQUESTS, Town

FENGHE = ("-m", "deploy.cli")
MEMBERS = ("repairs", "plumbers", "neighbours", "volunteers")


@contextmanager
def matching(ground: Ground, kind: str, workers: int = 1) -> Iterator[tuple[int, Bodies, int]]:
    """The port of a matching service of so many workers that knows a community and four organizations with room for everybody,
    the bodies of requests that they can serve, and the id of the process. Everything heard has taken effect."""
    town = Town()
    with ground.database(kind) as url, replicas(ground, url, town, 1, workers) as ((port, pid),):
        yield port, bodies(town), pid


def bodies(town: Town) -> Bodies:
    """The bodies of requests, by number; no two alike, for what a text was read as is remembered."""
    return lambda n: json.dumps(town.body(text=f"{LEAK}，{n}号楼")).encode()


@contextmanager
def replicas(
    ground: Ground, url: str, town: Town, count: int, workers: int = 1, fenghe: Sequence[str] = FENGHE
) -> Iterator[list[tuple[int, int]]]:
    """The port and the process of each of so many replicas of matching on a new database, as above, started by this command."""
    ground.redis.flushall()
    tell(ground.redis, town)
    environment = environment_of(ground.settings("matching", url))
    with ground.process(["-m", "deploy.cli", "migrate", "matching"], **environment) as migrating:
        assert migrating.wait() == 0, (ground.folder / "processes.log").read_text()[-3000:]
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            port = free_port()
            of_this = {
                **environment,
                "FENGHE_PORT": str(port),
                "FENGHE_WORKERS": str(workers),
                "FENGHE_SOLE": str(count * workers == 1),
            }
            process = stack.enter_context(ground.process([*fenghe, "run", "matching"], **of_this))
            ground.until("matching is quiet", lambda port=port: quiet(port), process)
            found.append((port, process.pid))
        yield found


def tell(client: Any, town: Town) -> None:
    """What matching hears of a town, on registry's stream."""
    facts: list[Fact] = [town.opened(), town.taxonomy()]
    for name in MEMBERS:
        facts += town.member(name, weekly_capacity=1_000_000)
    for fact in facts:
        row = {
            "id": new_id(),
            "source": fact.source(),
            "type": fact.type,
            "subject": fact.subject,
            "sequence": 1,
            "community": fact.community,
            "time": "2026-11-22T09:30:00Z",
            "traceparent": new_traceparent(),
            "dataschema": fact.schema_path(),
            "data": fact.model_dump_json(),
        }
        client.xadd(stream_of(fact.teller), entries.fields_of(row))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quiet(port: int) -> bool:
    """Whether the service on this port has nothing under way."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", REQUESTS.rpartition("/")[0] + "/quiet")
        return bool(json.loads(connection.getresponse().read()).get("quiet"))
    except OSError:
        return False
    finally:
        connection.close()
