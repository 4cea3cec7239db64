"""The changelog of the contract with whoever listens: which type of fact was released when, and what it gained since.

Written by `python -m tests.contracts.release` into `changes.jsonl`, line by line, never changed afterwards.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

PATH = Path(__file__).parent / "changes.jsonl"

Kind = Literal["released", "gained", "made-public"]


@dataclass(frozen=True)
class Change:
    """On a day (ISO 8601), a type of fact was released, or made public, or gained a field (its path, such as
    `compounds[].id`)."""

    on: str
    type: str
    change: Kind
    public: bool
    field: str = ""


def changes() -> list[Change]:
    """All of them, oldest first."""
    return [Change(**json.loads(line)) for line in PATH.read_text().splitlines()]


def write(all: list[Change]) -> None:
    """Write the file again, by day and type."""
    ordered = sorted(all, key=lambda change: (change.on, change.type, change.change, change.field))
    PATH.write_text("".join(json.dumps(asdict(change)) + "\n" for change in ordered))
