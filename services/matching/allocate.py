"""Who carries which project: the best allocation of needs to the organizations that claimed them, by min-cost flow.

An instance is plain JSON: `{"needs": [ids], "organizations": [{"id", "capacity"}], "arcs": {"need": [...],
"organization": [...], "score": [...]}, "options": {"seed", "pins", "forbidden"}}`, arcs in columns and by position, scores
non-negative integers; pins and forbidden pairs are [need, organization]. Only along an arc is anything allocated. First as
many needs are served as can be, then the sum of the scores is as large as it can be; of several such allocations the seed
decides. It is exact, and the same instance gives the same result everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

TIE_BITS = 20
"""Ties are settled by numbers of so many bits, or fewer where the instance is so large that costs would not fit."""
COST_BITS = 60
"""OR-Tools multiplies costs by the number of nodes, in 64 bits."""


class Unsolvable(ValueError):
    """The instance contradicts itself; the message says where."""


def load_library() -> None:
    """Load OR-Tools, which takes a while the first time, before a transaction waits for it."""
    import ortools.graph.python.min_cost_flow  # noqa: F401


def solve(instance: Mapping[str, Any]) -> dict[str, Any]:
    """The best allocation: `assignment` (an organization's position or None, per need), `served`, `objective` (the sum of
    the scores), `seconds` by phase. Raises Unsolvable for positions that do not exist, pins that are no arc, or more pins
    than an organization's capacity bears."""
    import numpy
    from ortools.graph.python import min_cost_flow

    started = time.perf_counter()
    needs, capacity = len(instance["needs"]), [int(one["capacity"]) for one in instance["organizations"]]
    columns = instance["arcs"]
    need = numpy.asarray(columns["need"], dtype=numpy.int64)
    organization = numpy.asarray(columns["organization"], dtype=numpy.int64)
    score = numpy.asarray(columns["score"], dtype=numpy.int64)
    _require_positions(need, needs, "need")
    _require_positions(organization, len(capacity), "organization")
    if score.size and int(score.min()) < 0:
        raise Unsolvable("a score is negative")
    options = instance.get("options", {})
    pinned = _pinned_arcs(need, organization, capacity, options)
    open_ = _open_arcs(need, organization, options)
    ties = _ties(need, organization, int(options.get("seed", 0)))
    bits, scale = _scale(score, min(needs, sum(capacity)), needs + len(capacity) + 2)
    cost = -(score * scale + (ties >> numpy.uint64(64 - bits)).astype(numpy.int64))
    built = time.perf_counter()

    # Nodes: the source, the organizations, the needs, the sink.
    flow = min_cost_flow.SimpleMinCostFlow()
    first_need, sink = 1 + len(capacity), 1 + len(capacity) + needs
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        1 + organization[open_], first_need + need[open_], numpy.ones(open_.size, dtype=numpy.int64), cost[open_]
    )
    for position, most in enumerate(capacity):
        flow.add_arc_with_capacity_and_unit_cost(0, 1 + position, min(most, needs), 0)
    for position in range(needs):
        flow.add_arc_with_capacity_and_unit_cost(first_need + position, sink, 1, 0)
    flow.set_node_supply(0, needs)
    flow.set_node_supply(sink, -needs)
    chosen = pinned
    if open_.size:
        status = flow.solve_max_flow_with_min_cost()
        if status != flow.OPTIMAL:
            raise Unsolvable(f"OR-Tools found no optimum ({status.name})")
        chosen = numpy.concatenate([pinned, open_[flow.flows(arcs) > 0]])
    assignment: list[int | None] = [None] * needs
    for one, other in zip(need[chosen].tolist(), organization[chosen].tolist(), strict=True):
        assignment[one] = other
    return {
        "assignment": assignment,
        "served": int(chosen.size),
        "objective": int(score[chosen].sum()),
        "seconds": {"build": round(built - started, 6), "solve": round(time.perf_counter() - built, 6)},
    }


def _require_positions(column: Any, count: int, name: str) -> None:
    if column.size and not 0 <= int(column.min()) <= int(column.max()) < count:
        raise Unsolvable(f"an arc names a position of {name} that does not exist")


def _pinned_arcs(need: Any, organization: Any, capacity: list[int], options: Mapping[str, Any]) -> Any:
    """The arcs that are pinned. What they take up of their organizations' capacity is taken off."""
    import numpy

    found = []
    for one, other in options.get("pins", ()):
        (arcs,) = numpy.nonzero((need == one) & (organization == other))
        if not arcs.size or [one, other] in [list(pair) for pair in options.get("forbidden", ())]:
            raise Unsolvable("a pin is no arc of the instance, or is forbidden")
        found.append(int(arcs[0]))
        capacity[other] -= 1
        if capacity[other] < 0:
            raise Unsolvable("more is pinned to an organization than its capacity bears")
    if len({int(need[arc]) for arc in found}) < len(found):
        raise Unsolvable("a need is pinned to two organizations")
    return numpy.asarray(found, dtype=numpy.int64)


def _open_arcs(need: Any, organization: Any, options: Mapping[str, Any]) -> Any:
    """The arcs along which there is something to decide: not the forbidden, and none of a pinned need."""
    import numpy

    open_ = ~numpy.isin(need, [one for one, _ in options.get("pins", ())])
    for one, other in options.get("forbidden", ()):
        open_ &= ~((need == one) & (organization == other))
    return numpy.flatnonzero(open_)


def _scale(score: Any, most: int, nodes: int) -> tuple[int, int]:
    """How many bits a tie's number has, and by what a score is multiplied so that no sum of those outweighs one point."""
    largest = int(score.max()) if score.size else 0
    for bits in range(TIE_BITS, 0, -1):
        scale = max(most, 1) << bits
        if (largest + 1) * scale * nodes < 1 << COST_BITS:
            return bits, scale
    raise Unsolvable("the scores are too large for an instance of this size")


def _ties(need: Any, organization: Any, seed: int) -> Any:
    """A number (64 bits) for each arc, spread evenly, from the seed and the two positions: the finalizer of SplitMix64
    (Steele, Lea & Flood, OOPSLA 2014), once for each."""
    import numpy

    def mixed(values: Any) -> Any:
        values = values + numpy.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return values ^ (values >> numpy.uint64(31))

    with numpy.errstate(over="ignore"):
        base = mixed(numpy.asarray([seed], dtype=numpy.uint64))
        return mixed(mixed(base ^ need.astype(numpy.uint64)) ^ organization.astype(numpy.uint64))
