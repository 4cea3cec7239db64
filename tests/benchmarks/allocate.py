"""How long the best allocation takes with all that proves it, beside OR-Tools alone on the same instance; what the terms
of fairness cost, whose price needs a second optimum; and what a greedy allocation loses.

Each measured solution is a process of its own. Instances: 20 arcs to each need, organizations max(26, needs / 20), the first
of them claimed more often than the last, places for five per cent more needs than there are, scores 0 to 1000.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.ground import ROOT
from tests.benchmarks.measure import Row

SIZES = (100, 1_000, 10_000, 100_000)
ARCS = 20
FAIR = {"first_project_bonus": 100, "load_cost": 300}
"""The terms with which the price of fairness is measured, in points of scores that reach to 1000."""


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows by size: seconds, their ratio to OR-Tools alone in processor time, memory, gap, and greedy beside it."""
    for size in SIZES:
        yield from measured(size if scale == 1 else max(100, round(size * scale)), runs)


def measured(size: int, runs: int) -> Iterator[Row]:
    """The rows of one size."""
    alone, ours = [], []
    for number in range(runs):
        for kind, results in (("alone", alone), ("ours", ours)) if number % 2 else (("ours", ours), ("alone", alone)):
            results.append(_apart(kind, size))
    fair, greedy = _apart("fair", size), _apart("greedy", size)
    name = f"{size:,} needs: "
    begun = Row.of(f"{name}OR-Tools alone", "s", [one["seconds"] for one in alone])
    yield begun
    yield Row.of(f"{name}build, solve, certificate, ties, report", "s", [one["seconds"] for one in ours], begun)
    processor = [one["processor"] for one in ours], [one["processor"] for one in alone]
    yield Row.ratios(f"{name}all of that to OR-Tools alone, processor time (aim: at most 1.5)", *processor)
    yield Row.of(f"{name}of it certificate and ties", "s", [one["certificate"] for one in ours])
    yield Row.of(f"{name}somebody checks it, by numpy alone", "s", [one["check"] for one in ours])
    yield Row.of(f"{name}memory at the most, OR-Tools alone", "MB", [one["memory"] for one in alone])
    yield Row.of(f"{name}memory at the most, all of it", "MB", [one["memory"] for one in ours])
    yield Row.of(f"{name}gap of the certificate", "points", [one["gap"] for one in ours])
    yield Row.of(f"{name}with terms of fairness, whose price is proved", "s", [fair["seconds"]])
    yield Row.of(f"{name}of it the second optimum, and what proves it", "s", [fair["fairness"]])
    yield Row.of(f"{name}price of fairness", "share", [fair["price"]])
    best = ours[0]
    assert (best["served"], best["objective"]) == (alone[0]["served"], alone[0]["objective"])
    assert {one["gap"] for one in (*ours, fair)} == {0}
    yield Row.of(f"{name}the best serves", "needs", [best["served"]])
    yield Row.of(f"{name}greedy serves", "needs", [greedy["served"]])
    yield Row.of(f"{name}greedy's score to the best's", "×", [greedy["objective"] / best["objective"]])


def columns(size: int) -> dict[str, Any]:
    """The arrays of an instance."""
    import numpy

    chance = numpy.random.default_rng(size)
    organizations = max(26, size // 20)
    need = numpy.repeat(numpy.arange(size), ARCS)
    organization = (organizations * chance.random(size * ARCS) ** 1.2).astype(numpy.int64)
    score = chance.integers(0, 1001, size * ARCS)
    places = numpy.full(organizations, 1.05 * size / organizations)
    capacity = numpy.diff(numpy.floor(numpy.cumsum(places)), prepend=0).astype(numpy.int64)
    return {"need": need, "organization": organization, "score": score, "capacity": capacity}


def _apart(kind: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.allocate", kind, str(size)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return found


def _alone(given: dict[str, Any]) -> dict[str, Any]:
    """The same problem as one would hand it to OR-Tools, and the sum of what it chose."""
    import numpy
    from ortools.graph.python import min_cost_flow

    need, organization, score, capacity = (given[name] for name in ("need", "organization", "score", "capacity"))
    needs, organizations = int(need.max()) + 1, capacity.size
    ones = numpy.ones(needs, dtype=numpy.int64)
    began, processor = time.perf_counter(), time.process_time()
    solver = min_cost_flow.SimpleMinCostFlow()
    first, sink = 1 + organizations, 1 + organizations + needs
    given.clear()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        1 + organization, first + need, numpy.ones(need.size, dtype=numpy.int64), -score
    )
    del need, organization
    nobody = numpy.zeros(organizations, dtype=numpy.int64)
    solver.add_arcs_with_capacity_and_unit_cost(nobody, 1 + numpy.arange(organizations), capacity, nobody)
    solver.add_arcs_with_capacity_and_unit_cost(first + numpy.arange(needs), numpy.full(needs, sink), ones, 0 * ones)
    solver.set_node_supply(0, needs)
    solver.set_node_supply(sink, -needs)
    status = solver.solve_max_flow_with_min_cost()
    assert status == solver.OPTIMAL
    chosen = solver.flows(arcs) > 0
    return {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - processor,
        "served": int(chosen.sum()),
        "objective": int(score[chosen].sum()),
    }


def _fair(given: dict[str, Any]) -> dict[str, Any]:
    import numpy

    return _ours({**given, "options": numpy.array(json.dumps(FAIR))})


def _ours(given: dict[str, Any]) -> dict[str, Any]:
    from services.matching.allocate import check, load_library, read_arrays, solve

    load_library()
    began, processor = time.perf_counter(), time.process_time()
    instance = read_arrays(given)
    given.clear()
    result = solve(instance)
    figures = {"seconds": time.perf_counter() - began, "processor": time.process_time() - processor}
    figures["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    check(instance, result)
    figures["check"] = time.perf_counter() - began
    seconds = result["seconds"]
    return figures | {
        "certificate": seconds["certificate"] + seconds["ties"],
        "fairness": seconds.get("fairness", 0.0),
        "price": result["report"]["price_of_fairness"],
        "gap": result["certificate"]["gap"],
        "served": result["served"],
        "objective": result["objective"],
    }


def _greedy(given: dict[str, Any]) -> dict[str, Any]:
    """The best score that is left, again and again."""
    import numpy

    order = numpy.argsort(-given["score"], kind="stable")
    left, served, objective = given["capacity"].tolist(), bytearray(int(given["need"].max()) + 1), 0
    for start in range(0, order.size, 1 << 20):
        piece = order[start : start + (1 << 20)]
        columns = (given[name][piece].tolist() for name in ("need", "organization", "score"))
        for need, organization, score in zip(*columns, strict=True):
            if left[organization] and not served[need]:
                left[organization] -= 1
                served[need] = 1
                objective += score
    return {"served": sum(served), "objective": objective}


def main() -> None:
    """One solution in this process; its figures as JSON."""
    kind, size = sys.argv[1:]
    solve = {"alone": _alone, "ours": _ours, "fair": _fair, "greedy": _greedy}[kind]
    if kind == "alone":
        import ortools.graph.python.min_cost_flow  # noqa: F401
    figures = solve(columns(int(size)))
    print(json.dumps({"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} | figures))


if __name__ == "__main__":
    main()
