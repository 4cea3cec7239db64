"""What a resident is answered at once: what was understood, what is asked, whom to call; and what people's readings teach."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from services.matching import learning
from services.matching.models import FittedModel, Label, Referral, Request
from tests.matching.given import CHOIR, GIBBERISH, LEAK, PESTS, PLUMBING, REQUESTS, holder

UNSURE = "合唱团的水管漏水"
MODELS = "/api/matching/communities/{}/models"


def models(matching, town, headers=None):
    answer = matching.client.get(MODELS.format(town.community), headers=headers or matching.as_("station", town.community))
    assert answer.status_code == 200, answer.text
    return answer.json()


def renew(matching, town):
    answer = matching.client.post(MODELS.format(town.community), headers=matching.as_("station", town.community))
    assert answer.status_code == 202, answer.text
    matching.drain()
    return answer.json()


def test_an_emergency_is_answered_at_once_and_goes_to_no_organization(matching, town, steps):
    town.open_with(matching, "甲")
    answer = matching.client.post(REQUESTS, json=town.body(text="水管旁边有人晕倒了")).json()
    assert (answer["emergency"]["kind"], answer["emergency"]["number"]) == ("medical", "120")
    assert "120" in answer["emergency"]["zh"] and "120" in answer["emergency"]["en"]
    town.submit(matching)
    view = steps.seen(answer["id"])
    assert (view["status"], view["item"], view["emergency"]["number"]) == ("unmatched", None, "120")
    listed = matching.client.get(REQUESTS, params={"community": town.community, "emergencies": True}, headers=steps.station)
    assert [one["id"] for one in listed.json()["items"]] == [answer["id"]]


def test_an_emergency_is_answered_before_any_taxonomy_is_heard_of(matching, town):
    matching.hear(town.opened())
    answer = matching.client.post(REQUESTS, json=town.body(text="着火了")).json()
    assert (answer["emergency"]["number"], answer["understood"]) == ("119", None)


def test_what_is_not_sure_is_asked_and_the_resident_picks(matching, town, steps):
    town.open_with(matching, "甲", item=PLUMBING)
    matching.hear(*town.member("乙", CHOIR))
    request = town.submit(matching, text=UNSURE)
    asked = request["understood"]["choices"]
    assert {choice["item"] for choice in asked} >= {PLUMBING, CHOIR}
    (plumbing,) = [choice for choice in asked if choice["item"] == PLUMBING]
    assert (plumbing["name_zh"], plumbing["category"]) == ("水电维修", "housing")
    assert steps.seen(request["id"])["status"] == "unmatched"
    answer = steps.do(request, "pick", {"item": PLUMBING})
    assert answer.status_code == 200, answer.text
    view = steps.seen(request["id"])
    assert (view["status"], view["item"], view["classifier"], view["understood"]["choices"]) == (
        "matched",
        PLUMBING,
        "resident",
        [],
    )
    assert steps.asked(request["id"]) == "甲"
    assert steps.do(request, "pick", {"item": CHOIR}).status_code == 409
    (label,) = matching.rows(Label)
    assert (label.request, label.item, label.category, label.by) == (request["id"], PLUMBING, "housing", "resident")


def test_only_what_was_asked_about_may_be_picked_and_only_by_its_resident(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    assert request["understood"]["choices"] == []
    answer = steps.do(request, "pick", {"item": PLUMBING})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:fenghe:problem:item-not-asked")
    other = town.submit(matching, text=UNSURE)
    assert steps.post(f"{REQUESTS}/{other['id']}/pick", holder(request), {"item": PLUMBING}).status_code == 403
    understood = town.submit(matching)
    assert steps.do(understood, "pick", {"item": PLUMBING}).status_code == 409


def test_what_asks_for_nothing_is_said_so(matching, town):
    town.open_with(matching, "甲")
    assert town.submit(matching, text="祝大家节日快乐，旺铺转让，加微信联系")["understood"]["off_topic"]


def test_several_needs_are_told_apart(matching, town):
    town.open_with(matching, "甲")
    request = town.submit(matching, text="水龙头滴答滴答关不严，想修一修。另外家里有蟑螂，老鼠进屋了")
    assert {need["item"] for need in request["understood"]["needs"]} == {PLUMBING, PESTS}
    assert town.submit(matching)["understood"]["needs"] == []


def test_two_needs_that_are_equally_likely_are_asked_about_and_each_may_be_picked(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text="家里漏水了，另外想找个地方唱一唱")
    assert (steps.seen(request["id"])["item"], {need["item"] for need in request["understood"]["needs"]}) == (
        None,
        {PLUMBING, CHOIR},
    )
    assert {choice["item"] for choice in request["understood"]["choices"][:2]} == {PLUMBING, CHOIR}
    assert steps.do(request, "pick", {"item": PLUMBING}).status_code == 200


def test_open_requests_that_ask_for_the_same_are_offered_without_anything_of_theirs(matching, town, steps):
    town.open_with(matching, "甲")
    first = town.submit(matching, text="三楼水管漏水，金丝雀")
    town.submit(matching, text="三楼水管漏水", compound="court")
    town.submit(matching, text="家里有蟑螂")
    again = town.submit(matching, text="三楼的水管又漏水了")
    assert first["similar"] == []
    assert [one["id"] for one in again["similar"]] == [first["id"]]
    assert set(again["similar"][0]) == {"id", "item", "compound", "submitted_at", "status"}
    assert steps.do(first, "withdrawal").status_code == 200
    assert [one["id"] for one in town.submit(matching, text="三楼的水管又漏水了")["similar"]] == [again["id"]]


def test_who_picks_an_item_is_offered_open_requests_for_the_same(matching, town, steps):
    town.open_with(matching)
    first = town.submit(matching, text="三楼漏水")
    unsure = town.submit(matching, text=UNSURE)
    assert (unsure["item"], unsure["similar"]) == (None, [])
    picked = steps.do(unsure, "pick", {"item": PLUMBING}).json()
    assert [one["id"] for one in picked["similar"]] == [first["id"]]
    assert steps.do(unsure, "merging", {"into": first["id"]}).json()["merged_into"] == first["id"]


def test_only_the_station_is_warned_of_abuse(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=f"你们这帮王八蛋，{LEAK}")
    assert steps.seen(request["id"])["abusive"] is True
    assert matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request)).json()["abusive"] is None
    assert matching.client.get(f"{REQUESTS}/{request['id']}", headers=steps.of("甲")).json()["abusive"] is None


def test_a_correction_takes_a_request_back_and_sends_it_the_right_way(matching, town, steps):
    town.open_with(matching, "甲")
    matching.hear(*town.member("乙", PESTS))
    request = town.submit(matching)
    assert steps.asked(request["id"]) == "甲"
    answer = steps.do(request, "correction", {"item": PESTS}, station=True)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["item"], answer.json()["classifier"]) == ("matched", PESTS, "station")
    assert steps.asked(request["id"]) == "乙"
    assert [row.status for row in matching.rows(Referral)] == ["withdrawn", "made"]
    assert steps.told()[-4:] == ["referral.withdrawn", "request.classified", "request.matched", "referral.made"]
    assert steps.do(request, "correction", {"item": "flying-carpets"}, station=True).status_code == 422
    assert steps.do(request, "correction", {"item": PESTS}).status_code == 403


def test_what_was_accepted_is_corrected_for_learning_alone(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    steps.decide(request["id"], "acceptance")
    assert steps.do(request, "correction", {"item": None}, station=True).json()["status"] == "accepted"
    (label,) = matching.rows(Label)
    assert (label.item, label.category, label.by) == (None, None, "station")


def test_a_request_keeps_which_model_read_it_and_one_that_comes_too_early_waits(matching, town, steps):
    matching.hear(town.opened())
    early = town.submit(matching)
    assert (early["understood"], steps.seen(early["id"])["status"]) == (None, "submitted")
    matching.hear(town.taxonomy())
    view = steps.seen(early["id"])
    assert (view["item"], view["classifier"]) == (PLUMBING, "ridge-words-v4/tiny/1")
    (model,) = models(matching, town)
    assert (model["number"], model["name"], model["status"]) == (1, view["classifier"], "in-force")
    # Whose reading a clerk corrected stays known.
    corrected = steps.do(early, "correction", {"item": PESTS}, station=True).json()
    assert (corrected["classifier"], corrected["understood"]["model"]) == ("station", model["name"])


def labelled(matching, town, steps, text, item, count):
    for number in range(count):
        request = town.submit(matching, text=f"{text}{'一二三四五六七八九十'[number % 10]}{'甲乙丙丁'[number // 10]}")
        answer = steps.do(request, "correction", {"item": item}, station=True)
        assert answer.status_code == 200, answer.text


def test_a_model_that_is_better_on_what_was_held_out_takes_over(matching, town, steps):
    town.open_with(matching, "甲")
    labelled(matching, town, steps, "隔壁麻将声", PESTS, 30)
    assert renew(matching, town)["labels"] == 30
    new, old = models(matching, town)
    assert (old["status"], new["status"], new["number"]) == ("retired", "in-force", 2)
    assert (new["learned"], new["held_out"]) == (24, 6)
    this, before = new["measures"]
    assert (this["of"], before["of"]) == ("this", "before") and this["accuracy"] > before["accuracy"]
    request = town.submit(matching, text="隔壁麻将声")
    assert steps.seen(request["id"])["item"] == PESTS
    assert steps.seen(request["id"])["classifier"] == "ridge-words-v4/tiny/1/2"
    renew(matching, town)
    assert len(models(matching, town)) == 2, "nothing new was said"


def test_by_night_it_learns_what_was_said_by_day(matching, town, steps):
    town.open_with(matching, "甲")
    labelled(matching, town, steps, "隔壁麻将声", PESTS, 30)
    assert [one["status"] for one in models(matching, town)] == ["in-force"]
    matching.hear(town.clock_moved(timedelta(days=1)))
    assert [one["status"] for one in models(matching, town)] == ["in-force", "retired"]
    matching.hear(town.clock_moved(timedelta(days=2)))
    assert len(models(matching, town)) == 2, "nothing new was said"


def test_what_is_held_out_stays_so_when_it_is_corrected(matching, town, steps):
    town.open_with(matching, "甲")
    labelled(matching, town, steps, "隔壁麻将声", PESTS, 10)
    held_out = {row.request for row in matching.rows(Label) if row.held_out}
    assert len(held_out) == 2
    for row in matching.rows(Label):
        assert steps.do({"id": row.request}, "correction", {"item": PLUMBING}, station=True).status_code == 200
    assert {row.request for row in matching.rows(Label) if row.held_out} == held_out
    assert {row.item for row in matching.rows(Label)} == {PLUMBING}


def test_a_model_that_is_not_better_does_not_take_over(matching, town, steps):
    town.open_with(matching, "甲")
    labelled(matching, town, steps, LEAK, PLUMBING, 2)
    renew(matching, town)
    refused, in_force = models(matching, town)
    assert (refused["status"], in_force["status"]) == ("refused", "in-force")
    with matching.session() as session:
        kept = session.exec(select(FittedModel.status, FittedModel.weights)).all()
    assert {status: weights is not None for status, weights in kept} == {"refused": False, "in-force": True}


def test_a_new_taxonomy_is_learned_anew(matching, town, steps):
    town.open_with(matching, "甲")
    matching.hear(town.taxonomy(version=2))
    new, old = models(matching, town)
    assert (new["name"], new["status"], old["status"]) == ("ridge-words-v4/tiny/2", "in-force", "retired")


def test_a_model_of_another_method_is_replaced(matching, town, steps, monkeypatch):
    town.open_with(matching, "甲")
    monkeypatch.setattr("services.matching.classify.model.METHOD", "ridge-words-v9")
    monkeypatch.setattr("services.matching.classify.fitting.METHOD", "ridge-words-v9")
    monkeypatch.setattr("services.matching.learning.METHOD", "ridge-words-v9")
    monkeypatch.setattr(learning, "_models", {})
    request = town.submit(matching)
    assert steps.seen(request["id"])["classifier"] == "ridge-words-v9/tiny/1"


def test_the_night_is_the_next_one_in_china():
    from datetime import UTC, datetime

    assert learning.next_night(datetime(2026, 5, 1, 18, 59, tzinfo=UTC)) == datetime(2026, 5, 1, 19, 0, tzinfo=UTC)
    assert learning.next_night(datetime(2026, 5, 1, 19, 0, tzinfo=UTC)) == datetime(2026, 5, 2, 19, 0, tzinfo=UTC)


def test_models_are_the_stations_own_affair(matching, town, steps):
    town.open_with(matching, "甲")
    for headers in (matching.as_("station", community="elsewhere"), steps.of("甲")):
        assert matching.client.get(MODELS.format(town.community), headers=headers).status_code == 403
        assert matching.client.post(MODELS.format(town.community), headers=headers).status_code == 403


def test_a_residents_words_are_kept_once(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text="我叫金丝雀，漏水 唱歌")
    steps.do(request, "correction", {"item": PESTS}, station=True)
    with matching.session() as session:
        assert session.exec(select(Request.text)).one().startswith("我叫金丝雀")
        for row in (*session.exec(select(Label)), *session.exec(select(Request.understood))):
            assert "金丝雀" not in str(row)
