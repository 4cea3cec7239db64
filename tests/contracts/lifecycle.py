"""Tries a life cycle over HTTP: every transition its table has is done and told once, every other one is refused and told
never. For the services' own tests: they say how a thing is born and how each verb is called."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from httpx import Response
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from shared.lifecycle import LifeCycle
from shared.messaging import tables
from shared.messaging.testing import Harness


@dataclass(frozen=True)
class Subject:
    """One thing that lives: its id, how each verb is called on it, and what is done before a verb that needs more than the
    status (a claim needs an open meeting). What happens of itself is done without an answer."""

    id: str
    do: Callable[[str], Response | None]
    prepare: Callable[[str, str], None] = lambda status, verb: None


@dataclass(frozen=True)
class Life:
    """A life cycle to be tried. `bear` makes a thing in the status `born`; `ways_in` are the verbs that made it, `by_itself`
    those that no caller has (a timer's), and `brought` those that something else brings about: they are done where the table
    has them, and cannot be tried elsewhere."""

    harness: Harness
    cycle: LifeCycle
    bear: Callable[[], Subject]
    born: str
    ways_in: Collection[str] = ()
    by_itself: Collection[str] = field(default=())
    brought: Collection[str] = field(default=())

    @property
    def verbs(self) -> list[str]:
        """The verbs that can be tried on a thing that lives."""
        return sorted({verb for _, verb in self.cycle} - set(self.ways_in) - set(self.by_itself))

    def told(self, subject: str) -> int:
        """How many facts were told of a subject."""
        table = tables.subject_sequences
        with self.harness.session() as session:
            return session.execute(sa.select(table.c.last).where(table.c.subject == subject)).scalar_one_or_none() or 0

    def attempt(self, subject: Subject, status: str, verb: str) -> str:
        """Try a verb; returns the status after it. Raises AssertionError where the table says otherwise."""
        after = self.cycle.get((status, verb))
        if after is None and verb in self.brought:
            return status
        subject.prepare(status, verb)
        before = self.told(subject.id)
        answer = subject.do(verb)
        told = self.told(subject.id) - before
        if after is None:
            assert answer is not None
            assert answer.status_code in (404, 409), f"{verb} of one that is {status}: {answer.status_code} {answer.text}"
            problem = answer.json()
            assert problem["type"].startswith("urn:fenghe:problem:"), problem
            assert problem["detail"].endswith("."), problem
            assert told == 0, f"{verb} of one that is {status} was refused, and told"
            return status
        assert answer is None or answer.is_success, f"{verb} of one that is {status}: {answer.text}"
        assert told == 1, f"{verb} of one that is {status} told {told} facts"
        return after

    def try_everything(self) -> int:
        """From every status that can be reached, every verb; returns how many transitions were tried."""
        tried = 0
        for status, path in self._paths().items():
            subject = self._lead(path)
            for verb in self.verbs:
                if (status, verb) in self.cycle:
                    self.attempt(self._lead(path), status, verb)
                else:
                    self.attempt(subject, status, verb)
                tried += 1
        return tried

    def wander(self, examples: int = 10, steps: int = 12) -> None:
        """Verbs in any order, as Hypothesis finds them."""
        life = self

        class Wandering(RuleBasedStateMachine):
            @initialize()
            def is_born(self) -> None:
                self.subject, self.status = life.bear(), life.born

            @rule(verb=st.sampled_from(life.verbs))
            def try_it(self, verb: str) -> None:
                self.status = life.attempt(self.subject, self.status, verb)

        rules: Any = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Wandering, settings=rules)

    def _paths(self) -> dict[str, list[str]]:
        """For every status the verbs that lead to it, the fewest."""
        paths: dict[str, list[str]] = {self.born: []}
        waiting = [self.born]
        while waiting:
            status = waiting.pop(0)
            for (before, verb), after in self.cycle.items():
                if before == status and verb in self.verbs and after not in paths:
                    paths[after] = [*paths[status], verb]
                    waiting.append(after)
        return paths

    def _lead(self, path: list[str]) -> Subject:
        subject, status = self.bear(), self.born
        for verb in path:
            status = self.attempt(subject, status, verb)
        return subject
