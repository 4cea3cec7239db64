"""A request that the classifier did not understand is read by the station, and then goes the way of any other."""

from __future__ import annotations

import pytest

from services.matching.models import Request
from services.matching.rules import REQUEST
from shared.events.matching import RequestClassified
from shared.identifiers import new_id
from tests.matching.given import GIBBERISH, LEAK, PLUMBING, REQUESTS, holder


def read_as(steps, request, item=PLUMBING, headers=None):
    """The station says which item a request asks for."""
    return steps.post(f"{REQUESTS}/{request['id']}/classification", headers or steps.station, {"item": item})


def test_what_was_not_understood_is_read_by_the_station_and_matched(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    assert steps.seen(request["id"])["status"] == "unmatched"
    answer = read_as(steps, request)
    assert answer.status_code == 200, answer.text
    view = steps.seen(request["id"])
    assert (view["status"], view["item"], view["category"]) == ("matched", PLUMBING, "housing")
    assert (view["confidence"], view["classifier"]) == (1.0, "station")
    assert view["candidates"][0]["parts"]["fit"] == 1.0
    assert (answer.json()["status"], answer.json()["item"]) == ("matched", PLUMBING)
    assert steps.asked(request["id"]) == "甲"
    assert steps.told() == [
        "request.submitted",
        "request.classified",
        "request.unmatched",
        "request.classified",
        "request.matched",
        "referral.made",
    ]
    assert [(event.data.item, event.data.status) for event in matching.told(RequestClassified)] == [
        (None, "classified"),
        (PLUMBING, "classified"),
    ]
    assert steps.decide(request["id"], "acceptance").status_code == 200


def test_read_by_the_station_while_nobody_serves_it_then_found_by_who_comes(matching, town, steps):
    town.open_with(matching)
    request = town.submit(matching, text=GIBBERISH)
    assert read_as(steps, request).json()["status"] == "unmatched"
    assert steps.told()[3:] == ["request.classified", "request.unmatched"]
    matching.hear(*town.member("甲"))
    assert steps.asked(request["id"]) == "甲"


def test_a_request_that_waits_to_be_read_may_be_read_by_the_station(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)

    def unread(tx):
        row = tx.session.get(Request, waiting)
        row.status, row.item, row.category, row.organization, row.offer, row.candidates = (
            "submitted",
            None,
            None,
            None,
            None,
            [],
        )

    # As it stands for a moment, before a replica has read it.
    waiting = town.submit(matching, text=GIBBERISH)["id"]
    matching.host.run(unread)
    assert read_as(steps, {"id": waiting}).json()["status"] == "matched"
    assert steps.seen(request["id"])["status"] == "matched"


@pytest.mark.parametrize(("item", "field"), [("flying-carpets", "item"), ("", "item"), (None, "item"), ("x" * 101, "item")])
def test_an_unknown_item_is_refused(matching, town, steps, item, field):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    before = steps.told()
    answer = read_as(steps, request, item)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert GIBBERISH not in answer.text
    assert steps.told() == before
    assert steps.seen(request["id"])["status"] == "unmatched"


def test_before_the_taxonomy_is_heard_of_every_item_is_unknown(matching, town, steps):
    matching.hear(town.opened())
    request = town.submit(matching)
    answer = read_as(steps, request)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:fenghe:problem:item-unknown")


def test_what_was_understood_is_not_read_again(matching, town, steps):
    town.open_with(matching, "甲")
    matched, unmatched = town.submit(matching), town.submit(matching, text="想加入合唱团唱歌")
    assert steps.seen(unmatched["id"])["status"] == "unmatched"
    before = steps.told()
    answer = read_as(steps, matched)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fenghe:problem:request-matched")
    answer = read_as(steps, unmatched)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fenghe:problem:item-known")
    assert "choir-music" in answer.json()["detail"]
    assert steps.told() == before


def test_only_the_own_station_reads_it(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    for headers in (
        holder(request),
        steps.of("甲"),
        matching.as_("station", community=new_id()),
        matching.as_("expert", community=town.community),
    ):
        assert read_as(steps, request, headers=headers).status_code == 403
    assert read_as(steps, {"id": "none"}).status_code == 404
    assert steps.seen(request["id"])["item"] is None


def test_a_station_that_asks_twice_gets_a_conflict(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    assert read_as(steps, request).status_code == 200
    assert read_as(steps, request).status_code == 409
    assert town.submit(matching, text=LEAK)["status"] == "submitted"


def test_the_table_of_transitions_says_when_a_request_is_classified():
    assert {before for before, verb in REQUEST if verb == "classify"} == {"submitted", "classified", "unmatched"}
