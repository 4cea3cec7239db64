"""Runs a fault on a substrate and has it judged."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import redis

from shared.access import make_keys
from shared.settings import Settings
from tests.faults.arena import Arena
from tests.faults.fault import Fault
from tests.faults.judge import Evidence, judge
from tests.faults.proxy import POSTGRES, REDIS, Proxy, postgres, socket_in, through, unix
from tests.faults.replica import Gone
from tests.faults.row import Row
from tests.faults.substrates import Substrate
from tests.messaging.child import Table

PATIENCE = 30.0
"""Seconds in which everything must have come to rest again."""


def run(
    fault: Fault,
    substrate: Substrate,
    seed: int,
    seconds: float,
    small: bool = False,
    broken: str = "",
    patience: float = PATIENCE,
) -> Row:
    """Strike again and again for so many seconds, and at least as often as the fault needs. `small`: what is long or large
    is short and small. `broken`: a variant of the kit that must not hold."""
    if fault.scene:
        return fault.scene(substrate, seed, small)
    row = Row(fault.id, fault.what, str(substrate))
    script = f"{seed} {fault.id} {substrate}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder, fault.own))
        url = ground.database("child", Table.metadata)
        seen_url, redis_url, proxy = url, ground.server.url, None
        if fault.proxied == "redis":
            proxy = stack.enter_context(Proxy(folder / "proxy.sock", unix(ground.server.socket), REDIS, script))
            redis_url = proxy.url
        elif fault.proxied == "database" or (fault.own and not ground.cluster and substrate.database == "postgresql"):
            proxy = stack.enter_context(Proxy(socket_in(folder), postgres(url), POSTGRES, script))
            seen_url = through(folder, url)
        make_keys(folder / "keys")
        settings = Settings(
            database_url=seen_url,
            redis_url=redis_url,
            token_keys=str(folder / "keys" / "tokens.jwks.json"),
            **{"retry_first": 0.01, "sweep_age": 0.5, **fault.settings},
        )
        arena = Arena(settings, ground, url, fault.replicas, broken or fault.variant, script, patience)
        arena.proxy = proxy
        arena.small = small
        stack.callback(arena.close)
        arena.open()
        _strike(arena, fault, seconds, row)
        if not arena.load.finish(patience):
            row.notes.append(f"clients still waited for an answer after {patience:.0f} s")
        if not arena.quiet():
            row.notes.append(f"not quiet within {patience:.0f} s: {arena.memory.get('quiet')}")
        for replica in arena.running:
            if (code := replica.terminate()) != 0:
                row.notes.append(f"in the end it ended with {code}")
        verdict = judge(
            Evidence(
                acknowledged=frozenset(arena.load.acknowledged),
                refused=frozenset(arena.refused),
                poison=frozenset(arena.poison),
                trimmed=arena.trimmed,
                database_url=url,
                redis_url=ground.server.url,
                listeners=tuple((listener.url, listener.whole) for listener in arena.listeners),
            )
        )
    row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
    row.client_errors, row.remarks = arena.load.errors, arena.remarks
    if row.client_errors and not fault.errors:
        row.notes.append(f"a client saw an error: {arena.load.last_error}")
    row.notes += [*arena.notes, *verdict.lost[:3], *verdict.twice[:3]]
    return row


def _strike(arena: Arena, fault: Fault, seconds: float, row: Row) -> None:
    deadline, rounds = time.monotonic() + seconds, 0
    while rounds < fault.rounds or time.monotonic() < deadline:
        time.sleep(arena.chance.uniform(*fault.pace))  # the pace of the strikes
        try:
            assert fault.strike
            times, since = fault.strike(arena)
            row.times += times
            row.recovery = max(row.recovery, round(arena.recovery(since), 2))
        except (Gone, TimeoutError, redis.RedisError) as error:
            arena.notes.append(f"{type(error).__name__}: {error}")
        rounds += 1
        if arena.notes:  # it has failed already: what is left is to judge what is there
            return
