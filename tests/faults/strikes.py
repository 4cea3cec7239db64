"""The faults, in the order in which they are run."""

from __future__ import annotations

from shared.messaging.steps import LABELS
from tests.faults import poison
from tests.faults.fault import NOW, SHARED, SOLE, Fault
from tests.faults.on_deliveries import add_poison, deliver_often, reorder
from tests.faults.on_processes import kill, kill_at_step, pause, rolling_restart
from tests.faults.on_redis import cut_or_slow, flush, kill_redis, lose_replies, set_back

FAULTS = (
    Fault("T1", "kill -9 at random", kill),
    Fault("T2", "kill -9 at every step", kill_at_step, rounds=len(LABELS), pace=(0.0, 0.1)),
    Fault("T3", "kill -9 of Redis", kill_redis, pace=(0.3, 1.5)),
    Fault("T4", "FLUSHALL", flush, pace=(0.2, 1.0)),
    Fault("T4", "FLUSHALL, two replicas", flush, replicas=2, settings=SHARED, pace=(0.0, 0.5)),
    Fault("T4", "Redis set back to an older copy", set_back, pace=(0.2, 0.5)),
    Fault("T6", "rolling SIGTERM restarts", rolling_restart, replicas=2, settings=SHARED),
    Fault("T7", "replies lost after success", lose_replies, proxied="redis", pace=NOW),
    Fault("T8", "partitions and slow links", cut_or_slow, proxied="redis", rounds=2),
    Fault("T11", "delivered 2–5 times at once", deliver_often, replicas=2, settings=SHARED, pace=NOW),
    Fault("T12", "reordered within 100", reorder, variant="reordered", settings={**SOLE, "sweep_age": 0}),
    Fault("T13", "consumer paused, then continued", pause, replicas=2, settings={**SHARED, "claim_idle": 0.5}),
    Fault("T16", "1 % poison", add_poison, pace=NOW, rounds=len(poison.KINDS)),
)
