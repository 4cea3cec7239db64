"""What a service may do in Redis, as rules of its access control lists (ACL).

A service writes its own streams alone. Of those it hears it reads, and moves its own place in them; it adds, deletes and trims
nothing there. Access control lists know keys and commands, not the names of groups: whoever may read a stream in a group could
read it in another's, so nobody but the services gets these rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.messaging.streams import epoch_of

CONNECTING = (
    "+auth +hello +ping +select +reset +quit +info +time"
    " +client -client|kill -client|list -client|no-evict -client|pause -client|unblock -client|unpause"
)
"""What concerns a connection itself; by subtraction, for Redis 7.0 has no CLIENT SETINFO to name, and clients send it."""
WRITING = "+xadd +xtrim +xrange +xpending +xinfo|groups +exists +get +mget +set"
"""On its own streams and their epoch keys: telling, healing, housekeeping."""
HEARING = (
    "+xreadgroup +xack +xautoclaim +xpending +xrange +xinfo|stream +xinfo|groups +xinfo|consumers"
    " +xgroup|create +xgroup|setid +xgroup|delconsumer"
)
"""On the streams that it hears."""


def rules(writes: Sequence[str], hears: Sequence[str]) -> str:
    """The rules of a service that writes and hears these streams, without its password; for Redis 7.0 or later (selectors)."""
    keys = " ".join(f"~{key}" for stream in writes for key in (stream, epoch_of(stream)))
    heard = " ".join(f"~{stream}" for stream in hears)
    selector = f" ({HEARING} {heard})" if hears else ""
    return f"resetkeys resetchannels -@all {CONNECTING} {WRITING} {keys}{selector}"
