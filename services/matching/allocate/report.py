"""What people want to know of an allocation, beside who carries what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.matching.allocate.instances import Instance

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]


def report(instance: Instance, chosen: Integers) -> dict[str, Any]:
    """Figures of an allocation along the `chosen` arcs. Utilisation is needs by capacity, of the organizations that have
    any; its Gini coefficient is 0 where all are used alike. A blocking pair (Gale & Shapley, 1962, both sides by score): a
    need and an organization that may be brought together, where the need has nobody or a lower score, and the organization
    room or a need with a lower score."""
    import numpy

    loads = numpy.bincount(instance.organization[chosen], minlength=instance.organizations)
    has = instance.capacity > 0
    utilisation = numpy.sort(loads[has] / instance.capacity[has])
    return {
        "organizations": instance.organizations,
        "organizations_with_a_project": int((loads > 0).sum()),
        "gini_of_utilisation": _gini(utilisation),
        "smallest_utilisation": round(float(utilisation[0]), 6) if utilisation.size else None,
        "blocking_pairs": _blocking_pairs(instance, chosen, loads),
    }


def _gini(ascending: Any) -> float:
    import numpy

    total = float(ascending.sum())
    if not total:
        return 0.0
    count = ascending.size
    return round(float(((2 * numpy.arange(1, count + 1) - count - 1) * ascending).sum() / (count * total)), 6)


def _blocking_pairs(instance: Instance, chosen: Integers, loads: Integers) -> int:
    import numpy

    lowest = -(2**62)
    mine = numpy.full(instance.needs, lowest, dtype=numpy.int64)
    mine[instance.need[chosen]] = instance.score[chosen]
    last = numpy.full(instance.organizations, 2**62, dtype=numpy.int64)
    free = chosen[(instance.pin < 0)[instance.need[chosen]]]
    numpy.minimum.at(last, instance.organization[free], instance.score[free])
    last[loads < instance.capacity] = lowest
    # A pinned need is not asked.
    mine[instance.pin >= 0] = 2**62
    better = instance.open_ & (instance.score > mine[instance.need]) & (instance.score > last[instance.organization])
    return int(better.sum())
