"""Projects in the hands of an organization that may not carry them any more: the station is told once, and decides."""

from __future__ import annotations

import pytest

from shared.events.matching import ProjectChanged, ProjectReopened, ProjectUncovered
from shared.events.registry import OrganizationReinstated
from shared.identifiers import new_id
from tests.matching.given import PESTS, PLUMBING
from tests.matching.test_projects import carried, problem, statuses

REASON = {"reason": "服务站商量后决定"}


def lost(town, because):
    return town.suspended("甲") if because == "suspended" else town.agreement_ended("甲", PLUMBING, PESTS)


def found(town, because):
    if because == "suspended":
        return OrganizationReinstated(**town.organization("甲").model_dump())
    return town.agreement("甲", PLUMBING, agreement=new_id())


@pytest.mark.parametrize("because", ["suspended", "agreement-ended"])
def test_it_is_told_once_and_not_delivered_until_the_organization_may_carry_it_again(matching, town, desk, because):
    project = carried(matching, town, desk, "甲")
    for _ in range(2):
        matching.hear(lost(town, because))
    (told,) = matching.told(ProjectUncovered)
    assert (told.data.project, told.data.organization, told.data.uncovered) == (project, town.id_of("甲"), True)
    seen = desk.project(project)
    assert (seen["status"], seen["organization"], seen["uncovered"]) == ("assigned", town.id_of("甲"), True)
    before = desk.told()
    refused = desk.ask(f"projects/{project}/delivery", of="甲")
    assert problem(refused) == (409, "agreement-missing")
    assert refused.json()["errors"][0]["field"] == "organization"
    assert desk.told() == before
    assert statuses(matching) == ["accepted"] * 3

    matching.hear(found(town, because))
    assert not desk.project(project)["uncovered"]
    assert not matching.told(ProjectChanged)[-1].data.uncovered
    desk.done(f"projects/{project}/delivery", of="甲")
    assert statuses(matching) == ["served"] * 3
    assert len(matching.told(ProjectUncovered)) == 1


def test_the_station_takes_it_back_or_reports_what_was_done_before(matching, town, desk):
    project = carried(matching, town, desk, "甲", "乙")
    matching.hear(lost(town, "agreement-ended"))
    assert not desk.done(f"projects/{project}/reopening", REASON)["uncovered"]
    assert statuses(matching) == ["gathered"] * 3
    desk.assigned(project, "乙")
    matching.hear(town.agreement_ended("乙", PLUMBING, PESTS))
    assert desk.project(project)["uncovered"]
    delivered = desk.done(f"projects/{project}/delivery")
    assert (delivered["status"], delivered["uncovered"]) == ("delivered", False)
    assert statuses(matching) == ["served"] * 3


def test_another_agreement_for_it_is_enough_and_who_leaves_is_told_of_once(matching, town, desk):
    project = carried(matching, town, desk, "甲")
    matching.hear(town.agreement("甲", PLUMBING, agreement=new_id()))
    matching.hear(lost(town, "agreement-ended"))
    assert matching.told(ProjectUncovered) == []
    assert not desk.project(project)["uncovered"]
    ended = town.agreement_ended("甲", PLUMBING).model_copy(update={"ended_because": "left"})
    matching.hear(ended)
    matching.hear(town.left("甲"))
    assert matching.told(ProjectUncovered) == []
    assert len(matching.told(ProjectReopened)) == 1
