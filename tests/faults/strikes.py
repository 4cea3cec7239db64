"""The faults, in the order in which they are run."""

from __future__ import annotations

from dataclasses import replace

from shared.messaging.steps import EVERY_DAY, HEALING, REPLAYING, TRIMMING
from tests.faults import poison
from tests.faults.claiming import claim_at_once
from tests.faults.fault import NOW, SHARED, SOLE, Fault
from tests.faults.lives import LASTS, live_through_kills
from tests.faults.lives_joining import join_through_kills
from tests.faults.on_commands import adverse_order, fix_a_bug, roll_back
from tests.faults.on_databases import STOPPED, stop_database
from tests.faults.on_deliveries import add_poison, deliver_often, race, reorder
from tests.faults.on_listeners import late_listener, rebuild, trim_while_stopped
from tests.faults.on_processes import (
    kill,
    kill_at_step,
    kill_while_healing,
    kill_while_replaying,
    kill_while_trimming,
    pause,
    rolling_restart,
)
from tests.faults.on_redis import REFUSALS, REFUSED, cut_or_slow, flush, kill_redis, refuse, set_back
from tests.faults.on_replies import lose_commits, lose_replies
from tests.faults.rebuilding import rebuild_the_four

COMMITS = Fault(
    "T7",
    "replies of COMMIT lost",
    lose_commits,
    proxied="database",
    databases=("postgresql",),
    because="SQLite's COMMIT is a call within the process: there is no wire on which a reply could be lost",
    pace=NOW,
)

FAULTS = (
    Fault("T1", "kill -9 at random", kill),
    Fault("T1", "kill -9 at random; effects at once", kill, variant="at once"),
    Fault("T1", "kill -9 of the four services", scene=live_through_kills, takes=LASTS),
    Fault("T1", "kill -9: joining, expiry, merging", scene=join_through_kills, takes=LASTS),
    Fault("T2", "kill -9 at every step", kill_at_step, rounds=len(EVERY_DAY), pace=(0.0, 0.1)),
    Fault(
        "T2", "kill -9 at every step; effects at once", kill_at_step, rounds=len(EVERY_DAY), pace=(0.0, 0.1), variant="at once"
    ),
    Fault("T2", "kill -9 while healing", kill_while_healing, rounds=len(HEALING), pace=(0.0, 0.1)),
    Fault("T2", "kill -9 while trimming", kill_while_trimming, rounds=len(TRIMMING), pace=(0.0, 0.1)),
    Fault("T2", "kill -9 while replaying", kill_while_replaying, rounds=len(REPLAYING), pace=(0.0, 0.1)),
    Fault("T3", "kill -9 of Redis", kill_redis, pace=(0.3, 1.5)),
    Fault("T4", "FLUSHALL", flush, pace=(0.2, 1.0)),
    Fault("T4", "FLUSHALL, two replicas", flush, replicas=2, settings=SHARED, pace=(0.0, 0.5)),
    Fault("T4", "Redis set back to an older copy", set_back, pace=(0.2, 0.5)),
    Fault("T4", "set back; effects at once", set_back, pace=(0.2, 0.5), variant="at once"),
    Fault("T6", "rolling SIGTERM restarts", rolling_restart, replicas=2, settings=SHARED),
    Fault("T7", "replies lost after success", lose_replies, proxied="redis", pace=NOW),
    COMMITS,
    replace(COMMITS, what=f"{COMMITS.what}; effects at once", variant="at once"),
    Fault("T8", "partitions and slow links", cut_or_slow, proxied="redis", rounds=2),
    Fault("T10", "NOPERM, READONLY, OOM", refuse, rounds=len(REFUSALS), takes=len(REFUSALS) * REFUSED, pace=NOW),
    Fault("T11", "delivered 2–5 times at once", deliver_often, replicas=2, settings=SHARED, pace=NOW),
    Fault("T11", "delivered often; effects at once", deliver_often, replicas=2, settings=SHARED, pace=NOW, variant="at once"),
    Fault("T12", "reordered within 100", reorder, variant="reordered", settings={**SOLE, "sweep_age": 0}),
    Fault("T13", "consumer paused, then continued", pause, replicas=2, settings={**SHARED, "claim_idle": 0.5}),
    Fault("T14", "a backlog and a late listener", late_listener, pace=NOW, takes=40),
    Fault("T15", "trimming against a stopped listener", trim_while_stopped, rounds=2),
    Fault("T16", "1 % poison", add_poison, pace=NOW, rounds=len(poison.KINDS)),
    Fault("T20", "organizations claim one project", scene=claim_at_once, takes=20),
    Fault("republish", "an emptied listener is rebuilt", rebuild),
    Fault("republish", "the four services, emptied, are rebuilt", scene=rebuild_the_four, takes=30),
    Fault("relays", "two relays at once", race, replicas=2, settings={**SHARED, "sweep_age": 0}, pace=NOW),
    Fault("stop", "a stopped database", stop_database, rounds=2, takes=STOPPED * 4 / 3, own=True),
    Fault("rollback", "told, then rolled back or slow", roll_back),
    Fault("bug", "a bug, mended and replayed", fix_a_bug),
    Fault("deadlock", "several subjects in adverse order", adverse_order, replicas=2, settings=SHARED, errors=False),
)
