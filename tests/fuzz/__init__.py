"""schemathesis on the OpenAPI documents of a running all-in-one: every check, stateful, with the tokens of every role."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.system.conftest import ROOT, AllInOne

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"


@dataclass(frozen=True)
class Outcome:
    """What schemathesis printed, and how many calls and failures it counted."""

    output: str
    cases: int
    failures: int
    failed: bool

    @property
    def summary(self) -> str:
        """The end of the output."""
        return self.output[self.output.find("= SUMMARY =") :].partition("\n")[2]


def fuzz(system: AllInOne, service: str, examples: int, phases: str, seed: int, community: str | None = None) -> Outcome:
    """Try every operation of a service with so many calls at most in each phase, on things of a community; the first one,
    where none is named."""
    community = community or httpx.get(f"{system.address}/api/registry/communities").json()["items"][0]["id"]
    given = system.data.parent / "given.json"
    given.write_text(json.dumps({"keys": str(system.data / "keys"), "address": system.address, "community": community}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}
    environment |= {"FENGHE_FUZZ": str(given), "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "--no-color", "run"),
            *("--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
            *("--continue-on-failure", "--suppress-health-check", "all"),
            f"{system.address}/api/{service}/openapi.json",
        ],
        cwd=system.data.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = run.stdout + run.stderr
    cases = re.search(r"(\d+) generated", output)
    failures = re.search(r"found (\d+) unique", output)
    return Outcome(output, int(cases[1]) if cases else 0, int(failures[1]) if failures else 0, run.returncode != 0)
