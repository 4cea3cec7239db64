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
LONGEST_CALL = 60
LONGEST = 3600.0
"""Seconds in which a call is answered, and a service fuzzed; what takes longer is found to hang."""


@dataclass(frozen=True)
class Outcome:
    """What schemathesis printed, how many calls it counted, and how many failures and errors."""

    output: str
    cases: int
    failures: int
    failed: bool

    @property
    def summary(self) -> str:
        """The end of the output."""
        return self.output[self.output.find("= SUMMARY =") :].partition("\n")[2]


def fuzz(
    system: AllInOne,
    service: str,
    examples: int,
    phases: str,
    seed: int,
    community: str | None = None,
    longest: float = LONGEST,
) -> Outcome:
    """Try every operation of a service with so many calls at most in each phase, on things of a community; the first one,
    where none is named. What has not ended after `longest` seconds has failed."""
    community = community or httpx.get(f"{system.address}/api/registry/communities").json()["items"][0]["id"]
    given = system.data.parent / "given.json"
    given.write_text(json.dumps({"keys": str(system.data / "keys"), "address": system.address, "community": community}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}
    environment |= {"FENGHE_FUZZ": str(given), "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "--no-color", "run"),
        *("--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
        *("--request-timeout", str(LONGEST_CALL), "--continue-on-failure", "--suppress-health-check", "all"),
        f"{system.address}/api/{service}/openapi.json",
    ]
    with subprocess.Popen(
        command, cwd=system.data.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            output, _ = run.communicate(timeout=longest)
        except subprocess.TimeoutExpired:
            run.kill()
            output, _ = run.communicate()
            output += f"\n{service} was not fuzzed to the end within {longest:.0f} s.\n"
    cases = re.search(r"(\d+) generated", output)
    failures, errors = (re.search(pattern, output) for pattern in (r"found (\d+) unique", r"=+ .*?(\d+) errors?\b"))
    found = sum(int(count[1]) for count in (failures, errors) if count)
    return Outcome(output, int(cases[1]) if cases else 0, found, run.returncode != 0)
