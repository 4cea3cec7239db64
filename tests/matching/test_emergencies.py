"""An emergency stands before everything else in the station's list until somebody there has seen to it."""

from __future__ import annotations

import pytest

from services.matching.models import Request
from tests.matching.given import GIBBERISH, LEAK, PLUMBING, REQUESTS

FAINTED, FIRE, GAS = "楼下有人晕倒了，快来", "三楼着火了", "there is a gas leak in our kitchen"


def submit(matching, town, text):
    answer = matching.client.post(REQUESTS, json=town.body(text=text))
    assert answer.status_code == 201, answer.text
    matching.drain()
    return answer.json()


def listed(matching, town, steps, limit=50, **asked):
    """The ids of the station's list, page by page."""
    ids, after = [], None
    while True:
        params = {"community": town.community, "limit": limit, **asked} | ({"after": after} if after else {})
        answer = matching.client.get(REQUESTS, params=params, headers=steps.station)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert 0 < len(page["items"]) <= limit or after is None
        ids += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            return ids


@pytest.fixture
def ids(matching, town):
    """Five requests in the order in which they came, the second and the fifth of them emergencies."""
    town.open_with(matching, "甲")
    return [submit(matching, town, text)["id"] for text in (LEAK, FAINTED, GIBBERISH, LEAK, FIRE)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
def test_emergencies_come_first_and_every_page_goes_on_where_the_last_one_ended(matching, town, steps, ids, limit):
    first, fainted, third, fourth, fire = ids
    assert listed(matching, town, steps, limit) == [fainted, fire, first, third, fourth]
    assert listed(matching, town, steps, limit, status="unmatched") == [fainted, fire, third]
    assert listed(matching, town, steps, limit, emergencies=True) == [fainted, fire]


def test_one_that_was_seen_to_takes_its_place_again_and_the_resident_reads_that_it_was(matching, town, steps, ids):
    first, fainted, third, fourth, fire = ids
    seen_to = steps.post(f"{REQUESTS}/{fainted}/attending", steps.station, {"reason": "已打120，网格员在场。"})
    assert seen_to.status_code == 200, seen_to.text
    assert seen_to.json()["emergency"]["attended_at"] is not None
    assert listed(matching, town, steps) == [fire, first, fainted, third, fourth]
    assert listed(matching, town, steps, emergencies=True) == [fire, fainted]
    view = steps.seen(fainted)
    assert (view["status"], view["emergency"]["number"]) == ("unmatched", "120")
    assert [(one["verb"], one["role"], one["reason"]) for one in view["remarks"]] == [
        ("attend", "station", "已打120，网格员在场。")
    ]
    assert steps.seen(fire)["emergency"]["attended_at"] is None


def test_it_is_seen_to_once_and_only_by_its_station_and_nothing_else_is(matching, town, steps, ids):
    first, fainted, *_ = ids
    path = f"{REQUESTS}/{fainted}/attending"
    assert steps.post(path, matching.as_("station", community="another")).status_code == 403
    assert steps.post(path, steps.station).status_code == 200
    again = steps.post(path, steps.station)
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "emergency-attended")
    other = steps.post(f"{REQUESTS}/{first}/attending", steps.station)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (409, "no-emergency")
    assert steps.post(f"{REQUESTS}/nobody/attending", steps.station).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [("classification", {"item": PLUMBING}), ("correction", {"item": PLUMBING}), ("correction", {"item": None})],
)
def test_what_the_station_read_it_has_seen(matching, town, steps, ids, path, body):
    """It does not come back to the top when nobody serves it in the end."""
    first, fainted, third, fourth, fire = ids
    assert steps.post(f"{REQUESTS}/{fainted}/{path}", steps.station, body).status_code == 200
    if body["item"]:
        assert steps.decide(fainted, "decline", {"reason": "没空"}).status_code == 200
    assert steps.seen(fainted)["status"] == "unmatched"
    assert listed(matching, town, steps) == [fire, first, fainted, third, fourth]


def test_one_that_was_merged_or_gathered_was_seen(matching, town, steps, desk, ids):
    first, fainted, third, fourth, fire = ids
    assert steps.post(f"{REQUESTS}/{fainted}/merging", steps.station, {"into": first}).status_code == 200
    desk.propose(requests=[fire])
    assert listed(matching, town, steps) == [first, fainted, third, fourth, fire]
    assert all(row.attended_at for row in matching.rows(Request) if row.alarm)


def test_one_that_was_withdrawn_does_not_stay_on_top(matching, town, steps, ids):
    withdrawn = submit(matching, town, GAS)
    assert listed(matching, town, steps)[:3] == [ids[1], ids[4], withdrawn["id"]]
    assert steps.do(withdrawn, "withdrawal").status_code == 200
    assert listed(matching, town, steps) == [ids[1], ids[4], ids[0], ids[2], ids[3], withdrawn["id"]]
