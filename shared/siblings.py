"""The workers of one process group (`FENGHE_WORKERS`): each is a replica of its service, and behind one port they are asked as
one. What concerns all of them, readiness and metrics, whoever is asked asks the others, over a socket that each has."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.types import Scope

ANSWERS_WITHIN = 5.0
"""Seconds; a worker that takes longer hangs."""
SILENT_AFTER = 30.0
"""Seconds: a replica asks for facts every second; one that has not for so long, and has none in hand, is gone."""


@dataclass(frozen=True)
class Answer:
    """What a worker answered; `status` is 0 where it did not."""

    worker: int
    status: int
    body: bytes


class Together(Collector):
    """Metrics that were collected before."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families


class Siblings:
    """The other workers, as worker `own` of `count` finds them, by their sockets in `folder`."""

    def __init__(self, folder: Path, own: int, count: int) -> None:
        self.folder = folder
        self.own = own
        self.count = count

    def listen(self) -> socket.socket:
        """This worker's own socket. A dead predecessor's is replaced."""
        path = self._path(self.own)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        listening.listen(16)
        return listening

    def ask(self, path: str) -> list[Answer]:
        """What each of the others answers to a GET."""
        others = [worker for worker in range(self.count) if worker != self.own]
        with ThreadPoolExecutor(len(others)) as pool:
            return list(pool.map(lambda worker: self._ask(worker, path), others))

    def lacking(self, service: str) -> Iterator[str]:
        """What the others lack to do their work, in sentences."""
        for answer in self.ask(f"/api/{service}/health/ready"):
            if answer.status == 0:
                yield f"worker {answer.worker} does not answer"
            elif answer.status != 200:
                missing = json.loads(answer.body).get("missing", ["it is not ready"])
                yield from (f"worker {answer.worker}: {what}" for what in missing)

    def metrics(self, service: str, own: Collector) -> Together:
        """The metrics of all workers, each sample with the label `worker`."""
        merged: dict[str, Metric] = {}
        _merge(merged, own.collect(), self.own)
        for answer in self.ask(f"/api/{service}/metrics"):
            if answer.status == 200:
                _merge(merged, text_string_to_metric_families(answer.body.decode()), answer.worker)
        return Together(merged.values())

    def _ask(self, worker: int, path: str) -> Answer:
        connection = _Connection(self._path(worker))
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return Answer(worker, answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(worker, 0, b"")
        finally:
            connection.close()

    def _path(self, worker: int) -> Path:
        return self.folder / f"{worker}.sock"


def asked_by_a_sibling(scope: Scope) -> bool:
    """Whether a request came over a worker's own socket: then it is about this worker alone."""
    server = scope.get("server")
    return bool(server) and server[1] is None  # type: ignore[index]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("worker", timeout=ANSWERS_WITHIN)
        self._path = path

    def connect(self) -> None:
        self.sock: Any = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWERS_WITHIN)
        self.sock.connect(str(self._path))


def _merge(merged: dict[str, Metric], families: Iterable[Metric], worker: int) -> None:
    for family in families:
        target = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        for sample in family.samples:
            labels = {**sample.labels, "worker": str(worker)}
            target.samples.append(sample._replace(labels=labels))
