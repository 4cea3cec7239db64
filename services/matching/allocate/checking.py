"""Checking a result against its instance, by numpy alone: nobody has to trust who solved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from services.matching.allocate.fairness import STEPS, Worth, worth_of
from services.matching.allocate.instances import Instance, integers, read
from services.matching.allocate.prices import NotOptimal, dual_value
from services.matching.allocate.solving import described, part_of

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]


class Refuted(ValueError):
    """The result is not that of its instance; the message says where and why."""


def check(given: Mapping[str, Any] | Instance, result: Any) -> str:
    """A sentence that says what was proved. The allocation keeps to arcs, capacities, pins and forbidden pairs; the dual value
    of its prices equals its worth, for the objective that was solved and for the ties; and everything else that is stated,
    save the seconds, is what follows from it. Raises Refuted, or Unsolvable where the instance itself is at fault."""
    instance = given if isinstance(given, Instance) else read(given)
    if not isinstance(result, Mapping):
        raise Refuted("the result is not an object")
    fair = _object(result, "fairness") if instance.terms.any else None
    if fair is None:
        scale = Fraction(0)
    else:
        steps = fair.get("scale")
        if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= STEPS:
            raise Refuted(f'"fairness.scale" is {steps!r}; it is a number of steps from 0 to {STEPS}')
        scale = Fraction(steps, STEPS)
    part, chosen = _proved(worth_of(instance, scale), result, "the allocation")
    if fair is not None:
        fair = _proved_fairness(instance, fair, scale, part)
    stated = {name: value for name, value in result.items() if name != "seconds"}
    _require_same(stated, {**part, **described(instance, part, chosen, fair)}, "")
    _require_seconds(result.get("seconds"))
    return (
        f"Proved: {part['served']} of {instance.needs} needs are served, which is the most there can be, and no allocation of "
        f"so many is worth more than this one ({part['certificate']['primal']}, the dual value too); its ties are those that "
        f"the seed {instance.seed} settles."
    )


def _proved_fairness(instance: Instance, fair: Mapping[str, Any], scale: Fraction, part: Mapping[str, Any]) -> dict[str, Any]:
    """What a result says of fairness, proved: the plain optimum, that the cap holds, that no larger scale keeps within it."""
    plain, _ = _proved(worth_of(instance, Fraction(0)), _object(fair, "plain"), "the plain optimum")
    allowed = instance.terms.cap * abs(plain["objective"])
    lost = plain["objective"] - part["objective"]
    if lost > allowed:
        raise Refuted(f"fairness costs {lost} of {plain['objective']}, more than the cap of {float(instance.terms.cap)}")
    beyond = None
    if scale < 1:
        worth = worth_of(instance, scale + Fraction(1, STEPS))
        beyond, _ = _proved(worth, _object(fair, "beyond"), "the allocation at the next scale")
        if plain["objective"] - beyond["objective"] <= allowed:
            raise Refuted("the terms of fairness are scaled down further than the cap asks for")
    expected = {"scale": int(scale * STEPS), "cap": float(instance.terms.cap), "lost": lost, "plain": plain, "beyond": beyond}
    _require_same(fair, expected, "fairness.")
    return expected


def _proved(worth: Worth, stated: Mapping[str, Any], what: str) -> tuple[dict[str, Any], Integers]:
    """An allocation with everything that follows from it, and its arcs. Raises Refuted where it is not the best."""
    import numpy

    chosen = _arcs(worth, stated.get("assignment"), what)
    loads = numpy.bincount(worth.instance.organization[chosen], minlength=worth.instance.organizations)
    prices = _prices(worth, _object(stated, "certificate").get("prices"))
    dual, primal = dual_value(worth, prices), worth.of(chosen, loads) + worth.serving * int(chosen.size)
    if dual != primal:
        raise Refuted(f"{what} is not proved: its worth is {primal}, the dual value of the prices {dual}")
    try:
        part = part_of(worth, chosen)
    except NotOptimal:
        raise Refuted(f"{what} is not the one that the seed settles: its tie numbers are not the most") from None
    if part["certificate"]["ties"]["gap"]:
        raise Refuted(f"{what} is not the one that the seed settles: its tie numbers are not shown to be the most")
    return part, chosen


def _arcs(worth: Worth, assignment: Any, what: str) -> Integers:
    """The arcs of an assignment: of several between the same two, the one with the best score."""
    import numpy

    instance = worth.instance
    if not isinstance(assignment, Sequence) or isinstance(assignment, str) or len(assignment) != instance.needs:
        raise Refuted(f'{what}: "assignment" is not a list of {instance.needs} entries')
    for need, one in enumerate(assignment):
        if one is not None and (type(one) is not int or not 0 <= one < instance.organizations):
            raise Refuted(f"{what}: need {need} is assigned to {one!r}, which is no organization's position")
    gets = numpy.fromiter((-1 if one is None else one for one in assignment), dtype=numpy.int64, count=instance.needs)
    unkept = numpy.flatnonzero((instance.pin >= 0) & (instance.pin != gets))
    if unkept.size:
        need = int(unkept[0])
        pinned_to = int(instance.pin[need])
        raise Refuted(f"{what}: need {need} is pinned to organization {pinned_to} and assigned to {assignment[need]}")
    fits = numpy.flatnonzero(instance.open_ & (gets[instance.need] == instance.organization))
    order = fits[numpy.lexsort((-instance.score[fits], instance.need[fits]))]
    needs, first = numpy.unique(instance.need[order], return_index=True)
    chosen = order[first]
    strange = numpy.setdiff1d(numpy.flatnonzero(gets >= 0), needs)
    if strange.size:
        need = int(strange[0])
        raise Refuted(f"{what}: need {need} is assigned to organization {assignment[need]}, which is no open arc")
    loads = numpy.bincount(instance.organization[chosen], minlength=instance.organizations)
    full = numpy.flatnonzero(loads > instance.capacity)
    if full.size:
        at = int(full[0])
        raise Refuted(f"{what}: organization {at} has {int(loads[at])} needs and a capacity of {int(instance.capacity[at])}")
    return numpy.sort(chosen)


def _prices(worth: Worth, stated: Any) -> Integers:
    count = worth.instance.organizations
    if not isinstance(stated, Sequence) or isinstance(stated, str) or len(stated) != count:
        raise Refuted(f'"certificate.prices" is not a list of {count} whole numbers')
    try:
        return integers(stated, "certificate.prices")
    except ValueError as error:
        raise Refuted(str(error)) from None


def _object(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    if not isinstance(found, Mapping):
        raise Refuted(f'the result has no "{name}"')
    return found


def _require_same(stated: Any, expected: Any, where: str) -> None:
    """Raises Refuted, naming the first place where what is stated is not what is expected."""
    if isinstance(expected, Mapping) and isinstance(stated, Mapping):
        for name in (*expected, *(name for name in stated if name not in expected)):
            if name not in stated:
                raise Refuted(f'the result has no "{where}{name}"')
            if name not in expected:
                raise Refuted(f'the result has a "{where}{name}", which nothing proves')
            _require_same(stated[name], expected[name], f"{where}{name}.")
    elif isinstance(expected, list) and isinstance(stated, Sequence) and len(stated) == len(expected):
        for at, (one, other) in enumerate(zip(stated, expected, strict=True)):
            if one != other or isinstance(one, bool):
                raise Refuted(f'"{where.rstrip(".")}" says {one!r} at position {at}; it is {other!r}')
    elif stated != expected or isinstance(stated, bool):
        raise Refuted(f'"{where.rstrip(".")}" is {stated!r}; it is {expected!r}')


def _require_seconds(stated: Any) -> None:
    if not isinstance(stated, Mapping) or not all(isinstance(one, int | float) and one >= 0 for one in stated.values()):
        raise Refuted('"seconds" is not an object of numbers by phase')
