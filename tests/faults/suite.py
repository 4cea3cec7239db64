"""Runs a fault on a substrate and has it judged."""

from __future__ import annotations

import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import redis

from shared.access import make_keys
from shared.settings import Settings
from tests.faults.arena import Arena
from tests.faults.calling import Gone
from tests.faults.fault import Fault
from tests.faults.judge import Evidence, judge
from tests.faults.proxy import Proxy, postgres, socket_in, through, unix
from tests.faults.row import Row
from tests.faults.substrates import Substrate
from tests.messaging.child import Table

PATIENCE = 60.0
"""Seconds in which everything must have come to rest again."""


def run(
    fault: Fault,
    substrate: Substrate,
    seed: int,
    seconds: float,
    small: bool = False,
    broken: str = "",
    patience: float = PATIENCE,
    rest: float = PATIENCE,
) -> Row:
    """Strike again and again for so many seconds, and at least as often as the fault needs. `small`: what is long or large
    is short and small. `broken`: a variant of the kit that must not hold. `patience`, `rest`: seconds to wait for each
    recovery, and for everything to come to rest in the end. Never raises: a run that came to no end does not hold."""
    row = Row(fault.id, fault.what, str(substrate))
    try:
        if fault.scene:
            return fault.scene(substrate, seed, small)
        return _run(fault, substrate, seed, seconds, small, broken, patience, rest, row)
    except Exception as error:  # the others are to be tried all the same
        row.notes.append(f"it came to no end: {type(error).__name__}: {error}"[:300])
        return row


def _run(
    fault: Fault,
    substrate: Substrate,
    seed: int,
    seconds: float,
    small: bool,
    broken: str,
    patience: float,
    rest: float,
    row: Row,
) -> Row:
    script = f"{seed} {fault.id} {substrate}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder, fault.own))
        url = ground.database("child", Table.metadata)
        seen_url, redis_url, proxy = url, ground.server.url, None
        if fault.proxied == "redis":
            proxy = stack.enter_context(Proxy(folder / "proxy.sock", unix(ground.server.socket), script))
            redis_url = proxy.url
        elif fault.proxied == "database" or (fault.own and not ground.cluster and substrate.database == "postgresql"):
            proxy = stack.enter_context(Proxy(socket_in(folder), postgres(url), script))
            seen_url = through(folder, url)
        make_keys(folder / "keys")
        settings = Settings(
            database_url=seen_url,
            redis_url=redis_url,
            token_keys=str(folder / "keys" / "tokens.jwks.json"),
            **{"retry_first": 0.01, "sweep_age": 0.5, **fault.settings},
        )
        arena = Arena(settings, ground, folder, url, fault.replicas, broken or fault.variant, script, patience)
        arena.proxy = proxy
        arena.small = small
        stack.callback(arena.close)
        arena.open()
        _strike(arena, fault, seconds, row)
        if not arena.load.finish(patience):
            row.notes.append(f"clients still waited for an answer after {patience:.0f} s")
        if not arena.quiet(rest):
            row.notes.append(f"not quiet within {rest:.0f} s: {arena.memory.get('quiet')}")
        verdict = judge(
            Evidence(
                acknowledged=frozenset(arena.load.acknowledged),
                refused=frozenset(arena.refused),
                poison=frozenset(arena.poison),
                trimmed=arena.trimmed,
                address=arena.any_replica().address,
                redis_url=ground.server.url,
                listeners=tuple((listener.replica.address, listener.whole) for listener in arena.listeners),
            )
        )
        for replica in arena.running:
            if (code := replica.terminate()) != 0:
                row.notes.append(f"in the end it ended with {code}")
    row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
    row.client_errors, row.remarks, row.tried = arena.load.errors, arena.remarks, arena.tried
    if row.client_errors and not fault.errors:
        row.notes.append(f"a client saw an error: {arena.load.last_error}")
    row.notes += [*arena.notes, *verdict.lost[:3], *verdict.twice[:3]]
    return row


def schedule(fault: Fault, script: str) -> Iterator[tuple[float, random.Random]]:
    """For each round the pause before the strike, and what the strike draws from: of the script and the round alone, so that
    one seed gives one schedule, however fast the machine is."""
    for number in itertools.count():
        chance = random.Random(f"{script} round {number}")
        yield chance.uniform(*fault.pace), chance


def _strike(arena: Arena, fault: Fault, seconds: float, row: Row) -> None:
    assert fault.strike
    deadline = time.monotonic() + seconds
    for rounds, (pause, chance) in enumerate(schedule(fault, arena.seed)):
        if rounds >= fault.rounds and time.monotonic() >= deadline:
            return
        arena.chance = chance
        time.sleep(pause)  # the pace of the strikes
        arena.tried.append(f"after {pause:.2f} s")
        try:
            times, since = fault.strike(arena)
            row.times += times
            row.recovery = max(row.recovery, round(arena.recovery(since), 2))
        except (Gone, TimeoutError, redis.RedisError) as error:
            arena.notes.append(f"{type(error).__name__}: {error}")
        if arena.notes:  # it has failed already: what is left is to judge what is there
            return
