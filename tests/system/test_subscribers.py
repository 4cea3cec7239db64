"""An outsider subscribes: `fenghe subscriber add`, and the printed examples, run in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from shared.messaging.valkey import EmbeddedValkey
from tests.system.conftest import DEADLINE, HTTP, AllInOne, fenghe

NODE = os.environ.get("FENGHE_TEST_NODE", "")
"""A folder in which `npm install redis` was run."""
FEED, LIST = "fenghe:feed", "/api/notify/events"

in_node = pytest.mark.skipif(not NODE, reason="node: set FENGHE_TEST_NODE to a folder in which `npm install redis` was run")
with_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli: install redis-tools to run its example")


def until(what: str, is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Outsider:
    """Somebody who was given what `fenghe subscriber add` printed, and has an empty folder."""

    def __init__(self, system: AllInOne, name: str, folder: Path, *options: str) -> None:
        outcome = fenghe("subscriber", "add", name, "--data", str(system.data), *options)
        assert outcome.returncode == 0, outcome.stderr
        self.url = re.findall(r"(?m)^redis://\S+$", outcome.stdout)[0]
        self.folder = folder
        folder.mkdir()
        parts = re.split(r"(?m)^--- .*: save as (\S+), then: .* ---\n", outcome.stdout.rpartition("\n---")[0])
        for file, text in zip(parts[1::2], parts[2::2], strict=True):
            (folder / file).write_text(text)

    @contextmanager
    def running(self, *command: str, **environment: str) -> Iterator[Callable[[], list[str]]]:
        """Run a command in the folder until the block ends; gives what it has printed so far."""
        output, errors = self.folder / "output", self.folder / "errors"
        printed_before = len(output.read_text().splitlines()) if output.exists() else 0
        with output.open("a") as out, errors.open("w") as err:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=out, stderr=err, start_new_session=True, env=os.environ | environment
            )
        try:
            yield lambda: output.read_text().splitlines()[printed_before:]
        finally:
            process.kill()
            process.wait()

    def kept(self, fact: str) -> bool:
        """Whether a program of the folder has written down that it is done with a fact."""
        try:
            return bool(json.loads((self.folder / "place.json").read_text())["fact"] == fact)
        except FileNotFoundError:
            return False

    def complaints(self) -> str:
        return (self.folder / "errors").read_text()


def open_communities(system: AllInOne, count: int) -> list[str]:
    """Tell one public fact each; their subjects."""
    opened = []
    for _ in range(count):
        slug = f"place-{time.monotonic_ns()}"
        compounds = [{"id": "a", "name_zh": "甲", "name_en": "A"}]
        body = {"slug": slug, "name_zh": "社区", "name_en": "Place", "compounds": compounds}
        answer = HTTP.post(f"{system.address}/api/registry/communities", json=body, headers=system.token())
        assert answer.status_code == 201, answer.text
        opened.append(answer.json()["id"])
        heard = {"subject": opened[-1]}
        until("it is in the list", lambda: HTTP.get(f"{system.address}{LIST}", params=heard).json().get("items"))  # noqa: B023
    return opened


@pytest.mark.parametrize("program", [[sys.executable, "listen.py"], pytest.param(["node", "listen.mjs"], marks=in_node)])
def test_the_printed_example_hears_everything_once_also_what_the_feed_no_longer_holds(
    all_in_one: Callable[[], AllInOne], tmp_path: Path, program: list[str]
) -> None:
    system = all_in_one()
    system.start()
    told = open_communities(system, 2)
    outsider = Outsider(system, "mirror", tmp_path / "outsider", "--port", str(free_port()))
    if program[0] == "node":
        (outsider.folder / "node_modules").symlink_to(Path(NODE) / "node_modules")

    def subjects() -> list[str]:
        return [line.split()[1] for line in (outsider.folder / "output").read_text().splitlines()]

    def done() -> bool:
        last = HTTP.get(f"{system.address}{LIST}", params={"subject": told[-1]}).json()["items"][0]["id"]
        return len(subjects()) >= len(told) and outsider.kept(last)

    with outsider.running(*program):
        until("the first facts", done)
        told += open_communities(system, 1)
        until("a fact told while it listens", done)
        assert outsider.complaints() == ""
    told += open_communities(system, 3)
    with redis.Redis.from_url(EmbeddedValkey(system.data / "valkey").url) as administrator:
        administrator.xtrim(FEED, maxlen=1, approximate=False)
    with outsider.running(*program):
        until("what the feed no longer held", done)
        told += open_communities(system, 1)
        until("what came after that", done)
        assert "fell behind" in outsider.complaints()
    with outsider.running(*program):
        told += open_communities(system, 1)
        until("what came after a stop", done)
    assert subjects() == told


@with_cli
def test_the_printed_shell_example_shows_the_last_facts_and_the_next(
    all_in_one: Callable[[], AllInOne], tmp_path: Path
) -> None:
    system = all_in_one()
    system.start()
    (first,) = open_communities(system, 1)
    outsider = Outsider(system, "shell", tmp_path / "outsider", "--port", str(free_port()))
    with outsider.running("sh", "listen.sh") as printed:
        until("the facts there are", lambda: first in printed())
        with redis.Redis.from_url(EmbeddedValkey(system.data / "valkey").url) as administrator:
            until(
                "it waits",
                lambda: any(client["cmd"] == "xread" and "b" in client["flags"] for client in administrator.client_list()),
            )
        (second,) = open_communities(system, 1)
        until("the next one", lambda: second in printed())


def test_nobody_comes_in_without_a_password_and_the_door_is_open_only_while_somebody_subscribes(
    all_in_one: Callable[[], AllInOne], tmp_path: Path
) -> None:
    system = all_in_one()
    system.start()
    port = free_port()
    outsider = Outsider(system, "portal", tmp_path / "outsider", "--port", str(port))
    for address in (
        f"redis://127.0.0.1:{port}",
        f"redis://:guess@127.0.0.1:{port}",
        f"unix://{system.data}/valkey/valkey.sock",
    ):
        with redis.Redis.from_url(address) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    system.end()
    system.start()
    open_communities(system, 1)
    with redis.Redis.from_url(outsider.url) as client:
        assert client.xlen(FEED) == 1
    listed = fenghe("subscriber", "list", "--data", str(system.data))
    assert "subscriber-portal" in listed.stdout
    refused = fenghe("subscriber", "add", "portal", "--data", str(system.data))
    assert refused.returncode == 1 and "already" in refused.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        refused = fenghe("subscriber", "add", "other", "--data", str(system.data), "--port", number)
    assert refused.returncode == 1 and f"Port {number} of this machine is taken" in refused.stderr
    removed = fenghe("subscriber", "remove", "portal", "--data", str(system.data))
    assert removed.returncode == 0, removed.stderr
    with redis.Redis.from_url(outsider.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    assert HTTP.get(f"{system.address}/api/notify/health/ready").status_code == 200
