"""Two hundred organizations claim one project at the same moment: every claim counts, and one organization gets it."""

from __future__ import annotations

from collections import Counter

from services.matching.models import Assignment, Claim
from shared.events.matching import ProjectAssigned, ProjectClaimed
from tests.matching.given import PLUMBING
from tests.matching.test_at_once import all_at_once

CLAIMANTS = 200
AT_ONCE = 8


def test_two_hundred_claim_one_project_at_once_and_one_gets_it(matching, town, desk):
    names = [f"组织{number}" for number in range(CLAIMANTS)]
    facts = [fact for name in names for fact in (town.organization(name), town.agreement(name, PLUMBING))]
    matching.hear(town.opened(), town.taxonomy(), *facts)
    project = desk.opened()
    meeting = desk.meet(project)
    path = f"/api/matching/projects/{project}/claims"

    def claim(name):
        return matching.client.post(path, headers=desk.of(name), json={"wish": 1})

    answers = all_at_once([lambda name=name: claim(name) for name in names])
    assert Counter(answer.status_code for answer in answers) == {200: CLAIMANTS}
    told = matching.told(ProjectClaimed)
    assert len(told) == CLAIMANTS
    # Each fact names the claims that stood by then: one after the other, however many came at once.
    assert sorted(len(event.data.claims) for event in told) == list(range(1, CLAIMANTS + 1))

    # The bell rings, eight times at once, while some still withdraw and others claim once more.
    bell = f"/api/matching/meetings/{meeting}/conclusion"
    withdrawal = f"/api/matching/projects/{project}/claim-withdrawal"
    calls = [lambda: matching.client.post(bell, headers=desk.station)] * AT_ONCE
    calls += [lambda name=name: matching.client.post(withdrawal, headers=desk.of(name)) for name in names[:AT_ONCE]]
    calls += [lambda name=name: claim(name) for name in names[-AT_ONCE:]]
    answers = all_at_once(calls)
    rung, withdrawn, again = (answers[start : start + AT_ONCE] for start in range(0, 3 * AT_ONCE, AT_ONCE))
    assert Counter(answer.status_code for answer in rung) == {200: 1, 409: AT_ONCE - 1}
    assert {answer.status_code for answer in withdrawn} <= {200, 409}
    assert {answer.status_code for answer in again} == {409}
    left = [name for name, answer in zip(names, withdrawn, strict=False) if answer.status_code == 200]
    outcomes = desk.meeting(meeting)["outcomes"]
    assert {one["organization"] for one in outcomes} == {town.id_of(name) for name in names if name not in left}
    assert Counter(one["won"] for one in outcomes) == {True: 1, False: CLAIMANTS - len(left) - 1}
    assert all(one["reason_zh"] and one["reason_en"] for one in outcomes)

    confirmation = f"/api/matching/meetings/{meeting}/confirmation"
    answers = all_at_once([lambda: matching.client.post(confirmation, headers=desk.station)] * AT_ONCE)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    (assignment,) = matching.rows(Assignment)
    (winner,) = [one["organization"] for one in outcomes if one["won"]]
    assert assignment.organization == winner == desk.project(project)["organization"]
    assert len(matching.told(ProjectAssigned)) == 1
    assert Counter(row.status for row in matching.rows(Claim)) == Counter(
        {"won": 1, "lost": CLAIMANTS - len(left) - 1, "withdrawn": len(left)}
    ) - Counter({"withdrawn": 0})
    assert matching.dead_letters() == []
