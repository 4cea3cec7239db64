"""Several workers in each container (`FENGHE_WORKERS`): they share the work; the judge finds nothing lost and nothing twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.drills.deployment import SERVICES, Compose, fenghe
from tests.drills.judge import Evidence, judge
from tests.drills.traffic import Traffic


@pytest.fixture(scope="module")
def traffic(deployment: Compose) -> Iterator[Traffic]:
    clients = Traffic(deployment.url, deployment.token())
    yield clients
    clients.close()


def test_several_workers_in_a_container_share_its_work(deployment: Compose, traffic: Traffic) -> None:
    """Two processes behind the port of each container, each of them a replica: by their own counters all of them handle facts,
    `fenghe status` has them all, and the judge finds nothing lost and nothing twice."""
    deployment.set(FENGHE_WORKERS="2")
    try:
        deployment.up_again()
        before = {service: workers_handled(deployment, service) for service in SERVICES}
        assert all(len(counts) == 2 * deployment.scale[service] for service, counts in before.items()), before
        traffic.start()
        try:
            deployment.eventually(
                "every worker handles facts",
                lambda: all(
                    all(count > before[service][worker] for worker, count in workers_handled(deployment, service).items())
                    for service in SERVICES
                ),
            )
        finally:
            traffic.stop()
        assert not traffic.failures
        verdict = judge(Evidence.of(deployment, traffic))
        assert verdict.acknowledged > 0
        assert (verdict.lost, verdict.twice) == ([], [])
        said = json.loads(fenghe("status", "--url", deployment.url, "--token", deployment.token(), "--json").stdout)
        assert said["well"], said["concerns"]
        for service in SERVICES:
            assert len(said["services"][service]["replicas"]) == 2 * deployment.scale[service]
    finally:
        deployment.set(FENGHE_WORKERS="1")
        deployment.up_again()


def workers_handled(deployment: Compose, service: str) -> dict[str, float]:
    """How many facts took effect in each worker of each container of a service, by its own counter."""
    counter = re.compile(r"(?m)^fenghe_facts_handled_total\{([^}]*)\} (\S+)$")
    found: dict[str, float] = {}
    for container in deployment.containers(service):
        text = deployment.metrics(container, service)
        workers = set(re.findall(r'worker="(\d+)"', text))
        found |= {f"{container[:12]} {worker}": 0.0 for worker in workers}
        for labels, value in counter.findall(text):
            worker = re.search(r'worker="(\d+)"', labels)
            assert worker is not None, labels
            found[f"{container[:12]} {worker[1]}"] += float(value)
    return found
