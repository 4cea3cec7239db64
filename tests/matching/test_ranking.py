"""Who comes first and why: hard conditions, published weights, and nothing but natural keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.matching import rank
from services.matching.rank import Need, Opening
from shared.identifiers import new_id
from tests.matching.given import LEAK, PLUMBING, Town

NEED = Need(
    item=PLUMBING,
    item_zh="水电维修",
    item_en="Plumbing and electrical repair",
    confidence=0.9,
    compound="garden",
    text=LEAK,
)


def opening(name, **terms):
    """An offer of an organization that can serve the need."""
    return Opening(
        **{
            "organization": new_id(),
            "name_zh": name,
            "name_en": name,
            "offer": new_id(),
            "title_zh": f"{name}上门",
            "title_en": name,
            "item": PLUMBING,
            "fee_mode": "free",
            "price": None,
            "unit": "visit",
            "area": None,
            "weekly_capacity": 10,
        }
        | terms
    )


WISHES = replace(NEED, speaks="en", fee_limit=Decimal("30.00"))


@pytest.mark.parametrize(
    ("condition", "terms"),
    [
        ("item", {"item": "choir-music"}),
        ("standing", {"serves": False}),
        ("agreement", {"agreed": False}),
        ("area", {"area": {"court"}}),
        ("hours", {"is_open": False}),
        ("language", {"languages": {"zh"}}),
        ("fee", {"fee_mode": "low", "price": "30.01"}),
        ("conflict", {"barred": True}),
        ("capacity", {"used": 10}),
    ],
)
def test_hard_conditions(condition, terms):
    bilingual = {"languages": {"zh", "en"}}
    assert rank.failing(opening("甲", **bilingual | terms), WISHES) == condition
    assert rank.rank(WISHES, [opening("甲", **bilingual | terms)]) == []
    assert len(rank.rank(WISHES, [opening("甲", **bilingual)])) == 1


@pytest.mark.parametrize("terms", [{"used": 9}, {"fee_mode": "low", "price": "30.00"}, {"area": {"garden", "court"}}])
def test_the_edges_of_the_conditions_count_in(terms):
    assert len(rank.rank(WISHES, [opening("甲", languages={"en"}, **terms)])) == 1


def test_what_was_asked_for_in_the_same_set_takes_up_capacity():
    one = opening("甲", used=8)
    assert rank.rank(NEED, [one], taken={one.offer: 1})
    assert not rank.rank(NEED, [one], taken={one.offer: 2})


def test_who_was_tried_is_left_out():
    first, second = opening("甲"), opening("乙")
    (candidate,) = rank.rank(NEED, [first, second], {first.organization})
    assert candidate.organization == second.organization


def test_the_score_is_the_weighted_sum_of_the_parts():
    (candidate,) = rank.rank(NEED, [opening("甲", fee_mode="low", satisfaction=0.9, stars=4.5, ratings=12)])
    assert candidate.parts["fit"] == 0.9
    assert candidate.parts["satisfaction"] == 0.9
    assert candidate.parts.keys() == rank.WEIGHTS.keys()
    assert candidate.parts["fee"] == 0.7
    assert candidate.score == pytest.approx(sum(rank.WEIGHTS[name] * candidate.parts[name] for name in rank.WEIGHTS))


@pytest.mark.parametrize(
    ("terms", "zh", "en"),
    [
        ({}, "免费", "free of charge"),
        ({"fee_mode": "low", "price": "13.00"}, "低偿，每次13.00元", "a low fee: 13.00 yuan per visit"),
        (
            {"fee_mode": "paid", "price": "45.00", "unit": "hour"},
            "有偿，每小时45.00元",
            "for a fee: 45.00 yuan per hour",
        ),
        ({"area": {"garden"}}, "覆盖您所在的小区", "serves your compound"),
        ({}, "服务整个社区", "serves the whole community"),
        (
            {"satisfaction": 0.92, "stars": 4.6, "ratings": 12},
            "居民评价4.6星（12人）",
            "rated 4.6 stars by 12 residents",
        ),
    ],
)
def test_reasons_in_words(terms, zh, en):
    (candidate,) = rank.rank(NEED, [opening("甲", **terms)])
    assert (zh, en) in {(reason.zh, reason.en) for reason in candidate.reasons}


def test_what_the_resident_asked_for_is_among_the_reasons():
    wishes = replace(WISHES, at_a_time=True)
    (candidate,) = rank.rank(wishes, [opening("甲", languages={"zh", "en"}, fee_mode="low", price="13.00")])
    said = {(reason.zh, reason.en) for reason in candidate.reasons}
    assert said > {
        ("您说的时间能来", "open at the time you named"),
        ("能用英语服务", "serves in English"),
        ("低偿，每次13.00元，不超过您说的上限", "a low fee: 13.00 yuan per visit, within the limit you set"),
    }
    (candidate,) = rank.rank(NEED, [opening("甲")])
    assert not any("您说的" in reason.zh or "能用" in reason.zh for reason in candidate.reasons)


@pytest.mark.parametrize(
    ("confidence", "zh", "en"),
    [
        (0.07, "看起来对口：水电维修", "seems to offer this: Plumbing and electrical repair"),
        (0.2999, "看起来对口：水电维修", "seems to offer this: Plumbing and electrical repair"),
        (0.3, "服务项目正好对口：水电维修", "offers exactly this: Plumbing and electrical repair"),
    ],
)
def test_an_unsure_reading_is_not_called_exact(confidence, zh, en):
    (candidate,) = rank.rank(replace(NEED, confidence=confidence), [opening("甲")])
    assert (candidate.reasons[0].zh, candidate.reasons[0].en) == (zh, en)


@pytest.mark.parametrize(("capacity", "zh"), [(10_000, "按轮流次序，这次排在前面"), (1, "按轮流次序，这次排在后面")])
def test_whose_turn_it_is_in_words(capacity, zh):
    (candidate,) = rank.rank(NEED, [opening("乙", weekly_capacity=capacity)])
    assert candidate.reasons[-1].zh == zh


def test_an_organization_stands_once_with_its_best_offer():
    organization = new_id()
    dear = opening("甲", organization=organization, fee_mode="paid")
    free = replace(dear, offer=new_id(), fee_mode="free")
    (candidate,) = rank.rank(NEED, [dear, free])
    assert candidate.offer == free.offer


def test_the_order_knows_names_and_texts_only():
    names = ["甲", "乙", "丙", "丁", "戊"]
    orders = set()
    for turn in range(4):
        openings = [opening(name) for name in names]
        by_id = {each.organization: each.name_zh for each in openings}
        openings = openings[turn:] + openings[:turn]
        orders.add(tuple(by_id[candidate.organization] for candidate in rank.rank(NEED, openings)))
    assert len(orders) == 1


def test_one_that_drops_out_leaves_the_others_in_their_order():
    openings = [opening(name) for name in "甲乙丙丁戊"]
    order = [candidate.organization for candidate in rank.rank(NEED, openings)]
    without = [candidate.organization for candidate in rank.rank(NEED, openings, {order[1]})]
    assert without == [order[0], *order[2:]]


def test_equal_scores_go_by_name(monkeypatch):
    monkeypatch.setattr("services.matching.rank.scoring.turn", lambda *_: 0.5)
    openings = [opening(name) for name in ("丙", "乙", "甲")]
    names = {each.organization: each.name_zh for each in openings}
    assert [names[candidate.organization] for candidate in rank.rank(NEED, openings)] == sorted(names.values())


def test_turns_are_shared_by_capacity():
    first = Counter()
    openings = [opening("甲", weekly_capacity=10), opening("乙", weekly_capacity=10), opening("丙", weekly_capacity=20)]
    names = {each.organization: each.name_zh for each in openings}
    for number in range(2000):
        best = rank.rank(replace(NEED, text=f"{LEAK}{number}"), openings)[0]
        first[names[best.organization]] += 1
    shares = {name: count / 2000 for name, count in first.items()}
    assert shares == {
        "甲": pytest.approx(0.25, abs=0.04),
        "乙": pytest.approx(0.25, abs=0.04),
        "丙": pytest.approx(0.5, abs=0.04),
    }


def test_a_turn_never_outweighs_much_better_service():
    good, bad = (
        opening("甲", satisfaction=0.95, stars=4.8, ratings=9),
        opening("乙", satisfaction=0.4, stars=2, ratings=9),
    )
    for number in range(200):
        best = rank.rank(replace(NEED, text=f"{LEAK}{number}"), [bad, good])[0]
        assert best.organization == good.organization


def test_another_community_with_other_ids_gets_the_same_order(matching, steps):
    names = ["甲", "乙", "丙", "丁"]
    texts = [LEAK, "马桶堵了", "家里跳闸了", "a pipe is leaking"]
    orders = []
    for turned in (False, True):
        town = Town()
        if turned:  # other ids, and ids in another order
            for name in reversed(names):
                town.id_of(name)
        town.open_with(matching, *(reversed(names) if turned else names))
        matching.hear(town.satisfaction("乙", 91, 4.6, 12), town.satisfaction("丁", 99, None, 2))
        steps.town = town
        seen = [steps.seen(town.submit(matching, text=text)["id"]) for text in texts]
        orders.append(
            [[(c["organization_name_zh"], c["score"], c["parts"], c["reasons"]) for c in view["candidates"]] for view in seen]
        )
    assert orders[0] == orders[1]
    assert {len(order) for order in orders[0]} == {4}
    # One rating less than five says nothing, neither in words nor in the score.
    parts = {name: parts for name, _, parts, _ in orders[0][0]}
    assert parts["乙"]["satisfaction"] == 0.91
    assert parts["丁"]["satisfaction"] == rank.UNRATED


def test_a_request_of_another_compound_finds_who_comes_there(matching, town, steps):
    matching.hear(town.opened(), town.taxonomy(), *town.member("甲", area=("garden",)), *town.member("乙", area=("court",)))
    assert steps.asked(town.submit(matching)["id"]) == "甲"
    assert steps.asked(town.submit(matching, compound="court")["id"]) == "乙"


def test_an_agreement_of_another_time_does_not_count(matching, town, steps):
    matching.hear(
        town.opened(),
        town.taxonomy(),
        town.organization("甲"),
        town.agreement("甲", ends_on=date(2021, 1, 1)),
        town.offer("甲"),
    )
    assert steps.seen(town.submit(matching)["id"])["status"] == "unmatched"
