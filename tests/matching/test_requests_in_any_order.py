"""Residents, organizations and the station do whatever occurs to them to requests and referrals: what the tables of
transitions do not have is refused with a clear problem and told to nobody, and no two facts tell one transition."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from services.matching.models import Referral, Request
from services.matching.rules import REFERRAL, REQUEST
from shared.messaging.testing import Harness
from tests.matching.conftest import Steps
from tests.matching.given import PLUMBING, REFERRALS, REQUESTS, Town, holder

REASON = {"reason": "试"}
OF_THE_RESIDENT = {"withdrawal": "withdraw", "dispute": "dispute", "closing": "close"}
OF_THE_STATION = {
    "classification": "classify",
    "reopening": "reopen",
    "dispute-rejection": "reject",
    "merging": "merge",
    "separation": "release",
    "dismissal": "dismiss",
}
OF_THE_ORGANIZATION = {"acceptance": "accept", "decline": "decline", "delivery": "deliver", "handing-on": "hand-on"}
ARRIVALS = {
    "withdraw": "withdrawn",
    "dispute": "disputed",
    "close": "closed",
    "reject": "closed",
    "merge": "merged",
    "dismiss": "closed",
}


class Wandering(RuleBasedStateMachine):
    """Three requests of one need, a hub with two members that serve it."""

    def __init__(self, matching: Harness) -> None:
        super().__init__()
        self.matching = matching
        self.town = Town()
        self.steps = Steps(matching, self.town)
        self.town.open_with(matching, "丙")
        hub = {"hub": True}
        matching.hear(
            *self.town.member("甲"),
            *self.town.member("乙"),
            self.town.organization("甲", **hub),
            self.town.organization("乙", parents=(self.town.id_of("甲"),)),
            self.town.organization("丙", parents=(self.town.id_of("甲"),)),
        )
        self.requests = [self.town.submit(matching) for _ in range(3)]

    def status(self, request: str) -> str:
        with self.matching.session() as session:
            return session.get_one(Request, request).status

    def referrals(self) -> list[Referral]:
        rows = [row for row in self.matching.rows(Referral) if row.community == self.town.community]
        return sorted(rows, key=lambda row: row.id)

    def ask(self, path: str, headers: dict[str, str], body: Any) -> tuple[httpx.Response, int]:
        """What was answered, and how many facts were told at once."""
        before = len(self.matching.told())
        answer = self.matching.client.post(path, headers=headers, json=body)
        return answer, len(self.matching.told()) - before

    def refused(self, answer: httpx.Response, told: int, kind: str, status: str) -> None:
        """It was refused, by the status it has, and told to nobody."""
        problem = answer.json()
        assert answer.status_code == 409, (kind, status, answer.text)
        assert problem["type"] == f"urn:fenghe:problem:{kind}-{status}", answer.text
        assert problem["detail"] and problem["errors"][0]["field"] == "status"
        assert told == 0

    @rule(place=st.integers(0, 2), other=st.integers(0, 2), verb=st.sampled_from((*OF_THE_RESIDENT, *OF_THE_STATION)))
    def request(self, place: int, other: int, verb: str) -> None:
        of = self.requests[place]
        before = self.status(of["id"])
        headers = holder(of) if verb in OF_THE_RESIDENT else self.steps.station
        bodies = {"classification": {"item": PLUMBING}, "merging": {"into": self.requests[other]["id"]}}
        body: dict[str, Any] = bodies.get(verb, REASON)
        answer, told = self.ask(f"{REQUESTS}/{of['id']}/{verb}", headers, body)
        word = {**OF_THE_RESIDENT, **OF_THE_STATION}[verb]
        allowed = (before, word) in REQUEST
        if answer.is_success:
            assert allowed, (before, verb)
            assert told >= 1
            if word in ARRIVALS:
                assert self.status(of["id"]) == ARRIVALS[word]
        elif allowed or verb in bodies:  # what it is merged into, or whether it was understood already, has a say too
            assert answer.status_code in (409, 422), (before, verb, answer.text)
            assert told == 0
        else:
            self.refused(answer, told, "request", before)
        self.matching.drain()

    @rule(place=st.integers(0, 9), verb=st.sampled_from(tuple(OF_THE_ORGANIZATION)), member=st.sampled_from(("乙", "丙")))
    def referral(self, place: int, verb: str, member: str) -> None:
        found = self.referrals()
        one = found[place % len(found)]
        headers = self.steps.of(self.town.name_of(one.organization))
        body = {"member": self.town.id_of(member)} if verb == "handing-on" else REASON if verb == "decline" else None
        answer, told = self.ask(f"{REFERRALS}/{one.id}/{verb}", headers, body)
        allowed = (one.status, OF_THE_ORGANIZATION[verb]) in REFERRAL
        (after,) = [row for row in self.referrals() if row.id == one.id]
        if answer.is_success:
            assert allowed and told >= 1, (one.status, verb)
            assert after.status == REFERRAL[one.status, OF_THE_ORGANIZATION[verb]]
            assert len([event for event in self.matching.told() if event.subject == one.id]) == len(self.life(after))
        elif not allowed:
            self.refused(answer, told, "referral", one.status)
        else:
            assert answer.status_code in (409, 422), (one.status, verb, answer.text)
            assert (told, after.status) == (0, one.status)
        self.matching.drain()

    def life(self, referral: Referral) -> list[str]:
        """What was told of a referral: that it was made, and each step after it, once."""
        types = [event.type for event in self.matching.told() if event.subject == referral.id]
        assert len(types) == len(set(types)), types
        return types


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what the tables say is not the database's
def test_requests_and_referrals_in_any_order(matching: Harness) -> None:
    run_state_machine_as_test(
        lambda: Wandering(matching),
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],  # to shrink a finding takes minutes, and says little more
            suppress_health_check=list(HealthCheck),
        ),
    )
