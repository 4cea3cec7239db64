"""The compose deployment, built and brought up for real, with two replicas of matching, and taken down again."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.conftest import ROOT, fenghe

PROJECT = os.environ.get("FENGHE_TEST_COMPOSE", "")
"""The name of a compose project that the tests may bring up and take down."""
SERVICES = ("registry", "matching", "feedback", "notify")
SEED = "7"
OF_THE_RUN = {"facts", "notices", "seconds"}
"""Figures that may differ between two seasons of one seed."""
BUILD_WITHIN, UP_WITHIN, READY_WITHIN = 1500.0, 600.0, 240.0

pytestmark = [
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not PROJECT, reason="containers: set FENGHE_TEST_COMPOSE to the name of a compose project to be made"),
    pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="containers: one deployment, one process; run without -n"),
]


def engine_answers() -> bool:
    """Whether there is a docker engine."""
    return bool(shutil.which("docker")) and run("docker", "info", check=False).returncode == 0


def run(*command: str, within: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without what this shell has set for Fenghe."""
    clean = {name: value for name, value in os.environ.items() if not re.match(r"FENGHE_|COMPOSE_|\w+_PASSWORD$", name)}
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
        clean["DOCKER_BUILDKIT"] = "0"
    outcome = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL, check=False
    )
    if check and outcome.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)} ended with {outcome.returncode}:\n{(outcome.stdout + outcome.stderr)[-4000:]}"
        )
    return outcome


class Compose:
    """A compose deployment on a free port, with settings of its own."""

    def __init__(self, settings: Path) -> None:
        self.settings = settings
        run("deploy/make-env", str(settings))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = settings.read_text()
        for name, value in (("COMPOSE_PROJECT_NAME", PROJECT), ("FENGHE_PORT", str(self.port)), ("FENGHE_TAG", "test")):
            text = re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", text)
        settings.write_text(text)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)

    @cached_property
    def command(self) -> list[str]:
        version_2 = run("docker", "compose", "version", check=False).returncode == 0
        program = ["docker", "compose"] if version_2 else ["docker-compose"]
        return [*program, "-p", PROJECT, "--env-file", str(self.settings), "-f", "deploy/compose.yaml"]

    def __call__(self, *arguments: str, within: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(*self.command, *arguments, within=within, check=check)

    def password(self, owner: str) -> str:
        found = re.search(rf"(?m)^{owner.upper()}_PASSWORD=(\w+)$", self.settings.read_text())
        assert found
        return found.group(1)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, running or not."""
        listed = run(
            *("docker", "ps", "--all", "--quiet", "--no-trunc"),
            *("--filter", f"label=com.docker.compose.project={PROJECT}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
        )
        return listed.stdout.split()

    def inside(self, container: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("docker", "exec", container, *command, check=check)

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("docker", "inspect", container).stdout)[0]
        return found

    def eventually(self, what: str, is_so: Callable[[], bool], within: float = READY_WITHIN) -> None:
        """Wait until something is so. Raises AssertionError, with the last logs, where it does not become so."""
        until = time.monotonic() + within
        while not is_so():
            if time.monotonic() > until:
                logs = self("logs", "--no-color", "--tail", "40", check=False).stdout
                raise AssertionError(f"not within {within:g} s: {what}\n{logs[-8000:]}")
            time.sleep(0.2)

    def is_ready(self, service: str) -> bool:
        try:
            return self.client.get(f"/api/{service}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self, replicas: int = 2) -> None:
        """Until every service answers that it is ready, each replica by its own healthcheck."""
        for service in SERVICES:
            self.eventually(f"{service} is ready", lambda service=service: self.is_ready(service))  # type: ignore[misc]
            count = replicas if service == "matching" else 1
            self.eventually(f"{count} healthy {service}", lambda service=service, count=count: self.healthy(service) == count)  # type: ignore[misc]

    def healthy(self, service: str) -> int:
        return sum(self.inspect(id)["State"].get("Health", {}).get("Status") == "healthy" for id in self.containers(service))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The deployment, up and ready; down with its volumes afterwards, whatever happened."""
    if not engine_answers():
        pytest.skip("containers: no docker engine answers")
    compose = Compose(tmp_path_factory.mktemp("compose") / "env")
    try:
        compose("build", within=BUILD_WITHIN)
        compose("up", "-d", "--no-build", "--scale", "matching=2", within=UP_WITHIN)
        compose.wait_until_ready()
        yield compose
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "20", within=300)


@dataclass(frozen=True)
class Season:
    """A season that was played on the deployment: its figures, and how many requests each replica of matching handled."""

    figures: dict[str, Any]
    handled: list[float]


@pytest.fixture(scope="module")
def season(deployment: Compose) -> Season:
    """The season, played once. A short one goes before it: each replica loads its libraries with its first request, and
    whoever is ready first would have done much of the work before the other begins."""
    issued = deployment("exec", "-T", "registry", "fenghe", "token", "--role", "operator").stdout.strip()
    there = ("--url", f"http://127.0.0.1:{deployment.port}", "--token", issued)
    play("--seed", SEED, "--requests", "40", *there)
    before = requests_handled(deployment)
    figures = play("--seed", SEED, *there)
    after = requests_handled(deployment)
    return Season(figures, [after[replica] - before[replica] for replica in sorted(after)])


def play(*arguments: str) -> dict[str, Any]:
    """The figures of a season."""
    outcome = fenghe("demo", "--json", *arguments)
    assert outcome.returncode == 0, (outcome.stdout + outcome.stderr)[-4000:]
    found: dict[str, Any] = json.loads(outcome.stdout.splitlines()[-1])
    return found


def requests_handled(deployment: Compose) -> dict[str, float]:
    """How many submitted requests took effect in each replica of matching, by its own counter."""
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/api/matching/metrics').read().decode())"
    counter = re.compile(r'(?m)^fenghe_facts_handled_total\{type="fenghe\.request\.submitted\.v1"\} (\S+)$')
    handled = {}
    for replica in deployment.containers("matching"):
        found = counter.search(deployment.inside(replica, "python", "-c", ask).stdout)
        handled[replica] = float(found.group(1)) if found else 0
    return handled


def test_a_season_has_the_figures_of_the_all_in_one(season: Season) -> None:
    alone = play("--seed", SEED)
    assert season.figures["dead_letters"] == 0
    assert season.figures["requests"] >= 200
    assert {name: season.figures[name] for name in season.figures.keys() - OF_THE_RUN} == {
        name: alone[name] for name in alone.keys() - OF_THE_RUN
    }


def test_each_replica_of_matching_handled_its_share(season: Season) -> None:
    assert len(season.handled) == 2
    assert sum(season.handled) == season.figures["requests"]
    assert min(season.handled) >= season.figures["requests"] / 5, season.handled


@pytest.mark.parametrize(("path", "ready", "away"), [("/", "运行正常", "无法连接"), ("/en", ">ready<", "cannot be reached")])
def test_a_service_that_is_away_leaves_its_place_in_the_page(deployment: Compose, path: str, ready: str, away: str) -> None:
    page = deployment.client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (page.text.count(ready), page.text.count(away)) == (4, 0)
    deployment("stop", "feedback")
    try:
        deployment.eventually("feedback is away", lambda: not deployment.is_ready("feedback"))
        page = deployment.client.get(path)
        assert page.status_code == 200
        assert (page.text.count(ready), page.text.count(away)) == (3, 1)
        assert "<strong>feedback</strong>" in page.text
        problem = deployment.client.get("/api/feedback/quiet")
        assert problem.status_code == 503
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["type"] == "urn:fenghe:problem:unavailable"
    finally:
        deployment("start", "feedback")
        deployment.wait_until_ready()
    assert deployment.client.get(path).text.count(ready) == 4


def test_the_gateway_follows_new_replicas(deployment: Compose) -> None:
    (gateway,) = deployment.containers("gateway")

    def answering() -> bool:
        for _ in range(20):
            deployment.client.get("/api/matching/health/live")
        # One line a log entry, the last ones alone: those of earlier replicas do not count.
        lines = run("docker", "logs", "--tail", "20", gateway).stdout.splitlines()
        return len({json.loads(line)["upstream"] for line in lines if "/api/matching/health/live" in line}) == 3

    deployment("up", "-d", "--no-build", "--no-recreate", "--scale", "matching=3", within=UP_WITHIN)
    try:
        deployment.wait_until_ready(replicas=3)
        deployment.eventually("three replicas answer", answering, within=60)
    finally:
        deployment("up", "-d", "--no-build", "--no-recreate", "--scale", "matching=2", within=UP_WITHIN)
        deployment.wait_until_ready()


def test_the_gateway_refuses_what_is_too_large_and_logs_no_query(deployment: Compose) -> None:
    refused = deployment.client.post("/api/registry/communities", content=b"x" * 2_200_000)
    assert refused.status_code == 413
    assert refused.json()["type"] == "urn:fenghe:problem:too-large"
    unknown = deployment.client.get("/nothing/here?secret=canary-of-the-query")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    logs = deployment("logs", "--no-color").stdout
    assert "/nothing/here" in logs
    assert "canary-of-the-query" not in logs


def test_only_the_gateway_is_published(deployment: Compose) -> None:
    published = {
        service
        for service in (*SERVICES, "gateway", "postgres", "redis")
        for container in deployment.containers(service)
        if any((deployment.inspect(container)["NetworkSettings"]["Ports"] or {}).values())
    }
    assert published == {"gateway"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_reaches_its_own_database_only(deployment: Compose, service: str) -> None:
    (postgres,) = deployment.containers("postgres")

    def connects(database: str) -> bool:
        url = f"postgresql://{service}:{deployment.password(service)}@127.0.0.1/{database}"
        return deployment.inside(postgres, "psql", "-qAtc", "SELECT 1", url, check=False).returncode == 0

    assert [name for name in (*SERVICES, "fenghe", "postgres", "template1") if connects(name)] == [service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_holds_its_own_keys_and_code_only(deployment: Compose, service: str) -> None:
    container = deployment.containers(service)[0]
    (user, *found) = deployment.inside(
        container, "sh", "-c", "id -un; find /keys -type f -readable; ls -d services/*/; pip list 2>/dev/null"
    ).stdout.splitlines()
    assert user == "fenghe"
    own = {f"/keys/{service}/{service}.key.json"} if service in ("registry", "matching") else set()
    assert {line for line in found if line.endswith(".key.json")} == own
    assert "/keys/public/tokens.jwks.json" in found
    assert [line for line in found if line.startswith("services/")] == [f"services/{service}/"]
    libraries = {line.split()[0].lower() for line in found if line and line[0] not in "/s-" and " " in line}
    assert not libraries & {"pytest", "mypy", "ruff"}
    assert ("scikit-learn" in deployment.inside(container, "pip", "list").stdout) == (service == "matching")


def test_redis_keeps_what_it_is_given(deployment: Compose) -> None:
    (redis,) = deployment.containers("redis")
    asked = deployment.inside(redis, "redis-cli", "config", "get", "appendonly", check=True).stdout.split()
    assert asked == ["appendonly", "yes"]
    asked = deployment.inside(redis, "redis-cli", "config", "get", "maxmemory-policy").stdout.split()
    assert asked == ["maxmemory-policy", "noeviction"]
    refused = deployment.inside(redis, "env", "-u", "REDISCLI_AUTH", "redis-cli", "ping").stdout
    assert "NOAUTH" in refused


def test_a_second_start_changes_no_key_and_loses_nothing(deployment: Compose, season: Season) -> None:
    (registry,) = deployment.containers("registry")
    published = deployment.inside(registry, "cat", "/keys/public/tokens.jwks.json").stdout
    communities = deployment.client.get("/api/registry/communities").json()
    deployment("down", "--timeout", "20", within=300)
    deployment("up", "-d", "--no-build", "--scale", "matching=2", within=UP_WITHIN)
    deployment.wait_until_ready()
    (registry,) = deployment.containers("registry")
    assert deployment.inside(registry, "cat", "/keys/public/tokens.jwks.json").stdout == published
    assert deployment.client.get("/api/registry/communities").json() == communities
