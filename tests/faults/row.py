"""A row of the table: what a fault did on a substrate."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Row:
    """What a fault did on a substrate. `recovery`: the slowest, in seconds. `notes`: what the judge and the driver say against
    it; `remarks`: what else they measured; `tried`: each strike."""

    fault: str
    what: str
    substrate: str
    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0
    recovery: float = 0.0
    client_errors: int = 0
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing happened twice, and all came to rest."""
        return not (self.lost or self.twice or self.notes)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
