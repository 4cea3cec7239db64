"""Claim, withdraw, pin, forbid, rehearse, ring the bell, confirm, deliver, close and reopen in any order: at most one
organization has the project, what is not in the tables of transitions is refused and told to nobody, and every claim that
stood at a bell is told why."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from services.matching import allocate
from services.matching.models import Allocation, Assignment, Claim, Meeting, Project
from services.matching.rules import MEETING, PROJECT
from shared.messaging import tables
from shared.messaging.testing import Harness
from tests.matching.conftest import Desk
from tests.matching.given import PLUMBING, Town

NAMES = ("甲", "乙", "丙")
NAME = st.sampled_from(NAMES)
WORDS = {"reason": "试"}
MEETING_STEPS = {"open": "opening", "conclude": "conclusion", "confirm": "confirmation", "cancel": "cancellation"}
PROJECT_STEPS = {"deliver": "delivery", "close": "closing", "reopen": "reopening"}


class Claiming(RuleBasedStateMachine):
    """One project through whatever happens to it; `claims` are those that a model says stand."""

    def __init__(self, matching: Harness) -> None:
        super().__init__()
        self.matching = matching
        self.desk = Desk(matching, Town())
        self.town = self.desk.town
        members = [fact for name in NAMES for fact in (self.town.organization(name), self.town.agreement(name, PLUMBING))]
        matching.hear(self.town.opened(), self.town.taxonomy(), *members)
        requests = [self.town.submit(matching) for _ in range(2)]
        assert {self.desk.seen(request["id"])["status"] for request in requests} == {"unmatched"}
        self.id = self.desk.opened()
        self.meeting: str | None = None
        self.claims: set[str] = set()
        self.pairs: dict[str, str] = {}

    def row(self, model: Any, id: str) -> Any:
        with self.matching.session() as session:
            return session.get(model, id)

    def count_told(self) -> int:
        with self.matching.session() as session:
            return int(session.execute(sa.select(sa.func.count()).select_from(tables.outbox)).scalar_one())

    def post(self, path: str, body: Any = None, of: str | None = None, tells: bool = True) -> Any:
        """Ask, and see that what was refused told nothing and said why."""
        before = self.count_told()
        headers = self.desk.station if of is None else self.desk.of(of)
        answer = self.matching.client.post(f"/api/matching/{path}", headers=headers, json=body)
        assert answer.status_code in (200, 201, 409), answer.text
        if answer.status_code == 409:
            assert answer.json()["detail"]
            assert self.count_told() == before
        else:
            assert (self.count_told() > before) == tells
        return answer

    @rule()
    @precondition(lambda self: self.meeting is None)
    def schedule(self) -> None:
        terms = {"community": self.town.community, "title_zh": "会", "title_en": "m", "starts_at": "2020-01-01T00:00:00Z"}
        answer = self.post("meetings", terms | {"projects": [self.id], "objection_days": 0, "seed": 3})
        if answer.status_code == 201:
            self.meeting = answer.json()["id"]
            self.step_of_the_meeting("open")

    @rule(names=st.sets(NAME, min_size=1), wish=st.integers(1, 2))
    def claim_several(self, names: set[str], wish: int) -> None:
        for name in sorted(names):
            self.claim(name, wish)

    @rule(name=NAME, wish=st.integers(1, 2))
    def claim(self, name: str, wish: int) -> None:
        answer = self.post(f"projects/{self.id}/claims", {"wish": wish}, of=name)
        expected = self.is_open() and name not in self.claims
        assert (answer.status_code == 200) == expected, answer.text
        if expected:
            self.claims.add(name)

    @rule(name=NAME)
    def withdraw(self, name: str) -> None:
        answer = self.post(f"projects/{self.id}/claim-withdrawal", of=name)
        expected = self.is_open() and name in self.claims
        assert (answer.status_code == 200) == expected, answer.text
        if expected:
            self.claims.discard(name)
            # What was pinned is a claim that stands, or it is not pinned.
            if self.pairs.get(name) == "pinned":
                del self.pairs[name]

    @rule(name=NAME, kind=st.sampled_from(["pinned", "forbidden"]))
    @precondition(lambda self: self.meeting is not None)
    def pair(self, name: str, kind: str) -> None:
        terms = {"project": self.id, "organization": self.town.id_of(name), "kind": kind, "reason": "试"}
        answer = self.post(f"meetings/{self.meeting}/pairs", terms, tells=False)
        settled = name in self.pairs or (kind == "pinned" and "pinned" in self.pairs.values())
        expected = self.is_open() and name in self.claims and not settled
        assert (answer.status_code == 201) == expected, answer.text
        if expected:
            self.pairs[name] = kind

    @rule(name=NAME)
    @precondition(lambda self: self.meeting is not None)
    def lift(self, name: str) -> None:
        terms = {"project": self.id, "organization": self.town.id_of(name)}
        answer = self.post(f"meetings/{self.meeting}/pair-lifting", terms, tells=False)
        expected = self.is_open() and name in self.pairs
        assert (answer.status_code == 200) == expected, answer.text
        if expected:
            del self.pairs[name]

    @rule()
    @precondition(lambda self: self.meeting is not None)
    def rehearse(self) -> None:
        """It shows what would come out, and changes nothing."""
        before = self.count_told()
        answer = self.matching.client.get(f"/api/matching/meetings/{self.meeting}/rehearsal", headers=self.desk.station)
        assert (answer.status_code == 200) == self.is_open(), answer.text
        assert self.count_told() == before
        if answer.status_code == 200:
            assert {one["organization"] for one in answer.json()["claims"]} == {self.town.id_of(name) for name in self.claims}
            assert answer.json()["binding"] is False

    def is_open(self) -> bool:
        return self.meeting is not None and self.row(Meeting, self.meeting).status == "opened"

    @rule()
    @precondition(lambda self: bool(self.claims))
    def decide(self) -> None:
        for verb in ("conclude", "confirm"):
            if self.meeting is not None:
                self.step_of_the_meeting(verb)

    @rule(verb=st.sampled_from(list(MEETING_STEPS)))
    @precondition(lambda self: self.meeting is not None)
    def step_of_the_meeting(self, verb: str) -> None:
        before = self.row(Meeting, self.meeting).status
        answer = self.post(f"meetings/{self.meeting}/{MEETING_STEPS[verb]}")
        if (before, verb) not in MEETING:
            assert answer.status_code == 409
        if answer.status_code == 409:
            return
        if verb == "conclude":
            self.check_the_result()
        if verb in ("confirm", "cancel"):
            self.meeting, self.claims, self.pairs = None, set(), {}

    def check_the_result(self) -> None:
        """The arcs are the claims that stood at the bell, the pins those that are recorded, and each claim was told why it
        won or lost; anybody can prove it."""
        standing = {self.town.id_of(name) for name in self.claims}
        with self.matching.session() as session:
            solved = sa.select(Allocation).where(Allocation.meeting == self.meeting)  # type: ignore[arg-type]
            allocation = session.execute(solved).scalars().one()
        organizations = [one["id"] for one in allocation.instance["organizations"]]
        arcs = zip(allocation.instance["arcs"]["need"], allocation.instance["arcs"]["organization"], strict=True)
        named = [(allocation.instance["needs"][need], organizations[organization]) for need, organization in arcs]
        assert sorted(named) == sorted((self.id, organization) for organization in standing)
        for option, kind in (("pins", "pinned"), ("forbidden", "forbidden")):
            settled = {organizations[organization] for _, organization in allocation.instance["options"][option]}
            assert settled == {self.town.id_of(name) for name in self.claims if self.pairs.get(name) == kind}
        allocate.check(allocation.instance, allocation.result)
        outcomes = self.matching.client.get(f"/api/matching/meetings/{self.meeting}").json()["outcomes"]
        assert {one["organization"] for one in outcomes} == standing
        assert all(one["reason_zh"] and one["reason_en"] for one in outcomes)
        possible = [name for name in self.claims if self.pairs.get(name) != "forbidden"]
        assert sum(one["won"] for one in outcomes) == min(1, len(possible))
        pinned = {self.town.id_of(name) for name, kind in self.pairs.items() if kind == "pinned"}
        assert not pinned or {one["organization"] for one in outcomes if one["won"]} == pinned

    @rule(verb=st.sampled_from(list(PROJECT_STEPS)))
    def step_of_the_project(self, verb: str) -> None:
        before = self.row(Project, self.id)
        answer = self.post(f"projects/{self.id}/{PROJECT_STEPS[verb]}", None if verb == "deliver" else WORDS)
        if (before.status, verb) not in PROJECT:
            assert answer.status_code == 409
        if answer.status_code == 200 and verb == "close" and before.status == "opened":
            # It was taken off a meeting that had not begun.
            assert not self.claims
            self.meeting, self.pairs = None, {}

    @rule()
    @precondition(lambda self: self.row(Project, self.id).status == "assigned")
    def deliver(self) -> None:
        self.step_of_the_project("deliver")

    @invariant()
    def at_most_one_has_it(self) -> None:
        with self.matching.session() as session:
            held = session.execute(
                sa.select(Assignment).where(Assignment.project == self.id, Assignment.ended_at.is_(None))  # type: ignore
            ).scalars()
            assignments = list(held)
        project = self.row(Project, self.id)
        assert len(assignments) <= 1
        if project.status in ("assigned", "delivered"):
            assert [one.organization for one in assignments] == [project.organization]
        if project.status in ("proposed", "opened"):
            assert not assignments
            assert project.organization is None

    @invariant()
    def nobody_has_what_it_did_not_claim(self) -> None:
        with self.matching.session() as session:
            assigned = set(session.execute(sa.select(Assignment.project, Assignment.organization)))  # type: ignore
            claimed = set(session.execute(sa.select(Claim.project, Claim.organization)))  # type: ignore
        assert {tuple(pair) for pair in assigned} <= {tuple(pair) for pair in claimed}


def test_claim_withdraw_and_reopen_in_any_order(matching):
    run_state_machine_as_test(
        lambda: Claiming(matching),
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
    reached = {event.type.split(".", 1)[1].removesuffix(".v1") for event in matching.told()}
    assert reached >= {"project.assigned", "project.claim-withdrawn", "project.delivered", "project.closed", "project.reopened"}
    assert matching.dead_letters() == []
