"""What is done to a deployment while requests keep coming."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.drills.deployment import SERVICES, Compose, run
from tests.drills.traffic import Traffic
from tests.drills.versions import side_by_side

PAUSED = 30.0
CUT_OFF = 20.0
FULL = 20.0


Strike = Callable[[Compose, Traffic, bool], list[str]]


@dataclass(frozen=True)
class Fault:
    """A fault: `strike` does it and returns when it is over, with remarks. `silent`: no client may notice it. `short`: it is
    part of the short form too."""

    id: str
    what: str
    strike: Strike
    silent: bool = False
    short: bool = False


def _kill_one(*services: str) -> Strike:
    def strike(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
        for service in services:
            compose.kill(compose.containers(service)[:1])
        return []

    return strike


def _kill_all(service: str) -> Strike:
    def strike(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
        compose.kill(compose.containers(service))
        return []

    return strike


def _pause_redis(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    (redis,) = compose.containers("redis")
    run("docker", "pause", redis)
    try:
        time.sleep(5 if short else PAUSED)  # the fault itself
    finally:
        run("docker", "unpause", redis)
    return []


def _cut_off(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    containers = compose.containers("feedback")
    try:
        for container in containers:
            compose.cut_off(container)
        time.sleep(5 if short else CUT_OFF)  # the fault itself
    finally:
        for container in containers:
            compose.reconnect(container)
    return []


def _flush(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    compose.redis("FLUSHALL")
    return []


def _roll(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    compose.roll(*SERVICES)
    return []


def _versions(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    return side_by_side(
        compose, ("matching", "feedback") if short else SERVICES, lambda: traffic.finished(0), 10 if short else 40
    )


def _restart_below(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    for service in ("redis", "postgres", "gateway"):
        run("docker", "restart", "--time", "30", *compose.containers(service), within=120)
    return []


def _hang(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    """A replica that hangs: it holds its connections and what it has in hand, and does nothing."""
    (first, *_) = compose.containers("matching")
    run("docker", "pause", first)
    try:
        time.sleep(5 if short else PAUSED)  # the fault itself
    finally:
        run("docker", "unpause", first)
    return []


def _fill_disk(compose: Compose, traffic: Traffic, short: bool) -> list[str]:
    """Not a byte is left for PostgreSQL and Redis, which say so themselves."""
    assert compose.disk is not None
    compose.disk.fill()
    try:
        compose.eventually("a server says that the disk is full", lambda: "No space left on device" in _said(compose))
        time.sleep(5 if short else FULL)  # the fault itself
        said = _said(compose)
    finally:
        compose.disk.make_room()
    return [f"{said.count('No space left on device')} times 'No space left on device' in the logs of PostgreSQL and Redis"]


def _said(compose: Compose) -> str:
    return compose("logs", "--no-color", "--tail", "400", "postgres", "redis").stdout


FAULTS = [
    Fault("kill-one", "one of two replicas of every service, SIGKILL from the host", _kill_one(*SERVICES), short=True),
    *(Fault(f"kill-{name}", f"every replica of {name}, SIGKILL from the host", _kill_all(name)) for name in SERVICES),
    Fault("kill-redis", "Redis, SIGKILL from the host", _kill_all("redis"), short=True),
    Fault("kill-postgres", "PostgreSQL, SIGKILL from the host", _kill_all("postgres"), short=True),
    Fault("pause-redis", f"Redis stands still for {PAUSED:.0f} s", _pause_redis),
    Fault("hang", f"a replica of matching hangs for {PAUSED:.0f} s", _hang),
    Fault("cut-off", f"feedback is cut off from the network for {CUT_OFF:.0f} s", _cut_off),
    Fault("flush", "FLUSHALL", _flush, short=True),
    Fault("disk-full", f"the disk of PostgreSQL and Redis is full for {FULL:.0f} s", _fill_disk),
    Fault("roll", "rolling restart of the four services (deploy/roll)", _roll, silent=True),
    Fault("restart", "restart of Redis, PostgreSQL and the gateway", _restart_below),
    Fault("versions", "the old and the new version side by side, then the new one alone", _versions, silent=True),
]
