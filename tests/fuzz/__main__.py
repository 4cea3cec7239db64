"""`python -m tests.fuzz`: an all-in-one in which a season was played, so that there is one of everything, and schemathesis on
each of its OpenAPI documents: all checks, and stateful. Prints what was tried; ends with 1 where anything was found."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import httpx

from deploy.sample_community import load_sample
from deploy.season import play
from deploy.services import NAMES
from tests.fuzz import LONGEST, fuzz
from tests.system.conftest import AllInOne

REQUESTS = 12
"""How many requests the season has."""


def main() -> int:
    """Fuzz the named services, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("services", nargs="*", help="default: all")
    parser.add_argument("--examples", type=int, default=20, help="how many calls an operation gets in each phase, at most")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=LONGEST, help="seconds in which each service is fuzzed to the end")
    given = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        system = AllInOne(Path(folder) / "data")
        system.start()
        try:
            token = system.token("operator")["Authorization"].removeprefix("Bearer ")
            with httpx.Client(base_url=system.address, timeout=60) as client:
                community = play(client, token, load_sample(), given.seed, REQUESTS).community
            for service in given.services or NAMES:
                began = time.monotonic()
                outcome = fuzz(system, service, given.examples, given.phases, given.seed, community, given.longest)
                print(outcome.output if outcome.failed else outcome.summary, flush=True)
                print(
                    f"{service}: {outcome.cases} calls, {outcome.failures} failures, {time.monotonic() - began:.0f} s\n",
                    flush=True,
                )
                found += outcome.failed
        finally:
            system.end()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
