"""Claims of organizations that may not carry the project any more: withdrawn before the bell, told, with the reason."""

from __future__ import annotations

import pytest

from shared.events.matching import ClaimWithdrawal, ProjectChanged, ProjectClaimWithdrawn
from shared.identifiers import new_id
from tests.matching.given import CHOIR, PLUMBING
from tests.matching.test_claim_meeting import outcomes
from tests.matching.test_projects import carriers, problem

PINNED = {"kind": "pinned", "reason": "居民代表表决"}


def gone(town, because):
    match because:
        case "left":
            return town.left("甲")
        case "suspended":
            return town.suspended("甲")
        case _:
            return town.agreement_ended("甲", PLUMBING)


def claim_of(desk, project, organization, **headers):
    claims = desk.done(f"projects/{project}", method="GET", **headers)["claims"]
    (claim,) = [claim for claim in claims if claim["organization"] == desk.town.id_of(organization)]
    return claim


@pytest.mark.parametrize(
    ("because", "says"), [("left", "不再为本社区服务"), ("suspended", "暂停"), ("agreement-ended", "服务协议")]
)
def test_what_an_organization_may_not_carry_any_more_it_does_not_win(matching, town, desk, because, says):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙")
    matching.hear(town.agreement("甲", CHOIR, agreement=new_id()))
    one, two, other = desk.opened("一"), desk.opened("二"), desk.opened("三", items=[CHOIR])
    meeting = desk.meet(one, two, other)
    for wish, project in enumerate((one, two, other), start=1):
        assert desk.claim("甲", project, wish=wish, capacity=3).status_code == 200
    assert desk.claim("乙", one).status_code == 200
    desk.done(f"meetings/{meeting}/pairs", PINNED | {"project": one, "organization": town.id_of("甲")})

    matching.hear(gone(town, because))
    withdrawn = [one, two] if because == "agreement-ended" else [one, two, other]
    told = matching.told(ProjectClaimWithdrawn)
    assert sorted(event.data.project for event in told) == sorted(withdrawn)
    assert {(event.data.withdrawn.organization, event.data.withdrawn.because) for event in told} == {
        (town.id_of("甲"), because)
    }
    for headers in ({}, {"of": "甲"}):
        claim = claim_of(desk, one, "甲", **headers)
        assert claim["status"] == "withdrawn"
        assert says in claim["reason_zh"]
        assert claim["reason_en"]
    matching.hear(gone(town, because))
    assert len(matching.told(ProjectClaimWithdrawn)) == len(withdrawn), "told once"

    if because == "agreement-ended":
        matching.hear(town.agreement("甲", PLUMBING, agreement=new_id()))
        assert desk.claim("甲", two, wish=2, capacity=3).status_code == 200, "it may come back until the bell"
    else:
        assert problem(desk.claim("甲", two, wish=2, capacity=3)) == (409, "agreement-missing")
    result = desk.done(f"meetings/{meeting}/conclusion")
    again = {("甲", two): True, ("甲", other): True} if because == "agreement-ended" else {}
    assert outcomes(result, town) == {("乙", one): True} | again


def test_an_own_withdrawal_says_so(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    project = desk.opened()
    desk.meet(project)
    desk.claim("甲", project)
    desk.done(f"projects/{project}/claim-withdrawal", of="甲")
    (told,) = matching.told(ProjectClaimWithdrawn)
    assert told.data.withdrawn == ClaimWithdrawal(organization=town.id_of("甲"), because="by-the-organization")
    assert claim_of(desk, project, "甲")["reason_zh"] == "组织自己撤回了认领。"


def test_after_the_bell_the_claims_stand_and_confirmation_decides(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    project = desk.opened()
    meeting = desk.meet(project)
    desk.claim("甲", project)
    desk.done(f"meetings/{meeting}/conclusion")
    matching.hear(town.left("甲"))
    assert matching.told(ProjectClaimWithdrawn) == []
    assert claim_of(desk, project, "甲")["status"] == "standing"


def test_a_meeting_called_off_says_so_of_its_claims(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙", "丙")
    one, two = desk.opened("一"), desk.opened("二")
    meeting = desk.meet(one, two)
    for project, organization, wish in ((one, "甲", 1), (one, "乙", 1), (two, "乙", 2), (two, "丙", 1)):
        assert desk.claim(organization, project, wish=wish, capacity=2).is_success
    desk.done(f"projects/{two}/claim-withdrawal", of="丙")
    desk.done(f"meetings/{meeting}/pairs", PINNED | {"project": one, "organization": town.id_of("甲")})
    desk.done(f"meetings/{meeting}/cancellation")
    claim = claim_of(desk, one, "甲", of="甲")
    assert (claim["status"], claim["reason_zh"]) == ("withdrawn", "认领大会取消了，认领随之撤回。")
    told = matching.told(ProjectClaimWithdrawn)[1:]
    called_off = {(event.data.project, town.name_of(event.data.called_off), event.data.withdrawn) for event in told}
    assert called_off == {(one, "甲", None), (one, "乙", None), (two, "乙", None)}
    assert len(told) == 3
    assert matching.told(ProjectChanged)[-1].data.claims == ()
    (lifted,) = desk.meeting(meeting)["pairs"]
    assert lifted["lifted_at"] is not None
    # The projects are put before another meeting, where they may claim again.
    desk.meet(one, two)
    assert desk.claim("甲", one).is_success
