"""Several workers of a service behind one port: each a replica, asked as one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.access import load_signer
from tests.benchmarks.town import free_port
from tests.system.conftest import DEADLINE, HTTP, ROOT, alive

WORKERS = 3


def until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"the deadline has passed: {what}"
        time.sleep(0.05)


@pytest.fixture
def environment(tmp_path: Path, redis_url: str, keys: Path) -> dict[str, str]:
    """The settings of a registry with several workers."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}
    given = {
        "FENGHE_DATABASE_URL": f"sqlite:///{tmp_path / 'registry.db'}",
        "FENGHE_REDIS_URL": redis_url,
        "FENGHE_TOKEN_KEYS": str(keys / "tokens.jwks.json"),
        "FENGHE_SIGNING_KEY": str(keys / "registry.key.json"),
        "FENGHE_PORT": str(free_port()),
        "FENGHE_WORKERS": str(WORKERS),
        "FENGHE_CLAIM_IDLE": "1",
    }
    return {**clean, **given}


@contextmanager
def running(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "deploy.cli"]
    migrated = subprocess.run([*command, "migrate", "registry"], cwd=ROOT, env=environment, check=False, capture_output=True)
    assert migrated.returncode == 0, migrated.stderr
    process = subprocess.Popen(
        [*command, "run", "registry"], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_workers_are_replicas_that_are_asked_as_one(environment: dict[str, str], keys: Path) -> None:
    operator = {"Authorization": f"Bearer {load_signer(str(keys / 'registry.key.json')).sign(role='operator')}"}
    base = f"http://127.0.0.1:{environment['FENGHE_PORT']}/api/registry"

    def get(path: str, **headers: str) -> Any:
        return HTTP.get(base + path, headers=headers, timeout=30)

    def ready() -> bool:
        try:
            return bool(get("/health/ready").status_code == 200)
        except httpx.TransportError:
            return False

    with running(environment) as process:
        until("it is ready", lambda: process.poll() is not None or ready())
        body = {"slug": "one", "name_zh": "一", "name_en": "One", "compounds": [{"id": "a", "name_zh": "甲", "name_en": "A"}]}
        for n in range(6):
            key = {"Idempotency-Key": f"{n}-{'x' * 40}"}
            opened = HTTP.post(f"{base}/communities", json={**body, "slug": f"c-{n}"}, headers=operator | key, timeout=30)
            assert opened.status_code == 201, opened.text
        until("it is quiet", lambda: get("/quiet").json()["quiet"])

        metrics = get("/metrics").text
        assert set(re.findall(r'worker="(\d)"', metrics)) == {"0", "1", "2"}
        told = re.findall(r'(?m)^fenghe_facts_told_total\{type="fenghe.community.opened.v1",worker="\d"\} (\S+)$', metrics)
        assert sum(map(float, told)) == 6
        assert metrics.count("# TYPE fenghe_facts_told_total counter") == 1
        assert len(get("/status", **operator).json()["replicas"]) == WORKERS

        before = children(process.pid)
        assert len(before) == WORKERS
        os.kill(before[0], signal.SIGKILL)
        until("another takes the place of the dead one", lambda: len(set(children(process.pid)) - set(before)) == 1)
        until("it is ready again", ready)

        os.kill(before[1], signal.SIGSTOP)
        try:
            # The one that stands still is asked too, by the kernel's choice: then there is no answer at all.
            until("it is not ready while one stands still", lambda: not_ready(base))
        finally:
            os.kill(before[1], signal.SIGCONT)
        until("it is ready again by itself", ready)

        last = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert not any(map(alive, last))


def not_ready(base: str) -> bool:
    try:
        answer = HTTP.get(f"{base}/health/ready", timeout=8)
    except httpx.TransportError:
        return False
    return answer.status_code == 503 and "does not answer" in str(answer.json()["missing"])


def test_workers_end_with_whoever_started_them(environment: dict[str, str]) -> None:
    with running(environment) as process:
        until("they have started", lambda: process.poll() is not None or len(children(process.pid)) == WORKERS)
        workers = children(process.pid)
        process.kill()
        until("they end too", lambda: not any(map(alive, workers)))


def test_what_cannot_work_is_told_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    for name, value, words in (
        ("FENGHE_SOLE", "true", "FENGHE_SOLE means one replica"),
        ("FENGHE_SIGNING_KEY", str(tmp_path / "nothing.json"), "A key cannot be read"),
    ):
        with running({**environment, name: value}) as process:
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 1
            assert words in output
            assert "Traceback" not in output
