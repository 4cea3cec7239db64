"""`make bench`."""

from __future__ import annotations

import argparse
import importlib
import json

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import Row, machine

NAMES = ("consume", "latency", "intake", "backlog", "scale", "growth", "startup", "fanout", "classify", "rank", "allocate")
BY_NAME = ("allocate_million", "communities")
"""Those that run for long, or need much memory: only when named."""


def main() -> None:
    """Run the named benchmarks, or all, and print their rows."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, *BY_NAME, []], help=f"which; default: {' '.join(NAMES)}")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the load, once: shows that it runs, not how fast")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    given = parser.parse_args()
    console = Console(stderr=given.json)
    console.print(machine())
    runs, scale = (1, 0.05) if given.quick else (given.runs, 1)
    results: dict[str, list[Row]] = {}
    for name in given.names or NAMES:
        rows = results[name] = list(importlib.import_module(f"tests.benchmarks.{name}").run(runs, scale))
        table = Table("what", "median", "range", "unit", "runs", "ratio", title=f"{name} (ratios: to the last row without one)")
        for row in rows:
            ratio = "" if row.ratio is None else f"{row.ratio} ×"
            table.add_row(row.what, str(row.median), f"{row.low} – {row.high}", row.unit, str(row.runs), ratio)
        console.print(table)
    if given.json:
        print(json.dumps({"machine": machine(), **{name: [row.as_dict() for row in rows] for name, rows in results.items()}}))


if __name__ == "__main__":
    main()
