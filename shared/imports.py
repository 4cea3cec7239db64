"""Import of tables: one kind of CSV file, known by its header, one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.access import Caller
    from shared.messaging import Transaction


@dataclass(frozen=True)
class Import:
    """A kind of CSV file a service takes in. `columns` is its header; `row(tx, caller, community, values)` does one row
    through the service's own actions and raises a Problem for a bad one."""

    name: str
    columns: tuple[str, ...]
    row: Callable[[Transaction, Caller, str, Mapping[str, str]], None]
