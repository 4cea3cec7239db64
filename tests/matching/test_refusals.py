"""Who may do what, what is refused and how, and that the resident's words stay where they belong."""

from __future__ import annotations

import json

import pytest

from services.matching.models import Request
from shared.identifiers import new_id
from shared.messaging import tables
from tests.matching.given import GIBBERISH, LEAK, REFERRALS, REQUESTS, Town, holder

CANARY = "我叫金丝雀，住三号楼，水龙头漏水"


def problem(answer):
    """Status, kind and first field of a problem."""
    body = answer.json()
    return answer.status_code, body["type"].rpartition(":")[2], (body.get("errors") or [{}])[0].get("field")


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"community": "nowhere"}, (422, "community-unknown", "community")),
        ({"compound": "atlantis"}, (422, "compound-unknown", "compound")),
        ({"text": "   "}, (422, "invalid", "text")),
        ({"text": "水" * 2001}, (422, "invalid", "text")),
        ({"text": None}, (422, "invalid", "text")),
        ({"channel": "pigeon"}, (422, "invalid", "channel")),
        ({"language": "fr"}, (422, "invalid", "language")),
        ({"phone": "1"}, (422, "invalid", "phone")),
        ({"channel": "mailbox"}, (403, "forbidden", None)),
    ],
)
def test_what_cannot_be_taken_in(matching, town, terms, expected):
    matching.hear(town.opened())
    answer = matching.client.post(REQUESTS, json=town.body(**terms))
    assert problem(answer) == expected
    assert matching.told() == []
    assert matching.rows(Request) == []
    assert LEAK not in answer.text


def test_what_can_be_taken_in(matching, town, steps):
    matching.hear(town.opened())
    assert town.submit(matching, text="  a pipe is leaking ")["language"] == "en"
    assert town.submit(matching, text="wifi 坏了")["language"] == "zh"
    assert town.submit(matching, language="en")["language"] == "en"
    assert town.submit(matching, text="水" * 2000)["status"] == "submitted"
    assert matching.rows(Request)[0].text == "a pipe is leaking"
    written = matching.client.post(REQUESTS, json=town.body(channel="home-visit"), headers=steps.station)
    assert (written.status_code, written.json()["channel"]) == (201, "home-visit")
    elsewhere = matching.as_("station", community=new_id())
    refused = matching.client.post(REQUESTS, json=town.body(channel="home-visit"), headers=elsewhere)
    assert problem(refused) == (403, "forbidden", None)


def test_a_link_opens_its_own_request_only(matching, town):
    town.open_with(matching, "甲")
    mine, others = town.submit(matching), town.submit(matching, text="家里跳闸了")
    own = matching.client.get(f"{REQUESTS}/{mine['id']}", headers=holder(mine))
    assert own.json()["text"] == LEAK
    assert problem(matching.client.get(f"{REQUESTS}/{mine['id']}", headers=holder(others)))[0] == 403
    for verb in ("withdrawal", "dispute", "closing"):
        answer = matching.client.post(f"{REQUESTS}/{mine['id']}/{verb}", headers=holder(others))
        assert problem(answer) == (403, "forbidden", None), verb


def test_who_may_see_a_request(matching, town, steps):
    town.open_with(matching, "甲")
    matching.hear(town.organization("乙"))
    request = town.submit(matching)
    path = f"{REQUESTS}/{request['id']}"
    steps.do(request, "withdrawal", {"reason": "不用了"})
    status = {
        "nobody": matching.client.get(path).status_code,
        "station": matching.client.get(path, headers=steps.station).status_code,
        "another station": matching.client.get(path, headers=matching.as_("station", community=new_id())).status_code,
        "asked": matching.client.get(path, headers=steps.of("甲")).status_code,
        "not asked": matching.client.get(path, headers=steps.of("乙")).status_code,
        "expert": matching.client.get(path, headers=matching.as_("expert", community=town.community)).status_code,
    }
    assert status == {
        "nobody": 401,
        "station": 200,
        "another station": 403,
        "asked": 200,
        "not asked": 403,
        "expert": 403,
    }
    assert [remark["reason"] for remark in steps.seen(request["id"])["remarks"]] == ["不用了"]
    assert matching.client.get(path, headers=steps.of("甲")).json()["remarks"] == []
    assert problem(matching.client.get(f"{REQUESTS}/nothing", headers=steps.station)) == (404, "request-unknown", None)


@pytest.mark.parametrize(
    ("way", "readable"),
    [
        ((), True),
        (("acceptance",), True),
        (("acceptance", "delivery"), True),
        (("decline",), False),
        (("withdrawal",), False),
        (("acceptance", "withdrawal"), False),
    ],
)
def test_an_organization_reads_the_words_while_the_referral_is_its_own_to_serve(matching, town, steps, way, readable):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    for verb in way:
        if verb == "withdrawal":
            steps.do(request, verb)
        else:
            steps.decide(request["id"], verb)

    def texts(headers):
        return [
            matching.client.get(f"{REQUESTS}/{request['id']}", headers=headers).json()["text"],
            matching.client.get(f"{REFERRALS}/{referral.id}", headers=headers).json()["text"],
            *(entry["text"] for entry in matching.client.get(REFERRALS, headers=headers).json()["items"]),
        ]

    assert texts(steps.of("甲")) == [LEAK if readable else None] * 3
    assert texts(steps.station) == [LEAK] * 3
    assert matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request)).json()["text"] == LEAK


def test_lists_are_for_the_station_and_show_pages(matching, town, steps):
    town.open_with(matching, "甲")
    ids = [town.submit(matching, text=text)["id"] for text in (LEAK, GIBBERISH, "马桶堵了")]
    params = {"community": town.community, "limit": "2"}
    first = matching.client.get(REQUESTS, params=params, headers=steps.station).json()
    rest = matching.client.get(REQUESTS, params={**params, "after": first["next"]}, headers=steps.station).json()
    assert [entry["id"] for entry in first["items"] + rest["items"]] == ids
    assert first["items"][0]["candidates"][0]["organization_name_zh"] == "甲"
    unmatched = matching.client.get(REQUESTS, params={**params, "status": "unmatched"}, headers=steps.station).json()
    assert [entry["id"] for entry in unmatched["items"]] == [ids[1]]
    assert problem(matching.client.get(REQUESTS, params=params)) == (401, "unauthenticated", None)
    assert problem(matching.client.get(REQUESTS, params=params, headers=steps.of("甲")))[0] == 403
    elsewhere = matching.as_("station", community=new_id())
    assert problem(matching.client.get(REQUESTS, params=params, headers=elsewhere))[0] == 403


def test_referrals_are_for_their_organization_and_the_station(matching, town, steps):
    town.open_with(matching, "甲")
    matching.hear(*town.member("乙", item="choir-music"))
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    mine = matching.client.get(REFERRALS, headers=steps.of("甲")).json()["items"]
    assert [(entry["id"], entry["text"], entry["compound"], entry["channel"]) for entry in mine] == [
        (referral.id, LEAK, "garden", "website")
    ]
    assert (mine[0]["status"], mine[0]["rank"], mine[0]["request_status"]) == ("made", 1, "matched")
    named = {"community": town.community, "organization": town.id_of("甲"), "status": "made"}
    assert matching.client.get(REFERRALS, params=named, headers=steps.of("甲")).json()["items"] == mine
    assert matching.client.get(REFERRALS, params=named, headers=steps.station).json()["items"] == mine
    assert matching.client.get(REFERRALS, params=named | {"status": "accepted"}, headers=steps.of("甲")).json() == {
        "items": [],
        "next": None,
    }
    assert matching.client.get(REFERRALS, headers=steps.of("乙")).json()["items"] == []
    assert problem(matching.client.get(REFERRALS, params=named, headers=steps.of("乙")))[0] == 403
    assert problem(matching.client.get(REFERRALS, params=named, headers=holder(request)))[0] == 403
    assert matching.client.get(f"{REFERRALS}/{referral.id}", headers=steps.of("甲")).json() == mine[0]
    assert problem(matching.client.get(f"{REFERRALS}/{referral.id}", headers=steps.of("乙")))[0] == 403
    assert problem(matching.client.get(f"{REFERRALS}/none", headers=steps.of("甲")))[:2] == (404, "referral-unknown")
    before = steps.told()
    for verb in ("acceptance", "decline", "delivery"):
        path = f"{REFERRALS}/{referral.id}/{verb}"
        assert problem(matching.client.post(path, headers=steps.of("乙")))[0] == 403
        assert problem(matching.client.post(path, headers=holder(request)))[0] == 403
        assert problem(matching.client.post(path))[0] == 401
    assert steps.told() == before


def test_only_the_own_station_reopens_and_closes(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    steps.decide(request["id"], "acceptance")
    steps.decide(request["id"], "delivery")
    elsewhere = matching.as_("station", community=new_id())
    for verb in ("closing", "reopening"):
        assert problem(matching.client.post(f"{REQUESTS}/{request['id']}/{verb}", headers=elsewhere))[0] == 403
        assert problem(matching.client.post(f"{REQUESTS}/{request['id']}/{verb}", headers=steps.of("甲")))[0] == 403
        assert problem(matching.client.post(f"{REQUESTS}/none/{verb}", headers=steps.station))[0] == 404
    assert problem(steps.do(request, "reopening"))[0] == 403


def test_a_residents_words_are_in_no_fact_and_in_no_other_table(matching, town, steps):
    town.open_with(matching, "甲")
    headers = {"Idempotency-Key": "one-that-nobody-guesses-0123456789"}
    request = matching.client.post(REQUESTS, json=town.body(text=CANARY), headers=headers).json()
    matching.drain()
    steps.decide(request["id"], "acceptance")
    steps.decide(request["id"], "delivery")
    steps.post(f"{REQUESTS}/{request['id']}/dispute", holder(request) | {"Idempotency-Key": "d"}, {"reason": CANARY})
    steps.do(request, "reopening", {"reason": CANARY}, station=True)
    assert len(matching.told()) == 10
    for event in matching.told():
        assert "金丝雀" not in event.data.model_dump_json()
        assert request["link"] not in event.data.model_dump_json()
    with matching.session() as session:
        for table in tables.metadata.sorted_tables:
            kept = json.dumps([list(map(str, row)) for row in session.execute(table.select())], ensure_ascii=False)
            assert "金丝雀" not in kept, table.name
            assert request["link"] not in kept, table.name
    too_long = matching.client.post(REQUESTS, json=town.body(text=CANARY * 200))
    assert too_long.status_code == 422
    assert "金丝雀" not in too_long.text


def test_figures(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    one, _, _ = (town.submit(matching, text=text) for text in (LEAK, "马桶堵了", GIBBERISH))
    steps.decide(one["id"], "decline")
    steps.decide(one["id"], "acceptance")
    steps.decide(one["id"], "delivery")
    path = f"/api/matching/communities/{town.community}/figures"
    assert matching.client.get(path).json() == {
        "requests": 3,
        "matched": 2,
        "unmatched": 1,
        "accepted": 1,
        "declined": 1,
        "overdue": 0,
        "handed_on": 0,
        "served": 1,
        "merged": 0,
        "projects": 0,
        "claims": 0,
        "assigned": 0,
        "delivered": 0,
    }
    nowhere = matching.client.get(f"/api/matching/communities/{Town().community}/figures").json()
    assert set(nowhere.values()) == {0}


def test_the_method_is_published(matching):
    method = matching.client.get("/api/matching/method").json()
    assert sum(method["weights"].values()) == pytest.approx(1)
    assert set(method["weights"]) == set(method["parts"])
    assert 0 < method["threshold"] < 1
