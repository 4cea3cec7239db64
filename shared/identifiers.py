"""Opaque, time-ordered ids."""

from __future__ import annotations

import os
import threading
import time

_line = threading.Lock()
_last = 0


def new_id() -> str:
    """A new UUIDv7 (RFC 9562) as text: opaque to everyone, ordered by the time it was made, each higher than this process's
    last. The twelve bits after the milliseconds are fractions of one (method 3), and 62 are random."""
    global _last
    moment = time.time_ns() * 4096 // 1_000_000
    with _line:
        _last = moment = max(moment, _last + 1)
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    digits = f"{moment >> 12:012x}7{moment & 0xFFF:03x}{random:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
