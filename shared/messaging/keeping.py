"""Whether Redis keeps what it is given. What it loses is sent again from the outbox, but it need not be lost."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError

from shared import logs

log = logs.get("broker")


async def warn_of_losses(client: Any) -> None:
    """Say once, at the start, where this Redis is set to lose facts. A Redis that does not tell its settings is left alone."""
    try:
        memory, persistence = await client.info("memory"), await client.info("persistence")
    except RedisError:
        return
    if memory.get("maxmemory") and memory.get("maxmemory_policy", "noeviction") != "noeviction":
        log.warning(
            "Redis is set to drop keys when its memory is full; a key here is a whole stream; its facts are sent again, at a "
            "price; set maxmemory-policy noeviction",
            policy=memory["maxmemory_policy"],
        )
    if not persistence.get("aof_enabled"):
        log.warning(
            "Redis keeps no append-only file; a restart of it loses every stream; the facts are sent again, at a price; set "
            "appendonly yes"
        )
