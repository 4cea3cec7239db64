"""Life cycles: a thing's status, and the verbs that move it on, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from shared.problems import Conflict

LifeCycle = Mapping[tuple[str, str], str]
"""(status before, verb) → status after; what is not in it cannot be done."""


def follow(cycle: LifeCycle, thing: str, status: str, verb: str) -> str:
    """The status of a thing after a verb. Raises Conflict (`offer-withdrawn`) where its status does not allow it."""
    after = cycle.get((status, verb))
    if after is None:
        allowed = " or ".join(dict.fromkeys(before for before, name in cycle if name == verb))
        raise Conflict(f"{thing}-{status}", f"This {thing} is {status}; to {verb} it, it must be {allowed}.", "status")
    return after
