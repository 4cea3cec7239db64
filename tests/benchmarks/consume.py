"""Facts a second of one consumer process: two queues and FastStream (they parse the fact; no inbox, no transaction), a loop
written by hand, and the kit with every guarantee on. The last two keep a row and tell a fact for each fact heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial

from shared.events.registry import AgreementSigned
from shared.identifiers import new_id
from shared.logs import new_traceparent
from shared.messaging import entries
from tests.benchmarks import by_hand
from tests.benchmarks.ground import Ground, count, cpu_seconds, databases, thread_seconds
from tests.benchmarks.listener import Table
from tests.benchmarks.measure import Row

FACTS, PLAIN = 20_000, 5_000
"""How many facts a run handles; of the slow ones, a quarter of it."""
SUBJECTS = 2_000
WARM = 0.2
"""The part of them that warms up and is not counted."""
HUEY = ["-m", "huey.bin.huey_consumer", "tests.benchmarks.rivals.huey", "-w", "1"]
TASKIQ = ["-m", "taskiq", "worker", "tests.benchmarks.rivals:taskiq", "--workers", "1"]
"""Workers as their documentation starts them; each logs each task, as the kit logs each batch."""


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: facts/s of each; ratios to the hand-written loop on the same database, and to the faster queue."""
    with Ground() as ground:
        facts, plain = (round(number * scale) for number in (FACTS, PLAIN))
        contestants: dict[str, Callable[[], tuple[float, ...]]] = {
            "huey": partial(_plain, ground, "huey", HUEY, plain),
            "taskiq": partial(_plain, ground, "taskiq", TASKIQ, plain),
            "huey, its log off": partial(_plain, ground, "huey", [*HUEY, "-q", "-n"], plain),
            "FastStream, one at a time": partial(_plain, ground, "faststream", rivals_call("faststream(1)"), plain),
            "FastStream, batch of 100": partial(_plain, ground, "faststream", rivals_call("faststream(100)"), facts),
        }
        kinds = databases()
        for kind in kinds:
            contestants[f"written by hand, on {kind}"] = partial(_by_hand, ground, kind, facts)
            contestants[f"the kit on {kind}"] = partial(_kit, ground, kind, facts)
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        costs: dict[str, list[tuple[float, ...]]] = {name: [] for name in contestants}
        for _ in range(runs):
            for name, contestant in contestants.items():
                rate, *cost = contestant()
                rates[name].append(rate)
                costs[name].append(tuple(cost))
    rows = {name: Row.of(name, "facts/s", values) for name, values in rates.items()}
    yield from rows.values()
    queue = max(list(rows.values())[:2], key=lambda row: row.median)
    for kind in kinds:
        for name in (f"written by hand, on {kind}", f"the kit on {kind}"):
            yield Row.of(f"{name}: processor time of its process", "µs a fact", [whole for whole, _ in costs[name]])
        loops = [loop for _, loop in costs[f"the kit on {kind}"]]
        yield Row.of(f"the kit on {kind}: of it, the event loop (FastStream, redis-py)", "µs a fact", loops)
    for kind in kinds:
        ours, hand = f"the kit on {kind}", f"written by hand, on {kind}"
        yield Row.ratios(f"the kit to the loop written by hand, on {kind} (aim: 0.7)", rates[ours], rates[hand])
        yield Row.ratios(
            f"the kit on {kind} to the faster queue, {queue.what.split()[0]} (aim: 4)", rates[ours], rates[queue.what]
        )


def fill(ground: Ground, facts: int) -> None:
    """This many facts more on registry's stream, and the listener's group at its beginning."""
    told = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    with ground.redis.pipeline(transaction=False) as pipeline:
        for n in range(facts):
            fact = sample(n % SUBJECTS)
            row = {
                "id": new_id(),
                "source": fact.source(),
                "type": fact.type,
                "subject": fact.subject,
                "sequence": n // SUBJECTS + 1,
                "community": fact.community,
                "time": told,
                "traceparent": new_traceparent(),
                "dataschema": fact.schema_path(),
                "data": fact.model_dump_json(),
            }
            pipeline.xadd(by_hand.HEARD, entries.fields_of(row))
            if n % 1000 == 999:
                pipeline.execute()
        pipeline.execute()
    if not ground.redis.xinfo_groups(by_hand.HEARD):
        ground.redis.xgroup_create(by_hand.HEARD, by_hand.GROUP, id="0")


def sample(n: int) -> AgreementSigned:
    """The n-th subject's fact."""
    return AgreementSigned(
        community="0199a000-0000-7000-8000-000000000001",
        agreement=f"0199a000-0000-7000-8000-{n:012d}",
        organization="0199a000-0000-7000-8000-000000000003",
        items=("plumbing-electrical", "locksmith"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        status="in-force",
    )


def told_rate(ground: Ground, facts: int) -> float:
    """Facts told a second, of the last `facts` those after the warm-up, by the clock of Redis: what their entries' ids say."""
    counted = round(facts * (1 - WARM))
    ids = [id for id, _ in ground.redis.xrevrange(by_hand.TOLD, count=counted)]
    ended, began = (int(id.split(b"-")[0]) for id in (ids[0], ids[-1]))
    return (counted - 1) * 1000 / (ended - began)


def _by_hand(ground: Ground, kind: str, facts: int) -> tuple[float, ...]:
    ground.redis.flushall()
    fill(ground, facts)
    with ground.database(kind, Table.metadata) as url:
        return _measured(ground, url, facts, ["-m", "tests.benchmarks.by_hand", ground.redis_url, url])


def _kit(ground: Ground, kind: str, facts: int) -> tuple[float, ...]:
    ground.redis.flushall()
    fill(ground, facts)
    with ground.database(kind, Table.metadata) as url:
        settings = ground.settings("feedback", url).model_dump_json()
        return _measured(ground, url, facts, ["-m", "tests.benchmarks.listener", settings])


def _measured(ground: Ground, url: str, facts: int, command: list[str]) -> tuple[float, ...]:
    with ground.process(command) as process:
        ground.until("it is warm", lambda: ground.redis.xlen(by_hand.TOLD) >= facts * WARM, process)
        before, spent, loop = ground.redis.xlen(by_hand.TOLD), cpu_seconds(process.pid), thread_seconds(process.pid)
        ground.until("every fact is told", lambda: ground.redis.xlen(by_hand.TOLD) >= facts, process)
        spent, loop = cpu_seconds(process.pid) - spent, thread_seconds(process.pid) - loop
        ground.until("every fact is marked", lambda: count(url, "outbox WHERE entry_id IS NOT NULL") == [facts], process)
    assert count(url, "inbox", "outbox", "agreements") == [facts, facts, min(facts, SUBJECTS)]
    assert ground.redis.xpending(by_hand.HEARD, by_hand.GROUP)["pending"] == 0
    each = 1e6 / max(1, facts - before)
    return told_rate(ground, facts), spent * each, loop * each


def _plain(ground: Ground, name: str, worker: list[str], facts: int) -> tuple[float]:
    ground.redis.flushall()
    environment = {
        "BENCH_REDIS_URL": ground.redis_url,
        "BENCH_WARM": str(round(facts * WARM)),
        "BENCH_COUNT": str(facts),
    }
    with ground.process(rivals_call(f"fill({name!r}, {sample(1).model_dump_json()!r})"), **environment) as process:
        process.wait()
    with ground.process(worker, **environment) as process:
        ground.until(f"{name} is done", lambda: ground.redis.llen("bench:moments") == 2, process)
    (first, began), (last, ended) = (map(float, moment.split()) for moment in ground.redis.lrange("bench:moments", 0, -1))
    return ((last - first) / (ended - began),)


def rivals_call(call: str) -> list[str]:
    # Not `-m`: as `__main__` its tasks would have other names.
    return ["-c", f"import asyncio; from tests.benchmarks import rivals; asyncio.run(rivals.{call})"]
