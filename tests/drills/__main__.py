"""`make drills`: bring a compose deployment up, strike it in every way while requests keep coming, and count what was lost."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from tests.drills.deployment import SERVICES, Compose, engine_answers
from tests.drills.disk import SmallDisk
from tests.drills.faults import FAULTS
from tests.drills.row import Row, table
from tests.drills.suite import Before, drill
from tests.drills.traffic import Traffic


def main() -> int:
    """Do the chosen drills. 1 when something was lost, happened twice or never came to rest, 2 when it cannot be tried here."""
    parser = argparse.ArgumentParser(prog="make drills", description=__doc__)
    parser.add_argument("--only", default="", help=f"which, for example kill-redis,flush; default: all ({len(FAULTS)})")
    parser.add_argument("--short", action="store_true", help="the short form: the most telling ones, with short pauses")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    given = parser.parse_args()
    wanted = set(filter(None, given.only.split(",")))
    if unknown := wanted - {fault.id for fault in FAULTS}:
        parser.error(f"there is no drill {', '.join(sorted(unknown))}; there are {', '.join(fault.id for fault in FAULTS)}")
    if missing := lacking():
        print(f"The drills cannot run here: {missing}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: nothing it started is left behind
    console = Console(stderr=given.json, width=150)
    chosen = [fault for fault in FAULTS if (fault.id in wanted or not wanted) and (fault.short or not given.short)]
    rows: list[Row] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fenghe-drills-") as folder, ExitStack() as ending:
        disk = ending.enter_context(SmallDisk(Path(folder)))
        compose = Compose.new(f"fenghe-drills-{os.getpid()}", Path(folder) / "env", "drills", disk)
        try:
            console.print("building the images, bringing up two replicas of every service")
            compose.build()
            compose.up(**dict.fromkeys(SERVICES, 2))
            traffic = Traffic(compose.url, compose.token())
            before = Before()
            for fault in chosen:
                rows.append(drill(fault, compose, traffic, before, given.short))
                _print(console, rows[-1], time.monotonic() - began)
            traffic.close()
        finally:
            compose.down()
    console.print(table(rows))
    held = all(row.holds for row in rows)
    console.print("Nothing was lost, nothing happened twice." if held else "It did not hold.")
    if given.json:
        print(json.dumps({"held": held, "rows": [row.as_dict() for row in rows]}, ensure_ascii=False))
    return 0 if held else 1


def lacking() -> str:
    """What this machine lacks for the drills, in words; empty where it lacks nothing."""
    if not shutil.which("docker") or not engine_answers():
        return "no docker engine answers"
    if not (shutil.which("docker-compose") or Compose.plugin()):
        return "there is neither docker compose nor docker-compose"
    if os.geteuid() != 0:
        return "they kill containers' processes from the host, which takes root on the machine of the docker engine"
    if not (shutil.which("nsenter") and shutil.which("iptables")):
        return "they cut containers off with nsenter and iptables, and these are missing"
    return ""


def _print(console: Console, row: Row, seconds: float) -> None:
    console.print(f"[{seconds:4.0f} s] {row.fault}: {'holds' if row.holds else 'DOES NOT HOLD'}", markup=False)
    for note in [*row.remarks, *row.notes]:
        console.print(f"  {note}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
