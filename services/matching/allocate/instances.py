"""Instances of the allocation: what may stand in one, read from plain JSON values or arrays, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from services.matching.allocate.refusals import Unsolvable, refuse_unknown

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.int64]

COST_BITS = 60
"""OR-Tools multiplies costs by the number of nodes, in 64 bits; dual values are kept in 64 bits too."""
MOST_NEEDS = 2**31
CAP = Fraction(2, 100)
"""The share of the plain optimum's objective that fairness may cost at most, unless the options state another."""
OPTIONS = (
    "seed",
    "pins",
    "forbidden",
    "first_project_bonus",
    "load_cost",
    "small_organization_bonus",
    "small_organization_capacity",
    "fairness_cap",
)


@dataclass(frozen=True)
class Terms:
    """The terms of fairness, all in points of the scores. An organization's first need brings `first_project_bonus` more;
    its j-th of `capacity` needs costs floor(`load_cost` * (j - 1) / capacity); each need of an organization whose capacity
    is at most `small_organization_capacity` brings `small_organization_bonus` more. `cap`: what all that may cost."""

    first_project_bonus: int = 0
    load_cost: int = 0
    small_organization_bonus: int = 0
    small_organization_capacity: int = 1
    cap: Fraction = CAP

    @property
    def any(self) -> bool:
        """Whether there is a term at all."""
        return bool(self.first_project_bonus or self.load_cost or self.small_organization_bonus)


@dataclass(frozen=True)
class Instance:
    """An instance, checked. Arrays: `capacity` by organization; `need`, `organization`, `score` by arc, arcs in the order of
    needs; `pin` by need, the organization it is pinned to or -1; `open_` by arc: neither forbidden nor beside a pin."""

    needs: int
    capacity: Integers
    need: NDArray[numpy.int32]
    organization: NDArray[numpy.int32]
    score: Integers
    pin: Integers
    open_: NDArray[numpy.bool_]
    seed: int = 0
    terms: Terms = field(default_factory=Terms)

    @property
    def organizations(self) -> int:
        """How many there are."""
        return int(self.capacity.size)

    @cached_property
    def first_arc(self) -> Integers:
        """Where each need's arcs begin, and at last the number of arcs."""
        import numpy

        return numpy.searchsorted(self.need, numpy.arange(self.needs + 1)).astype(numpy.int64)

    @cached_property
    def pinned(self) -> Integers:
        """How many needs are pinned to each organization."""
        import numpy

        return numpy.bincount(self.pin[self.pin >= 0], minlength=self.organizations).astype(numpy.int64)


def read(given: Mapping[str, Any]) -> Instance:
    """An instance from its plain JSON values: see the package. Raises Unsolvable."""
    if not isinstance(given, Mapping):
        raise Unsolvable('the instance is not an object with "needs", "organizations" and "arcs"')
    refuse_unknown(given, ("needs", "organizations", "arcs", "options"), "the instance")
    for name in ("needs", "organizations", "arcs"):
        if name not in given:
            raise Unsolvable(f'the instance has no "{name}"')
    needs, need_ids = _needs(given["needs"])
    capacity, organization_ids = _organizations(given["organizations"])
    columns = given["arcs"]
    if not isinstance(columns, Mapping) or not {"need", "organization", "score"} <= set(columns):
        raise Unsolvable('"arcs" are three columns: {"need": […], "organization": […], "score": […]}')
    refuse_unknown(columns, ("need", "organization", "score"), "arcs")
    options = given.get("options")
    return build(needs, capacity, columns, {} if options is None else options, need_ids, organization_ids)


def read_arrays(arrays: Mapping[str, Any]) -> Instance:
    """An instance from the arrays of a .npz file: `need`, `organization`, `score`, `capacity`; `needs` (their number) where
    it is not the last need with an arc; `options`, a JSON text. Raises Unsolvable."""
    import numpy

    for name in ("need", "organization", "score", "capacity"):
        if name not in arrays:
            raise Unsolvable(f'the file has no array "{name}"')
    known = ("need", "organization", "score", "capacity", "needs", "options")
    refuse_unknown(arrays, known, "the file")
    for name in arrays:
        if name not in known:
            raise Unsolvable(f'the file has an array "{name}", which means nothing here')
    need = integers(arrays["need"], "need")
    needs = int(need.max()) + 1 if need.size else 0
    if "needs" in arrays:
        stated = integers(numpy.atleast_1d(arrays["needs"]), "needs").tolist()
        if len(stated) != 1 or stated[0] < 0:
            raise Unsolvable(f'"needs" is {stated}; it is their number, 0 or more')
        (needs,) = stated
    options: Any = {}
    if "options" in arrays:
        try:
            options = json.loads(str(arrays["options"][()]))
        except (ValueError, RecursionError):
            raise Unsolvable('"options" is not a JSON text') from None
    return build(needs, integers(arrays["capacity"], "capacity"), arrays, options)


def build(
    needs: int,
    capacity: Integers,
    columns: Mapping[str, Any],
    options: Mapping[str, Any],
    need_ids: Sequence[Any] = (),
    organization_ids: Sequence[Any] = (),
) -> Instance:
    """An instance from its columns. Raises Unsolvable."""
    import numpy

    if needs >= MOST_NEEDS:
        raise Unsolvable(f"there are {needs} needs; at most two thousand million can be told apart")
    if capacity.size and int(capacity.min()) < 0:
        at = int(capacity.argmin())
        raise Unsolvable(f"organization {at} has a capacity of {int(capacity[at])}; it is 0 or more")
    need, organization, score = (integers(columns[name], f"arcs.{name}") for name in ("need", "organization", "score"))
    if not need.size == organization.size == score.size:
        sizes = f"{need.size}, {organization.size} and {score.size}"
        raise Unsolvable(f"the columns of arcs have {sizes} entries (need, organization, score); they have as many each")
    _require_positions(need, needs, "need")
    _require_positions(organization, int(capacity.size), "organization")
    if need.size and (need[1:] < need[:-1]).any():
        order = numpy.argsort(need, kind="stable")
        need, organization, score = need[order], organization[order], score[order]
    if not isinstance(options, Mapping):
        raise Unsolvable('"options" is not an object')
    refuse_unknown(options, OPTIONS, "options")
    for name in options:
        if name not in OPTIONS:
            raise Unsolvable(f'there is no option "{name}"; there are {", ".join(OPTIONS)}')
    pins = _pairs(options, "pins", needs, int(capacity.size), need_ids, organization_ids)
    forbidden = _pairs(options, "forbidden", needs, int(capacity.size), need_ids, organization_ids)
    pin, open_ = _settled(need, organization, needs, capacity, pins, forbidden)
    found = Instance(
        needs=needs,
        capacity=capacity,
        need=need.astype(numpy.int32),
        organization=organization.astype(numpy.int32),
        score=score,
        pin=pin,
        open_=open_,
        seed=_whole(options, "seed", 0, most=2**63 - 1),
        terms=_terms(options),
    )
    _require_small(found)
    return found


def integers(values: Any, name: str) -> Integers:
    """A column of whole numbers. Raises Unsolvable, naming the first entry that is none."""
    import numpy

    try:
        found = numpy.asarray(values)
    except (ValueError, OverflowError):
        raise Unsolvable(f'"{name}" is not a column of whole numbers') from None
    if found.ndim != 1:
        raise Unsolvable(f'"{name}" is not a column (one list of whole numbers)')
    if not found.size:
        return numpy.zeros(0, dtype=numpy.int64)
    kind = "b" if isinstance(values, list) and bool in map(type, values) else found.dtype.kind  # numpy takes true for 1
    if kind == "i":
        return found.astype(numpy.int64, copy=False)
    if kind in "uf":
        with numpy.errstate(invalid="ignore"):
            whole = numpy.isfinite(found) & (found == numpy.floor(found)) & (abs(found) < 2**62)
        if whole.all():
            return found.astype(numpy.int64)
        at = int(numpy.flatnonzero(~whole)[0])
    else:
        at = next((i for i, one in enumerate(values) if type(one) is not int or abs(one) >= 2**62), 0)
    strange_one = values[at].item() if isinstance(values[at], numpy.generic) else values[at]
    raise Unsolvable(f'"{name}" has {strange_one!r} at position {at}; it is a column of whole numbers below 2**62')


def _needs(given: Any) -> tuple[int, Sequence[Any]]:
    if isinstance(given, bool) or not isinstance(given, int | Sequence) or isinstance(given, str):
        raise Unsolvable('"needs" is neither a number nor a list of ids')
    if isinstance(given, int):
        if not 0 <= given < MOST_NEEDS:
            raise Unsolvable(f'"needs" is {given}; it is a number from 0 to two thousand million')
        return given, ()
    _require_distinct(given, "needs")
    return len(given), given


def _organizations(given: Any) -> tuple[Integers, Sequence[Any]]:
    import numpy

    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Unsolvable('"organizations" is not a list of {"id", "capacity"}')
    capacity = []
    for at, one in enumerate(given):
        if not isinstance(one, Mapping) or "capacity" not in one:
            raise Unsolvable(f'organization {at} is not an object with "id" and "capacity"')
        refuse_unknown(one, ("id", "capacity"), f"organization {at}")
        stated = one["capacity"]
        if not _is_whole(stated):
            raise Unsolvable(f"organization {at} has a capacity of {stated!r}; it is a whole number")
        capacity.append(min(int(stated), 2**31))
    ids = [one.get("id", at) for at, one in enumerate(given)]
    _require_distinct(ids, "organizations")
    return numpy.asarray(capacity, dtype=numpy.int64), ids


def _require_distinct(ids: Sequence[Any], name: str) -> None:
    seen: dict[Any, int] = {}
    for at, id in enumerate(ids):
        if isinstance(id, Mapping):
            refuse_unknown(id, ("id",), f'"{name}", position {at}')
        if not isinstance(id, str | int):
            raise Unsolvable(f'"{name}" has {id!r} at position {at}; an id is a text or a number')
        if seen.setdefault(id, at) != at:
            raise Unsolvable(f'"{name}" has the id {id!r} twice, at positions {seen[id]} and {at}')


def _require_positions(column: Integers, count: int, name: str) -> None:
    if column.size and not 0 <= int(column.min()) <= int(column.max()) < count:
        import numpy

        at = int(numpy.flatnonzero((column < 0) | (column >= count))[0])
        raise Unsolvable(f"an arc names a position of {name} that does not exist: arc {at} names {int(column[at])} of {count}")


def _pairs(
    options: Mapping[str, Any],
    name: str,
    needs: int,
    organizations: int,
    need_ids: Sequence[Any],
    organization_ids: Sequence[Any],
) -> list[tuple[int, int]]:
    found: dict[tuple[int, int], None] = {}
    given = options.get(name)
    given = () if given is None else given
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Unsolvable(f'"{name}" is not a list of [need, organization]')
    for pair in given:
        one = [pair.get("need"), pair.get("organization")] if isinstance(pair, Mapping) else pair
        if isinstance(one, str) or not isinstance(one, Sequence) or len(one) != 2:
            raise Unsolvable(f'"{name}" has {pair!r}; each is [need, organization], one need with one organization')
        need = _position(one[0], needs, need_ids, f"{name}: need")
        found[need, _position(one[1], organizations, organization_ids, f"{name}: organization")] = None
    return list(found)


def _position(given: Any, count: int, ids: Sequence[Any], name: str) -> int:
    if isinstance(given, str) and given in ids:
        return list(ids).index(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < count:
        raise Unsolvable(f"{name} {given!r} does not exist; there are {count}, by position from 0")
    return given


def _settled(
    need: Integers,
    organization: Integers,
    needs: int,
    capacity: Integers,
    pins: Sequence[tuple[int, int]],
    forbidden: Sequence[tuple[int, int]],
) -> tuple[Integers, NDArray[numpy.bool_]]:
    """The pins by need, and which arcs are open. Raises Unsolvable for pins that contradict something."""
    import numpy

    pin = numpy.full(needs, -1, dtype=numpy.int64)
    open_ = numpy.ones(need.size, dtype=numpy.bool_)
    taken = numpy.zeros(capacity.size, dtype=numpy.int64)

    def arcs_of(one: int, other: int) -> Integers:
        first, last = numpy.searchsorted(need, [one, one + 1])
        found: Integers = first + numpy.flatnonzero(organization[first:last] == other)
        return found

    for one, other in forbidden:
        open_[arcs_of(one, other)] = False
    for one, other in pins:
        if pin[one] >= 0:
            raise Unsolvable(f"need {one} is pinned to two organizations, {int(pin[one])} and {other}")
        mine = arcs_of(one, other)
        if not mine.size or not open_[mine].all():
            raise Unsolvable(f"the pin [{one}, {other}] is no arc of the instance, or is forbidden")
        pin[one] = other
        taken[other] += 1
        first, last = numpy.searchsorted(need, [one, one + 1])
        open_[first:last] &= organization[first:last] == other
    if (taken > capacity).any():
        at = int(numpy.flatnonzero(taken > capacity)[0])
        raise Unsolvable(f"{int(taken[at])} needs are pinned to organization {at}, whose capacity is {int(capacity[at])}")
    return pin, open_


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value == int(value)


def _whole(options: Mapping[str, Any], name: str, otherwise: int, most: int = 2**40) -> int:
    value = options.get(name)
    if value is None:
        return otherwise
    if not _is_whole(value) or not 0 <= value <= most:
        raise Unsolvable(f'the option "{name}" is {value!r}; it is a whole number from 0 to {most}')
    return int(value)


def _terms(options: Mapping[str, Any]) -> Terms:
    cap = options.get("fairness_cap")
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int | float) or not 0 <= cap <= 1):
        raise Unsolvable(f'the option "fairness_cap" is {cap!r}; it is a share from 0 to 1')
    return Terms(
        first_project_bonus=_whole(options, "first_project_bonus", 0),
        load_cost=_whole(options, "load_cost", 0),
        small_organization_bonus=_whole(options, "small_organization_bonus", 0),
        small_organization_capacity=_whole(options, "small_organization_capacity", 1),
        cap=CAP if cap is None else Fraction(str(cap)),
    )


def _require_small(instance: Instance) -> None:
    """Raises Unsolvable unless costs and dual values fit, at the finest scale of the terms of fairness."""
    from services.matching.allocate.fairness import STEPS

    if not instance.score.size:
        return
    terms = instance.terms
    spread = int(instance.score.max()) - min(0, int(instance.score.min()))
    spread += terms.first_project_bonus + terms.load_cost + terms.small_organization_bonus
    nodes = instance.needs + instance.organizations + 2
    steps = STEPS if terms.any else 1
    if (spread + 1) * steps * (nodes + 1) >= 1 << COST_BITS:
        most = (1 << COST_BITS) // (steps * (nodes + 1)) - 1
        raise Unsolvable(f"the scores are too large for an instance of this size: they reach over {spread}, at most {most} fit")
