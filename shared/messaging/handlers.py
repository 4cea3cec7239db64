"""Which function handles which fact."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import Histogram

from shared.events import CloudEvent, Fact

if TYPE_CHECKING:
    from shared.messaging.transaction import Transaction

HandlerT = TypeVar("HandlerT", bound=Callable[..., None])


@dataclass(frozen=True)
class Handler:
    """A function that handles facts of some classes, one at a time or a batch at once."""

    function: Callable[..., None]
    facts: tuple[type[Fact], ...]
    batch: bool
    prepare: Callable[[], None] | None = None
    at_once: bool = False

    def __call__(self, tx: Transaction, events: Sequence[CloudEvent[Fact]]) -> None:
        if self.batch:
            self.function(tx, list(events))
        else:
            for event in events:
                self.function(tx, event)


class Handlers:
    """A service's table of handlers. `@on(OfferPublished, OfferChanged)` above `def keep_offers(tx, events: list[…])` gives
    the function whole batches; with one `event: CloudEvent[…]` it is called per fact. A fact may have several handlers; they
    share its transaction. `prepare` is called before the transaction begins: it loads what takes long and would hold up
    every other writer. `at_once`: what the service's own commands tell takes effect in their transaction
    (`shared/messaging/at_once.py`), if all handlers of that fact say so. Raises TypeError for both of them together."""

    def __init__(self) -> None:
        self._handlers: list[Handler] = []

    def __call__(
        self, *facts: type[Fact], prepare: Callable[[], None] | None = None, at_once: bool = False
    ) -> Callable[[HandlerT], HandlerT]:
        def register(function: HandlerT) -> HandlerT:
            hints = {name: hint for name, hint in typing.get_type_hints(function).items() if name != "return"}
            if len(hints) != 2:
                raise TypeError(
                    f"{function.__name__} must take an annotated transaction and an annotated fact or list of facts"
                )
            if prepare is not None and at_once:
                raise TypeError(f"{function.__name__} is called within a command, where there is no time to prepare")
            heard: Any = list(hints.values())[1]
            self._handlers.append(Handler(function, facts, typing.get_origin(heard) is list, prepare, at_once))
            return function

        return register

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers)


class Dispatch:
    """Several tables of handlers as one: looks up and runs the handlers of a batch of facts."""

    def __init__(self, tables: Sequence[Handlers]) -> None:
        self._handlers = [handler for table in tables for handler in table]
        self.facts: frozenset[type[Fact]] = frozenset(fact for handler in self._handlers for fact in handler.facts)
        self.at_once = self.facts - {fact for handler in self._handlers if not handler.at_once for fact in handler.facts}
        self.types = frozenset(fact.type for fact in self.facts)
        self.stems = frozenset(type.rpartition(".")[0] for type in self.types)
        self.tellers = sorted({fact.teller for fact in self.facts})

    def hears(self, type: str) -> bool:
        """Whether facts of this type are handled, or looked at: of no type, or of another version than those handled."""
        return type in self.types or not type or type.rpartition(".")[0] in self.stems

    def prepare(self, events: Sequence[CloudEvent[Fact]]) -> None:
        """Load what the handlers of these facts need, outside of any transaction."""
        classes = {type(event.data) for event in events}
        for handler in self._handlers:
            if handler.prepare and classes.intersection(handler.facts):
                handler.prepare()

    def run(self, tx: Transaction, events: Sequence[CloudEvent[Fact]], seconds: Histogram | None = None) -> None:
        """Give each handler its facts, in the order in which they arrived; `seconds` takes how long each took."""
        for handler in self._handlers:
            own = [event for event in events if type(event.data) in handler.facts]
            if not own:
                continue
            if seconds is None:
                handler(tx, own)
            else:
                with seconds.labels(handler.function.__name__).time():
                    handler(tx, own)
