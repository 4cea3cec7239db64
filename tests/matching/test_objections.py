"""An objection that is upheld rules one award out; what was weighed at the bell stays weighed."""

from __future__ import annotations

from services.matching import allocate
from services.matching.models import Allocation
from tests.matching.given import PLUMBING
from tests.matching.test_projects import carriers


def test_what_changed_after_the_bell_moves_no_project_when_claims_are_allocated_anew(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙", "丙", "丁")
    matching.hear(town.satisfaction("甲", 95, 4.7, 30), town.satisfaction("乙", 60, 3.1, 30))
    meals, repairs = desk.opened("助餐"), desk.opened("家电")
    meeting = desk.meet(meals, repairs, objection_days=2)
    for name, project in (("甲", meals), ("乙", meals), ("丙", repairs), ("丁", repairs)):
        assert desk.claim(name, project).status_code == 200
    desk.done(f"meetings/{meeting}/conclusion")
    # Residents go on rating, and an agreement runs out, while claimants may object.
    matching.hear(town.satisfaction("甲", 40, 2.0, 31), town.satisfaction("乙", 99, 5.0, 31))
    matching.hear(town.agreement_ended("甲", PLUMBING))
    (winner,) = [one for one in desk.meeting(meeting)["outcomes"] if one["project"] == repairs and one["won"]]
    loser = next(name for name in "丙丁" if town.id_of(name) != winner["organization"])
    terms = {"project": repairs, "reason": "与物业有关联"}
    objection = desk.done(f"meetings/{meeting}/objections", terms, of=loser)
    desk.done(f"objections/{objection['id']}/decision", {"upheld": True, "reason": "查实，回避"})
    won = {one["project"]: one["organization"] for one in desk.meeting(meeting)["outcomes"] if one["won"]}
    assert won == {meals: town.id_of("甲"), repairs: town.id_of(loser)}
    first, second = matching.rows(Allocation)
    assert first.instance["arcs"] == second.instance["arcs"]
    assert allocate.check(second.instance, second.result)
