"""What an allocation is worth at a scale of the terms of fairness, and how far those are scaled down.

The worth of an allocation is N * (sum of its scores) + k * (sum over organizations of the terms for so many needs), with
k/N the scale: whole numbers, so that optima are exact. As a function of an organization's needs the terms are concave: each
further need brings less, or as much. So they are parallel arcs of a min-cost flow (Ahuja, Magnanti & Orlin, Network Flows,
1993, chapter 14).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from services.matching.allocate.instances import Instance

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]

STEPS = 16
"""The terms of fairness are scaled down in so many steps."""


@dataclass(frozen=True)
class Worth:
    """An instance weighed at a scale. `weight` is by arc. A run says what needs number `start` + 1 to `start` + `count` of
    its organization (`run`) bring each: `bonus`, which falls from run to run. `serving` is what a need served is worth
    beside that: so much that no sum of the rest outweighs one need."""

    instance: Instance
    k: int
    n: int
    weight: Integers
    run: Integers
    start: Integers
    count: Integers
    bonus: Integers
    serving: int

    def of(self, chosen: Integers, loads: Integers) -> int:
        """The worth of an allocation, by its arcs and how many needs each organization has."""
        import numpy

        used = numpy.clip(loads[self.run] - self.start, 0, self.count)
        return exact_sum(self.weight[chosen]) + weighted_sum(used, self.bonus)

    def bonus_of(self, number: Integers) -> Integers:
        """What the need of this number brings, by organization; 0 where an organization can have none."""
        import numpy

        found = numpy.zeros(self.instance.organizations, dtype=numpy.int64)
        within = (self.start < number[self.run]) & (number[self.run] <= self.start + self.count)
        found[self.run[within]] = self.bonus[within]
        return found


def worth_of(instance: Instance, scale: Fraction) -> Worth:
    """The instance at a scale (0 to 1) of its terms of fairness."""
    import numpy

    arcs = numpy.bincount(instance.organization[instance.open_], minlength=instance.organizations)
    usable = numpy.minimum(instance.capacity, arcs).astype(numpy.int64)
    everyone = numpy.arange(instance.organizations, dtype=numpy.int64)
    k, n = scale.numerator, scale.denominator
    terms = instance.terms
    if not (k and terms.any):
        k, n = 0, 1
        run, start, count = everyone[usable > 0], numpy.zeros(int((usable > 0).sum()), dtype=numpy.int64), usable[usable > 0]
        bonus = numpy.zeros(run.size, dtype=numpy.int64)
    else:
        units = numpy.repeat(everyone, usable)
        before = numpy.arange(units.size) - numpy.repeat(numpy.cumsum(usable) - usable, usable)
        capacity = instance.capacity[units]
        each = terms.first_project_bonus * (before == 0) - terms.load_cost * before // numpy.maximum(capacity, 1)
        each = k * (each + terms.small_organization_bonus * (capacity <= terms.small_organization_capacity))
        begins = numpy.ones(units.size, dtype=numpy.bool_)
        begins[1:] = (units[1:] != units[:-1]) | (each[1:] != each[:-1])
        at = numpy.flatnonzero(begins)
        run, start, bonus = units[at], before[at], each[at]
        count = numpy.diff(numpy.append(at, units.size))
    weight = instance.score if n == 1 else instance.score * n
    return Worth(instance, k, n, weight, run, start, count, bonus, _serving(instance, weight, bonus, int(usable.sum())))


def _serving(instance: Instance, weight: Integers, bonus: Integers, usable: int) -> int:
    """With any two numbers F < F' of needs served, what is served more outweighs the rest: that of F needs is at most F
    times the most, that of F' at least F' times the least."""
    open_ = weight[instance.open_]
    if not open_.size or not bonus.size:
        return 1
    most, least = int(open_.max()) + int(bonus.max()), int(open_.min()) + int(bonus.min())
    return min(instance.needs, usable) * (most - least) + max(0, -least) + 1


def largest_scale(plain: int, cap: Fraction, objective_at: Callable[[Fraction], int]) -> tuple[Fraction, Fraction | None]:
    """The largest scale, in STEPS, at which fairness costs no more than `cap` of the `plain` optimum's objective; and the
    next larger one, at which it would cost more, None where the scale is 1.

    A larger scale never has a larger sum of scores: the optima of S + t * V for growing t have falling S and growing V. So
    bisection finds it. The loss relative to the plain optimum is the price of fairness of Bertsimas, Farias & Trichakis
    (The Price of Fairness, Operations Research 59(1), 2011)."""

    def is_affordable(steps: int) -> bool:
        return plain - objective_at(Fraction(steps, STEPS)) <= cap * abs(plain)

    if is_affordable(STEPS):
        return Fraction(1), None
    low, high = 0, STEPS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_affordable(middle) else (low, middle)
    return Fraction(low, STEPS), Fraction(high, STEPS)


def exact_sum(values: Integers) -> int:
    """The sum of up to 2^31 values of 64 bits, which need not fit into 64 bits itself."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def weighted_sum(counts: Integers, values: Integers) -> int:
    """The sum of counts times values, exactly; the counts sum up to less than 2^40."""
    high, middle, low = values >> 42, (values >> 21) & 0x1FFFFF, values & 0x1FFFFF
    return (int((counts * high).sum()) << 42) + (int((counts * middle).sum()) << 21) + int((counts * low).sum())
