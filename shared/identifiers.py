"""Opaque, time-ordered ids."""

from uuid6 import uuid7


def new_id() -> str:
    """A new UUIDv7 as text: opaque to everyone, ordered by the time it was made."""
    return str(uuid7())
