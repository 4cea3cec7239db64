"""The compose deployment as it stands: a season on it, its gateway, its keys, who may reach what."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.season import Deployment
from tests.drills.deployment import SERVICES, Compose, fenghe, run
from tests.system.belonging import examine, kept_in_containers, told_in_containers

SEED = "7"
SEASON = ("--seed", SEED, "--requests", "100")
QUARTER = ("--seed", SEED, "--requests", "25", "--communities", "2")
MIDDLE = 40
"""Requests of the season that were handled when a replica is killed."""
OF_THE_RUN = {"facts", "notices", "seconds", "slug"}
"""Figures that may differ between two seasons of one seed."""


@dataclass(frozen=True)
class Season:
    """A season that was played on the deployment, and in its middle a replica of matching was killed: the figures; how many
    requests each replica had handled until then; the killed one's process before and afterwards. And the figures of the
    quarter that was played before, undisturbed."""

    figures: dict[str, Any]
    handled: list[float]
    processes: tuple[int, int]
    quarter: dict[str, Any]


@pytest.fixture(scope="module")
def season(deployment: Compose) -> Season:
    """The season, played once. Short ones of two communities go before it: each replica loads its libraries with its first
    request, and whoever is ready first would have done much of the work before the other begins."""
    there = ("--url", deployment.url, "--token", deployment.token())
    quarter = play(*QUARTER, *there)
    before = requests_handled(deployment)
    played: list[dict[str, Any]] = []
    playing = threading.Thread(target=lambda: played.append(play(*SEASON, *there)))
    playing.start()
    (killed, _) = deployment.containers("matching")
    process = deployment.process(killed)
    try:
        deployment.eventually("it is its middle", lambda: sum(requests_handled(deployment)) >= sum(before) + MIDDLE)
        handled = [now - then for now, then in zip(requests_handled(deployment), before, strict=True)]
        deployment.kill([killed])
    finally:
        playing.join(timeout=900)
    deployment.wait_until_ready()
    return Season(played[0], handled, (process, deployment.process(killed)), quarter)


@pytest.fixture(scope="module")
def alone() -> dict[str, dict[str, Any]]:
    """The figures of the same season, and of the same quarter, each in an all-in-one of its own."""
    with ThreadPoolExecutor() as side_by_side:
        played = {name: side_by_side.submit(play, *terms) for name, terms in (("season", SEASON), ("quarter", QUARTER))}
        return {name: figures.result() for name, figures in played.items()}


def play(*arguments: str) -> dict[str, Any]:
    """The figures of a season."""
    outcome = fenghe("demo", "--json", *arguments)
    assert outcome.returncode == 0, (outcome.stdout + outcome.stderr)[-4000:]
    found: dict[str, Any] = json.loads(outcome.stdout.splitlines()[-1])
    return found


def requests_handled(deployment: Compose) -> list[float]:
    """How many submitted requests took effect in each replica of matching, by its own counter."""
    return deployment.handled("matching", "fenghe.request.submitted.v1")


def test_a_season_in_which_a_replica_of_matching_was_killed_has_the_figures_of_the_all_in_one(
    season: Season, alone: dict[str, dict[str, Any]]
) -> None:
    before, after = season.processes
    assert after not in (0, before), "it was not killed, or not started again"
    assert season.figures["dead_letters"] == 0
    assert season.figures["requests"] >= 100
    kinds = {"incubations", "projects", "claims", "assigned", "delivered", "expired", "renewed", "handed_on"}
    assert kinds <= alone["season"].keys()
    assert of_the_seed(season.figures) == of_the_seed(alone["season"])


def test_communities_side_by_side_have_the_figures_they_have_in_the_all_in_one(
    season: Season, alone: dict[str, dict[str, Any]]
) -> None:
    assert season.quarter["communities"] == 2
    for here, there in zip(season.quarter["each"], alone["quarter"]["each"], strict=True):
        assert of_the_seed(here) == of_the_seed(there)


def of_the_seed(figures: dict[str, Any]) -> dict[str, Any]:
    """Those that are the same in every season of one seed."""
    return {name: figures[name] for name in figures.keys() - OF_THE_RUN}


def test_nothing_of_one_community_is_found_with_another(deployment: Compose, season: Season) -> None:
    there = {str(one["id"]) for one in Deployment(deployment.client, "").pages("/api/registry/communities", deployment.token())}
    looked_at = examine(there, told_in_containers(deployment), kept_in_containers(deployment))
    assert len(there) >= 3
    assert looked_at.facts > 1000 and looked_at.rows > 1000, looked_at
    assert (looked_at.crossed, looked_at.strange) == ([], [])


def test_each_replica_of_matching_handled_its_share(season: Season) -> None:
    assert len(season.handled) == 2
    assert sum(season.handled) >= MIDDLE
    assert min(season.handled) >= sum(season.handled) / 5, season.handled


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

    deployment.up(matching=3)
    try:
        deployment.eventually("three replicas answer", answering, within=60)
    finally:
        deployment.up(matching=2)


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
    deployment.up()
    (registry,) = deployment.containers("registry")
    assert deployment.inside(registry, "cat", "/keys/public/tokens.jwks.json").stdout == published
    assert deployment.client.get("/api/registry/communities").json() == communities


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_no_stream_of_another(deployment: Compose, service: str) -> None:
    container = deployment.containers(service)[0]
    ask = (
        "import os, redis\n"
        "client = redis.Redis.from_url(os.environ['FENGHE_REDIS_URL'])\n"
        "for command in {commands!r}:\n"
        "    try:\n"
        "        client.execute_command(*command)\n"
        "        print('allowed', *command)\n"
        "    except redis.exceptions.NoPermissionError:\n"
        "        pass\n"
    )
    others = [f"fenghe:{name}" for name in (*SERVICES, "feed") if name != service and (service, name) != ("notify", "feed")]
    commands = [
        (*command, *rest)
        for stream in others
        for command, rest in (
            (("XADD", stream), ("*", "type", "planted")),
            (("XDEL", stream), ("1-1",)),
            (("XTRIM", stream), ("MAXLEN", "0")),
            (("DEL", stream), ()),
            (("XGROUP", "DESTROY", stream), ("notify",)),
        )
    ]
    commands += [("FLUSHALL",), ("CONFIG", "GET", "requirepass"), ("ACL", "LIST"), ("KEYS", "*"), ("SHUTDOWN",)]
    assert deployment.inside(container, "python", "-c", ask.format(commands=commands)).stdout == ""
    one = deployment.inside(container, "python", "-c", ask.format(commands=[("XLEN", "no"), ("PING",)])).stdout
    assert one == "allowed PING\n", "the question itself does not work"
    (redis,) = deployment.containers("redis")
    stranger = deployment.inside(redis, "redis-cli", "--user", service, "--pass", "wrong", "ping", check=False)
    assert "WRONGPASS" in stranger.stdout + stranger.stderr


def test_users_of_redis_made_later_outlive_a_restart(deployment: Compose) -> None:
    deployment.redis("ACL", "SETUSER", "reader", "on", ">secret", "~fenghe:feed", "+xread", "+ping")
    deployment.redis("ACL", "SAVE")
    (redis,) = deployment.containers("redis")
    run("docker", "restart", redis)
    deployment.eventually(
        "Redis answers", lambda: deployment.inside(redis, "redis-cli", "ping", check=False).stdout == "PONG\n"
    )
    assert set(deployment.redis("ACL", "USERS")) == {"default", "reader", *SERVICES}
    deployment.redis("ACL", "DELUSER", "reader")
    deployment.redis("ACL", "SAVE")
    deployment.wait_until_ready()


def test_events_come_through_the_gateway_as_they_are_told(deployment: Compose) -> None:
    """Unbuffered: a fact is there while the answer is still open; and a reader who is cut off misses nothing."""
    token = {"Authorization": f"Bearer {deployment.token()}"}
    wanted = {"type": "fenghe.community.opened.v1"}

    def open_community(slug: str) -> str:
        compounds = [{"id": "a", "name_zh": "甲", "name_en": "A"}]
        body = {"slug": slug, "name_zh": "一", "name_en": "One", "compounds": compounds}
        answer = deployment.client.post("/api/registry/communities", json=body, headers=token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
        """The id and the subject of each event."""
        id, subject, until = "", "", time.monotonic() + 60
        for line in lines:
            assert time.monotonic() < until
            name, _, value = line.partition(": ")
            if name == "id":
                id = value
            elif name == "data":
                subject = json.loads(value)["subject"]
            elif not line and subject:
                yield id, subject
                subject = ""

    path = "/api/notify/events/stream"
    with deployment.client.stream("GET", path, params=wanted) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines)  # the beginning, before anything was told
        told = open_community("told-while-reading")
        last = next(id for id, subject in events(lines) if subject == told)
    (notify,) = deployment.containers("notify")[:1]
    run("docker", "restart", "--time", "30", notify)
    deployment.eventually("notify is ready", lambda: deployment.is_ready("notify"))
    missed = open_community("told-while-away")
    with deployment.client.stream("GET", path, params=wanted, headers={"Last-Event-ID": last}) as stream:
        _, first = next(events(stream.iter_lines()))
        assert first == missed, "it did not go on after the last event read"
