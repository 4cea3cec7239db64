"""The benchmarks run, in a small form; how fast anything is, no test asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.benchmarks.ground import ROOT


def test_the_listener_is_measured_beside_everything_else() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "FENGHE_TEST_POSTGRES_URL"}
    command = [sys.executable, "-m", "tests.benchmarks", "consume", "--quick", "--json"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-3000:]
    rows = json.loads(ended.stdout.splitlines()[-1])["consume"]
    measured = {row["what"] for row in rows if row["unit"] == "facts/s" and row["median"] > 0}
    assert {"huey", "taskiq", "written by hand, on SQLite", "the kit on SQLite"} <= measured
