"""The whole system as its operator has it: `fenghe up` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.access import Role, load_signer
from tests.forking import CONTEXT, be_fenghe

ROOT = Path(__file__).parent.parent.parent
READY = "Fenghe is ready at "
ON_THIS_MACHINE = {"FENGHE_WEBHOOK_PUBLIC": "false", "FENGHE_WEBHOOK_ALLOW": "127.0.0.1"}
"""A test's webhooks go to receivers on this machine and nowhere else."""
DEADLINE = 120.0
HTTP = httpx.Client(timeout=60, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For a call by itself: `httpx.get` makes a client for each, which reads every certificate of the machine, a fiftieth of a
second. Each call has a connection of its own: the system may have been started anew."""


def fenghe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Fenghe to its end."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=ROOT,
        env=_clean() | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def fenghe_again(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same, by a process that is forked where everything is imported already: for a test that gives dozens of commands, of
    which others are whole programs elsewhere."""
    with tempfile.TemporaryDirectory(prefix="fenghe-") as folder:
        process = CONTEXT.Process(target=be_fenghe, args=(arguments, _clean() | environment, Path(folder)))
        process.start()
        process.join(300)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"{arguments} did not end")
        said = (Path(folder, name).read_text(encoding="utf-8") for name in ("output", "errors"))
        return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}


class AllInOne:
    """An all-in-one on a data folder, started and ended again and again, by `fenghe` or by another program of Python's."""

    def __init__(self, data: Path, program: Sequence[str] = ("-m", "deploy.cli")) -> None:
        self.data = data
        self.program = program
        self.log = data.parent / f"{data.name}.log"
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> None:
        """Start, on the port it had before if it had one, and wait until it is ready."""
        clean = _clean() | ON_THIS_MACHINE
        command = [sys.executable, *self.program, "up", "--data", str(self.data), "--port", str(self.port), *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=self.log.open("a"), text=True, start_new_session=True
        )
        given_up = threading.Timer(DEADLINE, self.process.kill)
        given_up.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        given_up.cancel()
        assert line.startswith(READY), f"{line!r}\n{self.log.read_text()[-3000:]}"
        self.port = int(line.rpartition(":")[2])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=DEADLINE)
        self.process = None
        return code

    def token(self, role: Role = "operator", community: str | None = None, organization: str | None = None) -> dict[str, str]:
        """The headers of a caller with a token signed by this folder's key, as `fenghe token` signs it."""
        signer = load_signer(str(self.data / "keys" / "registry.key.json"))
        return {"Authorization": f"Bearer {signer.sign(role=role, community=community, organization=organization)}"}

    @property
    def valkey_pid(self) -> int:
        return int((self.data / "valkey" / "valkey.pid").read_text())

    def quiet(self) -> None:
        """Wait until nothing is under way any more."""
        deadline = time.monotonic() + DEADLINE
        before = None
        while time.monotonic() < deadline:
            states = []
            for name in ("registry", "matching", "feedback", "notify"):
                states.append(HTTP.get(f"{self.address}/api/{name}/quiet").json())
                if not states[-1]["quiet"]:
                    break
            streams = [state["streams"] for state in states]
            if states[-1]["quiet"] and streams == before:
                return
            before = streams
            time.sleep(0.02)
        raise AssertionError(f"not quiet: {states}")


def alive(pid: int) -> bool:
    """Whether a process is running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def all_in_one(tmp_path: Path) -> Iterator[Callable[[], AllInOne]]:
    """Makes all-in-ones on new data folders, and ends what is left of them."""
    made: list[AllInOne] = []

    def make() -> AllInOne:
        made.append(AllInOne(tmp_path / f"data{len(made)}"))
        return made[-1]

    yield make
    for system in made:
        if system.process is not None:
            system.end()


@pytest.fixture(scope="session")
def sample_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AllInOne]:
    """One running all-in-one with the sample community, shared by the tests of a worker."""
    system = AllInOne(tmp_path_factory.mktemp("sample") / "data")
    system.start("--sample")
    yield system
    system.end()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AllInOne]:
    """An all-in-one that a worker's stories share, each in a community of its own."""
    system = AllInOne(tmp_path_factory.mktemp("running") / "data")
    system.start()
    yield system
    system.end()


@pytest.fixture
def slug(request: pytest.FixtureRequest) -> str:
    """A new community's, named after the test."""
    name: str = request.node.name
    return name.removeprefix("test_").replace("_", "-")[:40].strip("-")


@pytest.fixture
def desk(running: AllInOne, slug: str) -> Any:
    """The desk of a new community's station."""
    from tests.system.station_desk import Desk

    made = Desk(running, slug)
    running.quiet()  # every service has heard of the community and its taxonomy
    return made
