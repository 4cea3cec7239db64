"""A row of the table: what a fault did to a deployment while requests kept coming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table


@dataclass
class Row:
    """`recovery`: seconds from the end of the fault until everything was ready and whatever clients had begun was done.
    `errors`: answers with 5xx and calls without an answer, each of which the client repeated under its Idempotency-Key; where
    `silent`, there may be none. `calls`, `acknowledged`, `facts`: how many there were. `notes`: what else speaks against it."""

    fault: str
    what: str
    silent: bool = False
    recovery: float = 0.0
    calls: int = 0
    errors: int = 0
    acknowledged: int = 0
    facts: int = 0
    lost: int = 0
    twice: int = 0
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing happened twice, and all came to rest."""
        return not (self.lost or self.twice or self.notes)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "holds": self.holds}


def table(rows: Sequence[Row]) -> Table:
    """All rows, for people."""
    shown = Table("fault", "what", title="Drills")
    for name in ("time to recover (s)", "calls", "client errors", "acknowledged", "facts", "lost", "twice"):
        shown.add_column(name, justify="right")
    for row in rows:
        figures = (row.calls, row.errors, row.acknowledged, row.facts, row.lost, row.twice)
        shown.add_row(row.fault, row.what, f"{row.recovery:.1f}", *map(str, figures))
    return shown
