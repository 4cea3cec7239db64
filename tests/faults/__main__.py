"""`make faults`: attack the kit in every way, and count what was lost and what happened twice."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from shared import logs
from tests.faults.row import Row
from tests.faults.strikes import FAULTS
from tests.faults.substrates import available
from tests.faults.suite import run

SHOWN = 12
"""Strikes that are printed one by one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen faults on every substrate there is. 1 when something was lost, happened twice, or never came to rest."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the schedule: one seed gives one")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long in all, shared among the faults")
    parser.add_argument("--only", default="", help="faults, for example T2,T3")
    parser.add_argument("--on", default="", help="a database or Redis alone, or one of each: sqlite,valkey or postgresql,redis")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    given = parser.parse_args(arguments)
    wanted = set(filter(None, given.only.split(",")))
    if unknown := wanted - {fault.id for fault in FAULTS}:
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(fault.id for fault in FAULTS)}")
    substrates, missing = available()
    alone = set(filter(None, given.on.split(",")))
    if not (substrates := [one for one in substrates if alone <= {one.database, one.redis}]):
        parser.error(f"there is no {given.on} here; {'; '.join(missing) or 'a substrate is a database and a Redis'}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: nothing it started is left behind
    logs.configure(level="CRITICAL", format="text")
    console = Console(stderr=given.json, width=128)
    chosen = [
        (fault, substrate)
        for fault in FAULTS
        if not wanted or fault.id in wanted
        for substrate in substrates
        if substrate.database in fault.databases
    ]
    console.print(f"seed {given.seed}, {given.minutes:g} minutes, {len(chosen)} rows")
    missing += sorted({f"{fault}: {fault.because}" for fault, _ in chosen if fault.because})
    for sentence in missing:
        console.print(sentence, markup=False)
    deadline = time.monotonic() + given.minutes * 60
    rows: list[Row] = []
    try:
        for done, (fault, substrate) in enumerate(chosen):
            to_come = [later for later, _ in chosen[done:]]
            left = deadline - time.monotonic() - sum(later.takes for later in to_come)
            share = max(0.0, left) / max(1, sum(not later.takes for later in to_come))
            # The rest of its share is for starting, coming to rest and judging.
            rows.append(run(fault, substrate, given.seed, 0 if fault.takes else share * 0.7))
            _print(console, rows[-1])
    finally:  # whoever ends it early sees what was tried until then
        console.print(_table(rows))
        if len(rows) < len(chosen):
            console.print(f"It was ended before {len(chosen) - len(rows)} of {len(chosen)} rows.")
    held = all(row.holds for row in rows)
    console.print("Nothing was lost, nothing happened twice." if held else "It did not hold.")
    if given.json:
        print(json.dumps({"seed": given.seed, "held": held, "left_out": missing, "rows": [row.as_dict() for row in rows]}))
    return 0 if held else 1


def _print(console: Console, row: Row) -> None:
    console.print(f"{row.fault} {row.what}, {row.substrate}: {'holds' if row.holds else 'DOES NOT HOLD'}")
    tried = row.tried[:SHOWN] + [f"and {len(row.tried) - SHOWN} more (--json has all)"] * (len(row.tried) > SHOWN)
    console.print(f"  tried {'; '.join(tried)}", markup=False)
    for note in [*row.remarks, *row.notes]:
        console.print(f"  {note}", markup=False)


def _table(rows: list[Row]) -> Table:
    table = Table("fault", "database × redis", title="Faults")
    for name in ("times", "acknowledged", "lost", "twice", "slowest recovery (s)", "client errors"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = (row.times, row.acknowledged, row.lost, row.twice, f"{row.recovery:.2f}", row.client_errors)
        table.add_row(f"{row.fault} {row.what}", row.substrate, *map(str, figures))
    return table


if __name__ == "__main__":
    sys.exit(main())
