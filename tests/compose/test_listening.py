"""A stranger listens to the compose deployment: what `fenghe subscriber add` prints, run in a fresh folder; the page and the
documents of the public events, through the gateway."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.drills.deployment import Compose, run
from tests.system.test_subscribers import in_node, with_cli

NODE = os.environ.get("FENGHE_TEST_NODE", "")
OPENED = "fenghe.community.opened.v1"


class Stranger:
    """Somebody who has an empty folder, and in it the programs as they were printed."""

    def __init__(self, printed: str, folder: Path) -> None:
        self.folder = folder
        self.url = re.findall(r"(?m)^redis://\S+$", printed)[0]
        parts = re.split(r"(?m)^--- .*: save as (\S+), then: .* ---\n", printed.rpartition("\n---")[0])
        for file, text in zip(parts[1::2], parts[2::2], strict=True):
            (folder / file).write_text(text)


@pytest.fixture(scope="module")
def stranger(deployment: Compose, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    """One who was added, with Redis' port published as deploy/compose.feed.yaml does it; closed again afterwards."""
    feed = [*deployment.command, "-f", "deploy/compose.feed.yaml"]
    run(*feed, "up", "-d", "--no-build", "--no-deps", "redis", within=120)
    deployment.wait_until_ready()
    printed = run(*feed, "run", "--rm", "-T", "tools", "subscriber", "add", "stranger").stdout
    yield Stranger(printed, tmp_path_factory.mktemp("stranger"))
    removed = run(*feed, "run", "--rm", "-T", "tools", "subscriber", "remove", "stranger").stdout
    assert "may read the feed no longer" in removed
    deployment("up", "-d", "--no-build", "--no-deps", "redis")
    deployment.wait_until_ready()


@pytest.fixture(scope="module")
def token(deployment: Compose) -> dict[str, str]:
    return {"Authorization": f"Bearer {deployment.token()}"}


def open_community(deployment: Compose, token: dict[str, str]) -> str:
    """A public fact; its subject."""
    body = {
        "slug": f"heard-{time.monotonic_ns()}",
        "name_zh": "一",
        "name_en": "One",
        "compounds": [{"id": "a", "name_zh": "甲", "name_en": "A"}],
    }
    answer = deployment.client.post("/api/registry/communities", json=body, headers=token)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    "program",
    [
        pytest.param([sys.executable, "listen.py"], id="Python"),
        pytest.param(["node", "listen.mjs"], id="Node", marks=in_node),
        pytest.param(["sh", "listen.sh"], id="redis-cli", marks=with_cli),
    ],
)
def test_the_printed_program_hears_a_fact(
    deployment: Compose, stranger: Stranger, token: dict[str, str], program: list[str]
) -> None:
    if program[0] == "node" and not (stranger.folder / "node_modules").exists():
        (stranger.folder / "node_modules").symlink_to(Path(NODE) / "node_modules")
    (stranger.folder / "place.json").unlink(missing_ok=True)
    before = open_community(deployment, token)
    # The shell's first command tells what stands in the feed, and no more.
    last = ("XREVRANGE", "fenghe:feed", "+", "-", "COUNT", "10")
    deployment.eventually("it is in the feed", lambda: before in json.dumps(deployment.redis(*last)))
    output = stranger.folder / f"{program[1]}.output"
    with output.open("w") as printed:
        process = subprocess.Popen(program, cwd=stranger.folder, stdout=printed, stderr=subprocess.STDOUT)
    try:
        deployment.eventually("it tells what there was", lambda: before in output.read_text())
        # The shell's second command waits for what comes after it began.
        (redis,) = deployment.containers("redis")
        waits = re.compile(r"(?m)^.* cmd=xread .*user=subscriber-stranger ")
        ask = ("redis-cli", "client", "list")
        deployment.eventually("it waits", lambda: bool(waits.search(deployment.inside(redis, *ask).stdout)))
        during = open_community(deployment, token)
        deployment.eventually("it tells what was told then", lambda: during in output.read_text())
    finally:
        process.kill()
        process.wait()


def test_a_stranger_may_do_nothing_else(stranger: Stranger) -> None:
    if not shutil.which("redis-cli"):
        pytest.skip("redis-cli: install redis-tools to run its example")
    for command in (["XADD", "fenghe:feed", "*", "a", "b"], ["XLEN", "fenghe:registry"], ["FLUSHALL"], ["KEYS", "*"]):
        answer = run("redis-cli", "-u", stranger.url, "--no-auth-warning", *command, check=False)
        assert "NOPERM" in answer.stdout + answer.stderr, command


@pytest.mark.parametrize(("path", "said"), [("/docs/events", "四种收听方式"), ("/docs/events/en", "Four ways to listen")])
def test_the_page_of_public_events_comes_through_the_gateway(deployment: Compose, path: str, said: str) -> None:
    page = deployment.client.get(path)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert said in page.text and OPENED in page.text and deployment.url in page.text


def test_the_schema_that_a_fact_names_is_where_it_says(deployment: Compose, token: dict[str, str]) -> None:
    open_community(deployment, token)
    deployment.eventually(
        "it is in the list", lambda: deployment.client.get("/api/notify/events", params={"type": OPENED}).json()["items"]
    )
    document = deployment.client.get("/docs/events/asyncapi.json").json()
    assert document["asyncapi"].startswith("3.")
    (event, *_) = deployment.client.get("/api/notify/events", params={"type": OPENED}).json()["items"]
    schema = httpx.get(event["dataschema"], trust_env=False)
    assert schema.status_code == 200 and set(event["data"]) <= set(schema.json()["properties"])
