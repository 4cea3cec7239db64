"""The certificate: prices that prove an allocation to be the best, by numpy alone.

Let organization o's place cost its price p(o). Whatever is allocated, a need n brings at most
u(n) = max(0, max over its arcs of weight + serving - p(o)), and an organization at most the sum over its places of
max(0, p(o) + bonus). So for any prices the sum of all these, the dual value, is no less than the worth of any allocation
(weak duality of linear programming; Ahuja, Magnanti & Orlin, Network Flows, 1993, chapter 9). Prices whose dual value equals
the worth of an allocation prove that none is better. Those given here are the least such prices: shortest paths (Bellman and
Ford) in the residual network, whose nodes are the organizations and whose edges the needs that could go elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.matching.allocate.fairness import Worth, exact_sum, weighted_sum

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]


class NotOptimal(ValueError):
    """No prices prove this allocation to be the best."""


@dataclass(frozen=True)
class Face:
    """All that is as good as the best, seen through prices: the `arcs` along which something may go, which needs `must` be
    served, from `low` to `high` needs at each organization; pinned needs are left out."""

    arcs: Integers
    must: NDArray[numpy.bool_]
    low: Integers
    high: Integers


def least_prices(worth: Worth, chosen: Integers) -> Integers:
    """The least prices that prove the allocation along the `chosen` arcs to be the best, by organization."""
    import numpy

    instance = worth.instance
    loads = numpy.bincount(instance.organization[chosen], minlength=instance.organizations)
    gets = numpy.full(instance.needs, -1, dtype=numpy.int32)
    gets[instance.need[chosen]] = instance.organization[chosen]
    value = numpy.zeros(instance.needs, dtype=numpy.int64)
    value[instance.need[chosen]] = worth.weight[chosen]
    prices = -worth.bonus_of(numpy.maximum(loads, 1))
    waiting = instance.open_ & (gets < 0)[instance.need]
    numpy.maximum.at(prices, instance.organization[waiting], worth.weight[waiting] + worth.serving)
    return _raised(prices, *_moves(worth, gets, value, instance.open_, worth.weight))


def dual_value(worth: Worth, prices: Integers) -> int:
    """What no allocation's worth exceeds, `serving` for each need served counted in."""
    import numpy

    instance = worth.instance
    bids = _bids(worth, prices)
    pinned = instance.pin >= 0
    bids[~pinned] = numpy.maximum(bids[~pinned], 0)
    return exact_sum(bids) + weighted_sum(worth.count, numpy.maximum(prices[worth.run] + worth.bonus, 0))


def face(worth: Worth, prices: Integers) -> Face:
    """Everything that these prices, which prove one allocation to be the best, show to be as good."""
    import numpy

    instance = worth.instance
    bids = _bids(worth, prices)
    free = instance.open_ & (instance.pin < 0)[instance.need]
    tight = worth.weight + worth.serving - prices[instance.organization] == bids[instance.need]
    low, high = numpy.zeros((2, instance.organizations), dtype=numpy.int64)
    margin = prices[worth.run] + worth.bonus
    numpy.add.at(low, worth.run[margin > 0], worth.count[margin > 0])
    numpy.add.at(high, worth.run[margin >= 0], worth.count[margin >= 0])
    wanted = free & tight & (bids >= 0)[instance.need]
    return Face(
        arcs=numpy.flatnonzero(wanted),
        must=(bids > 0) & (instance.pin < 0),
        low=numpy.maximum(low - instance.pinned, 0),
        high=high - instance.pinned,
    )


def tie_prices(worth: Worth, face: Face, chosen: Integers, tie: Integers) -> Integers:
    """Prices that prove the `chosen` arcs to have the largest sum of `tie` numbers on a face, by organization."""
    import numpy

    instance = worth.instance
    some = numpy.zeros(instance.need.size, dtype=numpy.bool_)
    some[face.arcs] = True
    mine = chosen[(instance.pin < 0)[instance.need[chosen]]]
    gets = numpy.full(instance.needs, -1, dtype=numpy.int32)
    gets[instance.need[mine]] = instance.organization[mine]
    value = numpy.zeros(instance.needs, dtype=numpy.int64)
    value[instance.need[mine]] = tie[mine]
    loads = numpy.bincount(instance.organization[mine], minlength=instance.organizations)
    sources, targets, lengths = _edges(worth, gets, value, some, tie)
    # One more node stands for "nothing": what may be left alone, and who may have one fewer or one more.
    nothing = instance.organizations
    fewer, more = numpy.flatnonzero(loads > face.low), numpy.flatnonzero(loads < face.high)
    waiting = face.arcs[(gets < 0)[instance.need[face.arcs]]]
    released = mine[~face.must[instance.need[mine]]]
    zeros = numpy.zeros(fewer.size + more.size, dtype=numpy.int64)
    out = numpy.full(fewer.size + waiting.size, nothing), numpy.full(more.size + released.size, nothing)
    sources = numpy.concatenate([sources, out[0], more, instance.organization[released]])
    targets = numpy.concatenate([targets, fewer, instance.organization[waiting], out[1]])
    lengths = numpy.concatenate([lengths, zeros[: fewer.size], tie[waiting], zeros[fewer.size :], -tie[released]])
    order = numpy.argsort(sources, kind="stable")
    first = numpy.searchsorted(sources[order], numpy.arange(nothing + 2))
    raised = _raised(numpy.zeros(nothing + 1, dtype=numpy.int64), first, targets[order], lengths[order])
    prices: Integers = raised[:-1] - raised[-1]
    return prices


def tie_dual_value(worth: Worth, face: Face, prices: Integers, tie: Integers) -> int:
    """What no sum of tie numbers on the face exceeds."""
    import numpy

    instance = worth.instance
    bids = numpy.full(instance.needs, -(2**62), dtype=numpy.int64)
    numpy.maximum.at(bids, instance.need[face.arcs], tie[face.arcs] - prices[instance.organization[face.arcs]])
    bids = numpy.where(face.must, bids, numpy.maximum(bids, 0))
    ends = numpy.where(prices > 0, face.high, face.low)
    return exact_sum(bids) + weighted_sum(ends, prices)


def _bids(worth: Worth, prices: Integers) -> Integers:
    """The most that each need bids, prices paid: negative where it would rather not; 0 for one without arcs."""
    import numpy

    instance = worth.instance
    bids = numpy.zeros(instance.needs, dtype=numpy.int64)
    if not instance.need.size:
        return bids
    offers = worth.weight + worth.serving - prices[instance.organization]
    offers[~instance.open_] = -(2**62)
    has = instance.first_arc[1:] > instance.first_arc[:-1]
    bids[has] = numpy.maximum.reduceat(offers, instance.first_arc[:-1][has])
    bids[bids == -(2**62)] = 0
    return bids


def _moves(worth: Worth, gets: Any, value: Integers, allowed: Any, weight: Integers) -> tuple[Integers, Any, Integers]:
    """The edges of the residual network, as _raised takes them."""
    import numpy

    sources, targets, lengths = _edges(worth, gets, value, allowed, weight)
    first = numpy.searchsorted(sources, numpy.arange(worth.instance.organizations + 1))
    return first, targets, lengths


def _edges(worth: Worth, gets: Any, value: Integers, allowed: Any, weight: Integers) -> tuple[Any, Any, Integers]:
    """What each need that is not pinned could do instead, in the order of the organizations that have it: from which
    organization to which, and by how much that is better."""
    import numpy

    instance = worth.instance
    movable = numpy.flatnonzero((gets >= 0) & (instance.pin < 0))
    movable = movable[numpy.argsort(gets[movable], kind="stable")]
    arcs = _ragged(instance.first_arc[movable], instance.first_arc[movable + 1])
    arcs = arcs[allowed[arcs]]
    arcs = arcs[gets[instance.need[arcs]] != instance.organization[arcs]]
    need = instance.need[arcs]
    return gets[need], instance.organization[arcs], weight[arcs] - value[need]


def _raised(prices: Integers, first: Integers, targets: Any, lengths: Integers) -> Integers:
    """Prices raised as little as need be so that none is lower than another's plus the length of an edge from it. `first`
    says where each node's edges begin. Raises NotOptimal where there are none: a circle of edges gains something."""
    import numpy

    prices = prices.copy()
    counts = numpy.diff(first)
    changed = numpy.flatnonzero(counts)
    for _ in range(prices.size + 2):
        if not changed.size:
            return prices
        edges = _ragged(first[changed], first[changed + 1])
        before = prices.copy()
        numpy.maximum.at(prices, targets[edges], numpy.repeat(before[changed], counts[changed]) + lengths[edges])
        changed = numpy.flatnonzero((prices > before) & (counts > 0))
    raise NotOptimal


def _ragged(begins: Integers, ends: Integers) -> Integers:
    """The numbers from each begin to below its end, one after the other."""
    import numpy

    counts = ends - begins
    total = int(counts.sum())
    if not total:
        return numpy.zeros(0, dtype=numpy.int64)
    jumps = numpy.ones(total, dtype=numpy.int64)
    has = counts > 0
    begins, counts = begins[has], counts[has]
    starts = numpy.cumsum(counts) - counts
    jumps[starts] = begins
    jumps[starts[1:]] = begins[1:] - (begins[:-1] + counts[:-1] - 1)
    return numpy.cumsum(jumps)
