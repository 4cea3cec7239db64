"""How long until `fenghe up` is ready, how much memory it takes idle, and what that is spent on."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.ground import cpu_seconds
from tests.benchmarks.measure import Row
from tests.system.conftest import ROOT, AllInOne

BARE = (
    "import asyncio, uvicorn, fastapi\n"
    "app = fastapi.FastAPI()\n"
    "server = uvicorn.Server(uvicorn.Config(app, port=0, log_level='critical'))\n"
    "async def main():\n"
    "    serving = asyncio.create_task(server.serve())\n"
    "    while not server.started: await asyncio.sleep(0.005)\n"
    "    print('ready', flush=True); await serving\n"
    "asyncio.run(main())\n"
)
IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: seconds until ready, megabytes idle, and the seconds of import time by library."""
    with tempfile.TemporaryDirectory() as folder:
        system = AllInOne(Path(folder) / "data")
        bare_seconds, bare_megabytes, seconds, busy, megabytes, valkey = [], [], [], [], [], []
        with _running(system):
            pass  # the first start makes the databases and fills the caches
        for _ in range(runs):
            began = time.perf_counter()
            with _bare() as process:
                bare_seconds.append(time.perf_counter() - began)
                bare_megabytes.append(_resident(process.pid))
            began = time.perf_counter()
            with _running(system):
                seconds.append(time.perf_counter() - began)
                assert system.process is not None
                busy.append(cpu_seconds(system.process.pid))
                megabytes.append(_resident(system.process.pid))
                valkey.append(_resident(system.valkey_pid))
    bare = Row.of("a bare FastAPI application: until ready", "s", bare_seconds)
    yield bare
    yield Row.of("fenghe up, second start: until ready (aim: 3)", "s", seconds, bare)
    yield Row.of("fenghe up, second start: processor time until ready", "s", busy, bare)
    bare_memory = Row.of("a bare FastAPI application: memory", "MB", bare_megabytes)
    yield bare_memory
    yield Row.of("fenghe up, idle: memory", "MB", megabytes, bare_memory)
    yield Row.of("its Valkey, idle: memory", "MB", valkey, bare_memory)
    imports = [_import_seconds() for _ in range(runs)]
    total = Row.of("imports, all (slowed by -X importtime)", "s", [sum(one.values()) for one in imports])
    yield total
    for library in sorted(imports[0], key=lambda name: -imports[0][name])[:10]:
        yield Row.of(f"imports, {library}", "s", [one.get(library, 0) for one in imports], total)


@contextmanager
def _running(system: AllInOne) -> Iterator[None]:
    system.start()
    try:
        yield
    finally:
        system.end()


@contextmanager
def _bare() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        process.wait()


def _resident(pid: int) -> float:
    """Resident memory in megabytes."""
    out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(out.stdout) / 1024


def _import_seconds() -> dict[str, float]:
    """Self import time by top-level package."""
    code = "import deploy.cli, deploy.single, deploy.services; deploy.services.load_all()"
    out = subprocess.run([sys.executable, "-X", "importtime", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    spent: dict[str, float] = defaultdict(float)
    for line in out.stderr.splitlines():
        if match := IMPORTED.match(line):
            spent[match.group(2).split(".")[0]] += int(match.group(1)) / 1e6
    return spent
