"""A compose deployment of this checkout: built, brought up, looked into from the host, struck, and taken down again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.drills.disk import SmallDisk

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("registry", "matching", "feedback", "notify")
BUILD_WITHIN, UP_WITHIN, READY_WITHIN = 1500.0, 600.0, 240.0


def engine_answers() -> bool:
    """Whether there is a docker engine."""
    return bool(shutil.which("docker")) and run("docker", "info", check=False).returncode == 0


def run(
    *command: str, within: float = 120, check: bool = True, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without what this shell has set for Fenghe. `given` is its standard input."""
    clean = {name: value for name, value in os.environ.items() if not re.match(r"FENGHE_|COMPOSE_|\w+_PASSWORD$", name)}
    clean |= _builder()
    source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    outcome = subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=within, check=False, **source
    )
    if check and outcome.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)} ended with {outcome.returncode}:\n{(outcome.stdout + outcome.stderr)[-4000:]}"
        )
    return outcome


@cache
def _builder() -> dict[str, str]:
    """What tells docker to build with its older builder, where the newer one is missing. Asked once: it takes as long as many a
    command."""
    found = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    return {} if found.returncode == 0 else {"DOCKER_BUILDKIT": "0"}


def fenghe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this checkout's Fenghe to its end."""
    return run(sys.executable, "-m", "deploy.cli", *arguments, within=600, check=False, **environment)


class Compose:
    """A compose deployment with settings of its own, the file `settings`; `disk`, where its servers are to stand on one."""

    def __init__(self, project: str, settings: Path, port: int, disk: SmallDisk | None = None) -> None:
        self.disk = disk
        self.project = project
        self.settings = settings
        self.port = port
        self.scale = dict.fromkeys(SERVICES, 1) | {"matching": 2}
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    @classmethod
    def new(cls, project: str, settings: Path, tag: str, disk: SmallDisk | None = None) -> Compose:
        """One on free ports, with settings made by `deploy/make-env`."""
        run("deploy/make-env", str(settings))
        with socket.socket() as one, socket.socket() as another:
            for free in (one, another):
                free.bind(("127.0.0.1", 0))
            made, feed = cls(project, settings, one.getsockname()[1], disk), another.getsockname()[1]
        ports = {"FENGHE_PORT": str(made.port), "FENGHE_FEED_PORT": str(feed), "FENGHE_PUBLIC_URL": made.url}
        made.set(COMPOSE_PROJECT_NAME=project, FENGHE_TAG=tag, **ports)
        return made

    def set(self, **values: str) -> None:
        """Change lines of the settings."""
        text = self.settings.read_text()
        for name, value in values.items():
            text = re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", text)
        self.settings.write_text(text)

    @staticmethod
    def plugin() -> bool:
        """Whether compose is a plugin of docker (version 2)."""
        return run("docker", "compose", "version", check=False).returncode == 0

    @cached_property
    def program(self) -> list[str]:
        return ["docker", "compose"] if self.plugin() else ["docker-compose"]

    @cached_property
    def command(self) -> list[str]:
        files = ["-f", "deploy/compose.yaml", *(["-f", str(self.disk.override)] if self.disk else [])]
        return [*self.program, "-p", self.project, "--env-file", str(self.settings), *files]

    def __call__(self, *arguments: str, within: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(*self.command, *arguments, within=within, check=check)

    @property
    def tag(self) -> str:
        """The tag of the images that it is brought up from."""
        found = re.search(r"(?m)^FENGHE_TAG=(.*)$", self.settings.read_text())
        assert found
        return found.group(1)

    def roll(self, *services: str) -> None:
        """Put new containers in the place of those that run, as an operator does."""
        run("deploy/roll", *services, within=UP_WITHIN, FENGHE_COMPOSE=" ".join(self.command))

    def build(self) -> None:
        """Make the images of this checkout."""
        self("build", within=BUILD_WITHIN)

    def up(self, **scale: int) -> None:
        """Bring everything up, with so many replicas, and wait until all of it is ready; what runs already is left alone."""
        self.scale |= scale
        each = [argument for service, count in self.scale.items() for argument in ("--scale", f"{service}={count}")]
        below = all(self.process(one) for name in ("postgres", "redis", "gateway") for one in self.containers(name) or [""])
        alone = ["--no-deps", *SERVICES] if below else []  # keys and migrations once are enough
        self("up", "-d", "--no-build", "--no-recreate", *each, *alone, within=UP_WITHIN)
        self.wait_until_ready()

    def up_again(self) -> None:
        """Put new containers of the services in the place of those that run, by the settings as they are now."""
        each = [argument for service, count in self.scale.items() for argument in ("--scale", f"{service}={count}")]
        self("up", "-d", "--no-build", "--no-deps", *each, *SERVICES, within=UP_WITHIN)
        self.wait_until_ready()

    def down(self) -> None:
        """Take everything down, with its volumes."""
        self("down", "--volumes", "--remove-orphans", "--timeout", "20", within=300)
        self.client.close()

    def password(self, owner: str) -> str:
        found = re.search(rf"(?m)^{owner.upper()}_PASSWORD=(\w+)$", self.settings.read_text())
        assert found
        return found.group(1)

    def token(self) -> str:
        """An operator's token."""
        return self("run", "--rm", "-T", "--no-deps", "registry", "token", "--role", "operator").stdout.strip()

    # --- what is there -------------------------------------------------------------------------------------------------

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, running or not, in the order of their numbers."""
        listed = run(
            *("docker", "ps", "--all", "--no-trunc", "--format", '{{.Label "com.docker.compose.container-number"}} {{.ID}}'),
            *("--filter", f"label=com.docker.compose.project={self.project}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
            *("--filter", "label=com.docker.compose.oneoff=False"),
        )
        return [line.split()[1] for line in sorted(listed.stdout.splitlines(), key=lambda line: int(line.split()[0]))]

    def inside(self, container: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("docker", "exec", container, *command, check=check)

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("docker", "inspect", container).stdout)[0]
        return found

    def sql(self, service: str, statement: str) -> list[list[str]]:
        """The rows of a statement in a service's database."""
        (postgres,) = self.containers("postgres")
        separated = ("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-U", "fenghe", "-d", service)
        found = self.inside(postgres, *separated, "-c", statement).stdout
        return [line.split("\t") for line in found.splitlines()]

    def redis(self, *command: str) -> Any:
        """The answer of Redis to the operator."""
        (redis,) = self.containers("redis")
        return json.loads(self.inside(redis, "redis-cli", "--json", *command).stdout)

    def entries(self, service: str, since: str = "-") -> list[dict[str, str]]:
        """What stands on a service's stream, from an entry id on: the fields of each entry."""
        told = self.redis("XRANGE", f"fenghe:{service}", since, "+")
        return [pairs if isinstance(pairs, dict) else dict(zip(pairs[::2], pairs[1::2], strict=True)) for _, pairs in told]

    def metrics(self, container: str, service: str) -> str:
        """What a container says of itself to Prometheus."""
        ask = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/api/{service}/metrics').read().decode())"
        return self.inside(container, "python", "-c", ask).stdout

    def handled(self, service: str, type: str = "") -> list[float]:
        """How many facts (of a type) took effect in each replica of a service, by its own counters."""
        named = re.escape(type) if type else '[^"]*'
        counter = re.compile(rf'(?m)^fenghe_facts_handled_total\{{[^}}]*type="{named}"[^}}]*\}} (\S+)$')
        return [sum(map(float, counter.findall(self.metrics(one, service)))) for one in self.containers(service)]

    # --- waiting -------------------------------------------------------------------------------------------------------

    def eventually(self, what: str, is_so: Callable[[], bool], within: float = READY_WITHIN) -> None:
        """Wait until something is so. Raises AssertionError, with the last logs, where it does not become so."""
        until = time.monotonic() + within
        while not is_so():
            if time.monotonic() > until:
                logs = self("logs", "--no-color", "--tail", "40", check=False).stdout
                raise AssertionError(f"not within {within:g} s: {what}\n{logs[-8000:]}")
            time.sleep(0.2)

    def is_ready(self, service: str) -> bool:
        """Whether the replica that the gateway asks is ready."""
        try:
            return self.client.get(f"/api/{service}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Until every service answers that it is ready, each replica by its own healthcheck."""
        for service in SERVICES:
            self.eventually(f"{service} is ready", lambda service=service: self.is_ready(service))  # type: ignore[misc]
            wanted = self.scale[service]
            self.eventually(
                f"{wanted} healthy {service}",
                lambda service=service, wanted=wanted: self.healthy(service) == wanted,  # type: ignore[misc]
            )

    def healthy(self, service: str) -> int:
        """How many replicas of a service are well by their own healthcheck."""
        return sum(self.inspect(id)["State"].get("Health", {}).get("Status") == "healthy" for id in self.containers(service))

    # --- striking, from the host ---------------------------------------------------------------------------------------

    def process(self, container: str) -> int:
        """The process of a container, as the host has it; 0 where it has none."""
        return int(self.inspect(container)["State"]["Pid"]) if container else 0

    def kill(self, containers: Sequence[str]) -> None:
        """SIGKILL from the host: the engine finds them dead and, by their restart policy, starts them again."""
        for container in containers:
            if pid := self.process(container):
                os.kill(pid, signal.SIGKILL)

    def cut_off(self, container: str) -> None:
        """Let no packet in or out; what it says to itself goes on."""
        for chain, interface in (("INPUT", "-i"), ("OUTPUT", "-o")):
            self._filter(container, "-I", chain, "!", interface, "lo", "-j", "DROP")

    def reconnect(self, container: str) -> None:
        """Undo `cut_off`."""
        for chain in ("INPUT", "OUTPUT"):
            self._filter(container, "-F", chain)

    def _filter(self, container: str, *rule: str) -> None:
        run("nsenter", "--target", str(self.process(container)), "--net", "iptables", *rule)
