"""The best allocation of an instance, with its certificate and report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from services.matching.allocate import flow
from services.matching.allocate.fairness import STEPS, Worth, exact_sum, largest_scale, worth_of
from services.matching.allocate.instances import Instance, read
from services.matching.allocate.prices import dual_value, face, least_prices, tie_dual_value, tie_prices
from services.matching.allocate.report import report

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]


@dataclass
class Stopwatch:
    """Seconds by phase."""

    seconds: dict[str, float]
    into: str | None = None

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Add what is done within to a phase; or, while `into` is set, to that one."""
        began = time.perf_counter()
        yield
        name = self.into or phase
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


@dataclass(frozen=True)
class Optimum:
    """The best allocation at one scale of the terms of fairness."""

    chosen: Integers
    part: dict[str, Any]

    @property
    def objective(self) -> int:
        """The sum of the scores."""
        return int(self.part["objective"])


def solve(given: Mapping[str, Any] | Instance) -> dict[str, Any]:
    """The result of an instance: see the package. Raises Unsolvable."""
    watch = Stopwatch({})
    with watch("read"):
        instance = given if isinstance(given, Instance) else read(given)
    found = _optimum(instance, Fraction(1), watch)
    fair: dict[str, Any] | None = None
    if instance.terms.any:
        found, fair = _within_the_cap(instance, found, watch)
    with watch("report"):
        told = described(instance, found.part, found.chosen, fair)
    seconds = {phase: round(value, 6) for phase, value in watch.seconds.items()}
    return {**found.part, **told, "seconds": seconds | {"total": round(sum(watch.seconds.values()), 6)}}


def described(instance: Instance, part: Mapping[str, Any], chosen: Integers, fair: dict[str, Any] | None) -> dict[str, Any]:
    """What a result has beside its allocation and certificate."""
    price = 0.0
    if fair is not None:
        plain = fair["plain"]["objective"]
        price = round((plain - part["objective"]) / abs(plain), 6) if plain else 0.0
    figures = {"served": part["served"], "objective": part["objective"], "gap": part["certificate"]["gap"]}
    return {"fairness": fair, "report": figures | {"price_of_fairness": price} | report(instance, chosen)}


def part_of(worth: Worth, chosen: Integers, prices: Integers | None = None) -> dict[str, Any]:
    """An allocation along the `chosen` arcs and its certificate, as a result has them. Raises NotOptimal."""
    import numpy

    instance = worth.instance
    chosen = numpy.sort(chosen)
    assignment: list[int | None] = [None] * instance.needs
    for need, organization in zip(instance.need[chosen].tolist(), instance.organization[chosen].tolist(), strict=True):
        assignment[need] = organization
    loads = numpy.bincount(instance.organization[chosen], minlength=instance.organizations)
    prices = least_prices(worth, chosen) if prices is None else prices
    primal = worth.of(chosen, loads)
    dual = dual_value(worth, prices) - worth.serving * int(chosen.size)
    tie = flow.ties(instance.need, instance.organization, instance.seed)
    even = face(worth, prices)
    fine = tie_prices(worth, even, chosen, tie)
    free = chosen[(instance.pin < 0)[instance.need[chosen]]]
    tied = exact_sum(tie[free])
    return {
        "assignment": assignment,
        "served": int(chosen.size),
        "objective": exact_sum(instance.score[chosen]),
        "certificate": {
            "prices": prices.tolist(),
            "dual": dual,
            "primal": primal,
            "gap": dual - primal,
            "unit": worth.n,
            "serving": worth.serving,
            "ties": {
                "prices": fine.tolist(),
                "dual": (bound := tie_dual_value(worth, even, fine, tie)),
                "gap": bound - tied,
            },
        },
    }


def _optimum(instance: Instance, scale: Fraction, watch: Stopwatch) -> Optimum:
    with watch("build"):
        worth = worth_of(instance, scale)
        solver, free = flow.build(worth)
    with watch("solve"):
        chosen = _with_pins(instance, flow.solve(solver, free))
    del solver, free
    with watch("certificate"):
        prices = least_prices(worth, chosen)
    with watch("ties"):
        chosen = _settled(worth, chosen, prices)
    with watch("certificate"):
        return Optimum(chosen, part_of(worth, chosen, prices))


def _settled(worth: Worth, chosen: Integers, prices: Integers) -> Integers:
    instance = worth.instance
    even = face(worth, prices)
    tie = flow.ties(instance.need, instance.organization, instance.seed)
    served = int(chosen.size) - int((instance.pin >= 0).sum())
    return _with_pins(instance, flow.settle(even.arcs, worth, tie, even.must, even.low, even.high, served))


def _with_pins(instance: Instance, chosen: Integers) -> Integers:
    """The chosen arcs with those of pinned needs, the best one each."""
    import numpy

    if not (instance.pin >= 0).any():
        return chosen
    pinned = numpy.flatnonzero(instance.open_ & (instance.pin >= 0)[instance.need])
    order = numpy.lexsort((-instance.score[pinned], instance.need[pinned]))
    _, first = numpy.unique(instance.need[pinned][order], return_index=True)
    return numpy.concatenate([chosen, pinned[order][first]])


def _within_the_cap(instance: Instance, full: Optimum, watch: Stopwatch) -> tuple[Optimum, dict[str, Any]]:
    """The optimum at the largest scale of the terms of fairness that keeps within the cap, and what proves that."""
    watch.into = "fairness"
    plain = _optimum(instance, Fraction(0), watch)
    known = {Fraction(1): full, Fraction(0): plain}

    def objective_at(scale: Fraction) -> int:
        if scale not in known:
            known[scale] = _optimum(instance, scale, watch)
        return known[scale].objective

    scale, beyond = largest_scale(plain.objective, instance.terms.cap, objective_at)
    watch.into = None
    return known[scale], {
        "scale": scale_of(scale),
        "cap": float(instance.terms.cap),
        "lost": plain.objective - known[scale].objective,
        "plain": plain.part,
        "beyond": None if beyond is None else known[beyond].part,
    }


def scale_of(scale: Fraction) -> int:
    """A scale as results state it: in steps of 1/STEPS."""
    return int(scale * STEPS)
