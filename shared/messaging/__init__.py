"""The kit: every decision that was acknowledged is told; every fact takes effect exactly once at each listener, in any
order, over any crash; what cannot be handled is kept with its cause and can be replayed."""

from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction

__all__ = ["Handlers", "Transaction"]
