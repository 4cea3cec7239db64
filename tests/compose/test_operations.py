"""Every command of `docs/operations.md` that is for compose, section by section, each on the day it is written for."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.notify.rules import cursor_of
from tests.drills.deployment import ROOT, SERVICES, Compose, fenghe, run
from tests.system.operations_document import carry_out, commands, timed

SECTIONS = commands()
FIRST = 'compose="docker-compose -f deploy/compose.yaml"\n'
"""The one line that stands at the beginning of the document for all that follows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are given: as in the root of the project, but what they write is ours."""
    made = tmp_path_factory.mktemp("operations")
    (made / "deploy").symlink_to(ROOT / "deploy")
    return made


@contextmanager
def redis_is_gone(deployment: Compose) -> Iterator[None]:
    deployment("stop", "redis")
    deployment.eventually("it is seen", lambda: not deployment.is_ready("registry"))
    yield
    assert "ready" in deployment.client.get("/api/registry/health/ready").text


@contextmanager
def redis_is_emptied(deployment: Compose) -> Iterator[None]:
    """Its volume is lost."""
    before = {name: facts(deployment, name) for name in SERVICES}
    assert before["registry"]
    (redis,) = deployment.containers("redis")
    run("docker", "rm", "--force", "--volumes", redis)
    run("docker", "volume", "rm", f"{deployment.project}_redis")
    deployment("up", "-d", "--no-build", "--no-recreate", "--no-deps", "redis")

    def healed() -> bool:
        return all(before[name] <= facts(deployment, name) for name in SERVICES)

    deployment.eventually("everything is there again", healed)
    yield


def facts(deployment: Compose, service: str) -> set[str]:
    """The ids of the facts on a stream; one that was sent again stands there twice."""
    return {fields["id"] for fields in deployment.entries(service) if "id" in fields}


@contextmanager
def redis_is_full(deployment: Compose) -> Iterator[None]:
    """What is put into it meanwhile waits, and is there afterwards."""
    deployment.redis("CONFIG", "SET", "maxmemory", "1")
    token = {"Authorization": f"Bearer {deployment.token()}"}
    compound = {"id": "one", "name_zh": "一号院", "name_en": "One", "latitude": 31.2, "longitude": 121.5}
    terms = {"slug": "full", "name_zh": "满了", "name_en": "Full", "compounds": [compound]}
    answer = deployment.client.post("/api/registry/communities", json=terms, headers=token)
    assert answer.status_code == 201, answer.text
    deployment.eventually("a fact waits", lambda: deployment.client.get("/api/registry/quiet").json()["unsent"] > 0)
    yield
    assert int(deployment.redis("CONFIG", "GET", "maxmemory")["maxmemory"]) == 2 * 1024**3 // 4 * 3

    def told() -> bool:
        return any(answer.json()["id"] in fields.get("data", "") for fields in deployment.entries("registry"))

    deployment.eventually("what waited is sent", told)


@contextmanager
def a_poison_fact(deployment: Compose) -> Iterator[None]:
    deployment.redis("XADD", "fenghe:registry", "*", "type", "fenghe.offer.published.v1", "specversion", "0.3")
    dead = "SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL"
    deployment.eventually("it died", lambda: deployment.sql("matching", dead) == [["1"]])
    yield
    for service in SERVICES:
        assert deployment.sql(service, f"{dead} AND set_aside_at IS NULL") == [["0"]], service


@contextmanager
def the_database_is_down(deployment: Compose) -> Iterator[None]:
    deployment("stop", "postgres")
    deployment.eventually("it is seen", lambda: not deployment.is_ready("registry"))
    answer = deployment.client.get("/api/registry/communities")
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")
    yield


@contextmanager
def a_receiver_that_never_answers(deployment: Compose) -> Iterator[None]:
    """It takes connections on this machine and says nothing; the network's gateway is this machine, as containers see it."""
    network = json.loads(run("docker", "network", "inspect", f"{deployment.project}_default").stdout)[0]
    here = network["IPAM"]["Config"][0]["Gateway"]
    token = {"Authorization": f"Bearer {deployment.token()}"}
    with socket.create_server((here, 0), backlog=100) as silent:
        place = f"{here}:{silent.getsockname()[1]}"
        deployment.set(FENGHE_WEBHOOK_ALLOW=place)
        deployment.up_again()
        (community, *_) = deployment.client.get("/api/registry/communities").json()["items"]
        terms = {"community": community["id"], "url": f"http://{place}/", "after": cursor_of(0)}
        answer = deployment.client.post("/api/notify/webhooks", json=terms, headers=token)
        assert answer.status_code == 201, answer.text
        webhook = f"/api/notify/webhooks/{answer.json()['id']}"

        def tried() -> bool:
            log = deployment.client.get(f"{webhook}/deliveries", params={"status": "waiting"}, headers=token).json()["items"]
            return any(attempt["error"]["kind"] == "timeout" for one in log for attempt in one["attempts"])

        deployment.eventually("it was tried", tried)
        yield
        assert deployment.client.delete(webhook, headers=token).status_code == 204
    deployment.set(FENGHE_WEBHOOK_ALLOW="")
    deployment.up_again()


@contextmanager
def a_replica_that_hangs(deployment: Compose) -> Iterator[None]:
    hanging = deployment.containers("feedback")[0]
    run("docker", "kill", "--signal", "STOP", hanging)
    deployment.eventually("it is seen", lambda: deployment.inspect(hanging)["State"]["Health"]["Status"] == "unhealthy")
    yield
    deployment.eventually("it is well", lambda: deployment.inspect(hanging)["State"]["Health"]["Status"] == "healthy")


@contextmanager
def as_usual(deployment: Compose) -> Iterator[None]:
    yield


DAYS: dict[str, Callable[[Compose], object]] = {
    "Redis is gone": redis_is_gone,
    "Redis is emptied": redis_is_emptied,
    "Redis is full": redis_is_full,
    "A poison fact": a_poison_fact,
    "The database is down": the_database_is_down,
    "A receiver that never answers": a_receiver_that_never_answers,
    "A replica that hangs": a_replica_that_hangs,
}


def test_each_bad_day_is_in_the_document() -> None:
    assert DAYS.keys() <= SECTIONS.keys()


@pytest.mark.parametrize("title", SECTIONS)
def test_the_commands_work(deployment: Compose, folder: Path, title: str) -> None:
    replaced = {
        "deploy/make-env": f"deploy/make-env {deployment.settings}",
        "deploy/.env": str(deployment.settings),
        "127.0.0.1:8080": f"127.0.0.1:{deployment.port}",
        "fenghe_$": f"{deployment.project}_$",
        ".venv/bin/fenghe": f"PYTHONPATH={ROOT} {sys.executable} -m deploy.cli",
    }
    command = " ".join([*deployment.command[:-1], str(ROOT / deployment.command[-1])])
    before = f"compose='{command}'\nexport FENGHE_COMPOSE='{command}'"
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
        before += "\nexport DOCKER_BUILDKIT=0"
    began = time.monotonic()
    with DAYS.get(title, as_usual)(deployment):  # type: ignore[attr-defined]
        for block in SECTIONS[title]:
            if block.text == FIRST:
                continue
            if "-i -v fenghe_$volume:/to" in block.text:
                deployment("down", "--volumes", "--timeout", "20", within=300)  # another machine
            carry_out(block, before, replaced, folder)
    deployment.scale |= dict.fromkeys(SERVICES, 1) | {"matching": 2}
    deployment.up()
    print(f"\n{title}: {timed(began)}", flush=True)


def test_all_is_well_after_the_bad_days(deployment: Compose) -> None:
    token = deployment.token()

    def well() -> bool:
        return fenghe("status", "--url", deployment.url, "--token", token).stdout.rstrip().endswith("All is well.")

    deployment.eventually("all is well", well)
