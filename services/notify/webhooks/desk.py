"""The desk: what many couriers write at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared import logs
from shared.database import is_unavailable
from shared.messaging import Transaction
from shared.service import Host

T = TypeVar("T")

AT_ONCE = 100
"""Operations in one transaction, at most."""

log = logs.get("webhooks")


@dataclass
class _Order:
    operation: Callable[[Transaction], Any]
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Desk:
    """Runs operations on rows, each whole or not at all; those that come while a transaction is under way share the next."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._orders: deque[_Order] = deque()
        self._ordered = asyncio.Event()

    async def ask(self, operation: Callable[[Transaction], T]) -> T:
        """Do `operation(tx)` in some transaction. Raises what it raises. While the database is away it waits."""
        order = _Order(operation)
        self._orders.append(order)
        self._ordered.set()
        result: T = await order.done
        return result

    async def serve(self) -> None:
        """Until cancelled."""
        while True:
            await self._ordered.wait()
            orders = [self._orders.popleft() for _ in range(min(AT_ONCE, len(self._orders)))]
            await self._serve(orders)
            if not self._orders:
                self._ordered.clear()

    async def _serve(self, orders: list[_Order]) -> None:
        try:
            results = await asyncio.to_thread(self._host.run, _together, orders)
        except Exception as error:
            if is_unavailable(error):
                log.warning(
                    "what became of deliveries cannot be written; they wait, none is lost; see that the database runs",
                    kind=type(error).__name__,
                )
                await asyncio.sleep(1)
                self._orders.extendleft(reversed(orders))  # in their order, before those that came meanwhile
            elif len(orders) == 1:
                if not orders[0].done.cancelled():
                    orders[0].done.set_exception(error)
            else:  # one of them spoils it for all
                for order in orders:
                    await self._serve([order])
            return
        for order, result in zip(orders, results, strict=True):
            if not order.done.cancelled():
                order.done.set_result(result)


def _together(tx: Transaction, orders: list[_Order]) -> list[Any]:
    return [order.operation(tx) for order in orders]
