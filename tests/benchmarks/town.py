"""A matching service in a process of its own, with a small community to serve."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from shared.events import Fact
from shared.identifiers import new_id
from shared.logs import new_traceparent
from shared.messaging import entries
from shared.messaging.streams import stream_of
from tests.benchmarks.ground import Ground, environment_of
from tests.matching.given import REQUESTS, Town

MEMBERS = ("repairs", "plumbers", "neighbours", "volunteers")


@contextmanager
def matching(ground: Ground, kind: str) -> Iterator[tuple[int, bytes, int]]:
    """The port of a matching service that knows a community and four organizations with room for everybody, and the body of
    a request that they can serve, and the id of the process. Everything heard has taken effect."""
    town = Town()
    ground.redis.flushall()
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
        ground.redis.xadd(stream_of(fact.teller), entries.fields_of(row))
    with ground.database(kind) as url:
        port = free_port()
        environment = environment_of(ground.settings("matching", url, port=port))
        with ground.process(["-m", "deploy.cli", "migrate", "matching"], **environment) as migrating:
            assert migrating.wait() == 0, (ground.folder / "processes.log").read_text()[-3000:]
        with ground.process(["-m", "deploy.cli", "run", "matching"], **environment) as process:
            ground.until("matching is quiet", lambda: quiet(port), process)
            yield port, json.dumps(town.body()).encode(), process.pid


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
