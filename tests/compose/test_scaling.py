"""Each service scaled by itself and all of them together; what `fenghe status` says of it."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("service", SERVICES)
def test_the_replicas_of_a_service_share_its_work(deployment: Compose, traffic: Traffic, service: str) -> None:
    """One service after the other, so that in the end all of them have two replicas."""
    deployment.up(**{service: 2})
    before = deployment.handled(service)
    traffic.start()
    try:
        deployment.eventually(
            f"both replicas of {service} handle facts",
            lambda: all(now > then for now, then in zip(deployment.handled(service), before, strict=True)),
        )
    finally:
        traffic.stop()
    assert not traffic.failures
    assert not traffic.errors.seen


def test_nothing_was_lost_and_nothing_happened_twice(deployment: Compose, traffic: Traffic) -> None:
    verdict = judge(Evidence.of(deployment, traffic))
    assert verdict.acknowledged >= 4 * 5
    assert (verdict.lost, verdict.twice) == ([], [])


def test_status_tells_of_every_replica(deployment: Compose) -> None:
    done = fenghe("status", "--url", deployment.url, "--token", deployment.token(), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["well"]) == (0, True), said["concerns"]
    for service in SERVICES:
        replicas = said["services"][service]["replicas"]
        assert len(replicas) == deployment.scale[service], service
        for answer in replicas.values():
            assert {replica["name"] for replica in answer["replicas"]} == replicas.keys()
            assert answer["ready"]
            assert answer["unsent"] == 0
            assert answer["dead_letters"] == []
            assert all(stream["facts"] == 0 for stream in answer["streams"])
