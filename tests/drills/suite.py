"""Does a fault to a deployment while clients go on, waits until it has recovered, and has it judged."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from subprocess import TimeoutExpired

from deploy.season import SeasonError
from tests.drills.deployment import SERVICES, Compose
from tests.drills.faults import Fault
from tests.drills.judge import Evidence, judge
from tests.drills.row import Row
from tests.drills.traffic import Traffic
from tests.drills.versions import NEW_FIELD

WARM = 4
"""Requests that came to their end before the fault."""
AFTERWARDS = 4
"""Requests that began after it and came to their end."""
RECOVERED_WITHIN = 180.0


@dataclass
class Before:
    """What the judge had said after the drills before, for it looks at everything since the clients began."""

    acknowledged: int = 0
    facts: int = 0
    said: set[str] = field(default_factory=set)


def drill(fault: Fault, compose: Compose, traffic: Traffic, before: Before, short: bool = False) -> Row:
    """Do it once."""
    row = Row(fault.id, fault.what, fault.silent)
    calls, errors = traffic.errors.calls, len(traffic.errors.seen)
    begun = time.monotonic()
    traffic.start()
    try:
        compose.eventually("requests come to their end", lambda: traffic.finished(begun) >= WARM or bool(traffic.failures))
        row.remarks += fault.strike(compose, traffic, short)
        over = time.monotonic()
        row.recovery = _recovery(compose, traffic, over)
    except (AssertionError, TimeoutExpired) as error:
        row.notes.append(str(error)[-1500:])
    try:
        traffic.stop()
        compose.wait_until_ready()
    except (AssertionError, SeasonError) as error:
        row.notes.append(str(error)[-1500:])
    row.calls, row.errors = traffic.errors.calls - calls, len(traffic.errors.seen) - errors
    if row.errors and fault.silent:
        row.notes.append(f"a client noticed it: {'; '.join(sorted(set(traffic.errors.seen[errors:]))[:5])}")
    row.notes += traffic.failures
    traffic.failures.clear()
    _judge(row, compose, traffic, before)
    return row


def _recovery(compose: Compose, traffic: Traffic, over: float) -> float:
    """Seconds after which every service was ready, and whatever had begun by the end of the fault was done."""
    ready: dict[str, float] = {}

    def recovered() -> bool:
        for service in SERVICES:
            if compose.is_ready(service):
                ready.setdefault(service, time.monotonic())
            else:
                ready.pop(service, None)
        lives = list(traffic.lives)
        begun = [life for life in lives if life.began <= over]
        after = [life for life in lives if life.began > over and life.ended]
        done = all(life.ended for life in begun) and len(after) >= AFTERWARDS
        return bool(traffic.failures) or (len(ready) == len(SERVICES) and done)

    compose.eventually("it has recovered", recovered, RECOVERED_WITHIN)
    moments = [life.ended for life in list(traffic.lives) if life.began <= over and life.ended]
    return max([0.0, *(moment - over for moment in (*moments, *ready.values()))])


def _judge(row: Row, compose: Compose, traffic: Traffic, before: Before) -> None:
    try:
        verdict = judge(Evidence.of(compose, traffic))
    except (AssertionError, TimeoutError) as error:
        row.notes.append(str(error)[-1500:])
        return
    lost, twice = ([said for said in all_said if said not in before.said] for all_said in (verdict.lost, verdict.twice))
    before.said.update(lost, twice)
    row.acknowledged, before.acknowledged = verdict.acknowledged - before.acknowledged, verdict.acknowledged
    row.facts, before.facts = verdict.facts - before.facts, verdict.facts
    row.lost, row.twice = len(lost), len(twice)
    row.notes += [*lost[:5], *twice[:5]]
    if row.fault == "versions":
        fields = verdict.fields["fenghe.request.submitted.v1"]
        if not 0 < fields[NEW_FIELD] < fields["request"]:
            row.notes.append(f"{fields[NEW_FIELD]} of {fields['request']} facts had the new field: not both versions told")
