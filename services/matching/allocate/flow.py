"""Optimal flows by OR-Tools: along which arcs needs go to organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.matching.allocate.fairness import Worth
from services.matching.allocate.instances import COST_BITS
from services.matching.allocate.refusals import Unsolvable

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]

TIE_BITS = 32
"""Ties are settled by numbers of so many bits."""
AT_ONCE = 1 << 20
"""So many arcs are handed to OR-Tools at once: copies of all columns would need as much memory as itself."""


def load_library() -> None:
    """Load OR-Tools, which takes a while the first time, before a transaction waits for it."""
    import ortools.graph.python.min_cost_flow  # noqa: F401


def build(worth: Worth) -> tuple[Any, NDArray[numpy.bool_]]:
    """The flow problem of an instance, without its pinned needs: the solver, and which arcs it has; they are its first, in
    their order. Nodes: source, organizations, needs, sink."""
    import numpy
    from ortools.graph.python import min_cost_flow

    instance = worth.instance
    solver = min_cost_flow.SimpleMinCostFlow()
    first_need, sink = 1 + instance.organizations, 1 + instance.organizations + instance.needs
    free = instance.open_ & (instance.pin < 0)[instance.need]
    most = int(worth.weight.max(where=free, initial=-(2**62)))
    for start in range(0, free.size, AT_ONCE):
        piece = slice(start, start + AT_ONCE)
        some = free[piece]
        tails, heads = 1 + instance.organization[piece][some], first_need + instance.need[piece][some]
        _add(solver, tails, heads, 1, most - worth.weight[piece][some])
    left = numpy.maximum(worth.start + worth.count - numpy.maximum(worth.start, instance.pinned[worth.run]), 0)
    highest = int(worth.bonus.max()) if worth.bonus.size else 0
    _add(solver, 0, 1 + worth.run, left, highest - worth.bonus)
    asking = numpy.flatnonzero(instance.pin < 0)
    _add(solver, first_need + asking, sink, 1, 0)
    solver.set_node_supply(0, int(asking.size))
    solver.set_node_supply(sink, -int(asking.size))
    return solver, free


def solve(solver: Any, free: NDArray[numpy.bool_]) -> Integers:
    """The arcs along which needs go: most needs first, then the largest worth."""
    import numpy

    count = int(free.sum())
    if not count:
        return numpy.zeros(0, dtype=numpy.int64)
    status = solver.solve_max_flow_with_min_cost()
    if status != solver.OPTIMAL:
        raise Unsolvable(f"OR-Tools found no optimum ({status.name})")
    starts = range(0, count, AT_ONCE)
    pieces = [numpy.arange(start, min(start + AT_ONCE, count), dtype=numpy.int32) for start in starts]
    chosen = free.copy()
    chosen[free] = numpy.concatenate([solver.flows(places) > 0 for places in pieces])
    found: Integers = numpy.flatnonzero(chosen)
    return found


def settle(arcs: Integers, worth: Worth, tie: Integers, must: Any, low: Integers, high: Integers, served: int) -> Integers:
    """Of the `arcs` along which needs may go without loss, those with the largest sum of `tie` numbers: every need that
    `must` is served, `served` needs in all, from `low` to `high` of them at each organization."""
    import numpy
    from ortools.graph.python import min_cost_flow

    instance = worth.instance
    low, high = low.copy(), high.copy()
    taken: list[Integers] = []
    while arcs.size:
        # A need that has to go one way is no question; what it takes up may answer others.
        ways = numpy.bincount(instance.need[arcs], minlength=instance.needs)
        decided = must[instance.need[arcs]] & (ways[instance.need[arcs]] == 1)
        if decided.any():
            taken.append(arcs[decided])
            gone = numpy.bincount(instance.organization[arcs[decided]], minlength=instance.organizations)
            low, high = numpy.maximum(low - gone, 0), high - gone
            arcs = arcs[~decided]
        closed = high[instance.organization[arcs]] <= 0
        arcs = arcs[~closed]
        if not decided.any() and not closed.any():
            break
    served -= sum(some.size for some in taken)
    if served and arcs.size:
        solver = min_cost_flow.SimpleMinCostFlow()
        needs, need = numpy.unique(instance.need[arcs], return_inverse=True)
        organizations, organization = numpy.unique(instance.organization[arcs], return_inverse=True)
        low, high, obliged = low[organizations], high[organizations], must[needs]
        source, first_need, sink = 0, 1 + organizations.size, 1 + organizations.size + needs.size
        places = _add(solver, 1 + organization, first_need + need, 1, int(tie.max()) - tie[arcs])
        _add(solver, source, 1 + numpy.arange(organizations.size), high - low, 0)
        _add(solver, first_need + numpy.flatnonzero(~obliged), sink, 1, 0)
        solver.set_nodes_supplies(1 + numpy.arange(organizations.size), low)
        solver.set_nodes_supplies(first_need + numpy.flatnonzero(obliged), numpy.full(int(obliged.sum()), -1))
        solver.set_node_supply(source, served - int(low.sum()))
        solver.set_node_supply(sink, int(obliged.sum()) - served)
        status = solver.solve()
        if status != solver.OPTIMAL:
            raise Unsolvable(f"OR-Tools could not settle the ties ({status.name})")
        taken.append(arcs[solver.flows(places) > 0])
    return numpy.sort(numpy.concatenate(taken)) if taken else arcs[:0]


def _add(solver: Any, tails: Any, heads: Any, capacity: Any, cost: Any) -> Any:
    """Add arcs from columns or single values."""
    import numpy

    size = max(numpy.size(tails), numpy.size(heads)) if numpy.size(tails) and numpy.size(heads) else 0
    full = (numpy.broadcast_to(numpy.asarray(one), (size,)) for one in (tails, heads, capacity, cost))
    tails, heads, capacity, cost = (numpy.ascontiguousarray(one) for one in full)
    return solver.add_arcs_with_capacity_and_unit_cost(
        tails.astype(numpy.int32), heads.astype(numpy.int32), capacity.astype(numpy.int64), cost.astype(numpy.int64)
    )


def ties(need: Any, organization: Any, seed: int) -> Integers:
    """A number (TIE_BITS bits) for each arc, spread evenly, from the seed and the two positions: the finalizer of SplitMix64
    (Steele, Lea & Flood, OOPSLA 2014), once for each."""
    import numpy

    assert TIE_BITS + 28 <= COST_BITS

    def mixed(values: Any) -> Any:
        values = values + numpy.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return values ^ (values >> numpy.uint64(31))

    with numpy.errstate(over="ignore"):
        base = mixed(numpy.asarray([seed], dtype=numpy.uint64))
        found = mixed(mixed(base ^ need.astype(numpy.uint64)) ^ organization.astype(numpy.uint64))
        numbers: Integers = (found >> numpy.uint64(64 - TIE_BITS)).astype(numpy.int64)
        return numbers
