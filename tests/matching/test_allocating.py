"""The allocation is the best there is, on every small instance; it keeps to the claims, the capacities and the pins."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching import allocate, weighing
from services.matching.allocate import Unsolvable, solve


@st.composite
def instances(draw, most=5):
    needs, organizations = draw(st.integers(1, most)), draw(st.integers(1, 4))
    pairs = list(itertools.product(range(needs), range(organizations)))
    arcs = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=len(pairs)))
    scores = draw(st.lists(st.integers(0, 6), min_size=len(arcs), max_size=len(arcs)))
    forbidden = draw(st.lists(st.sampled_from(arcs), unique=True, max_size=2)) if arcs else []
    return {
        "needs": [f"need{n}" for n in range(needs)],
        "organizations": [{"id": f"org{o}", "capacity": draw(st.integers(0, 3))} for o in range(organizations)],
        "arcs": {"need": [n for n, _ in arcs], "organization": [o for _, o in arcs], "score": scores},
        "options": {"seed": draw(st.integers(0, 2**53 - 1)), "pins": [], "forbidden": [list(pair) for pair in forbidden]},
    }


def brute_force(instance):
    """The most needs that can be served, and the largest sum of scores with which they can."""
    columns = instance["arcs"]
    forbidden = {tuple(pair) for pair in instance["options"]["forbidden"]}
    scores = dict(zip(zip(columns["need"], columns["organization"], strict=True), columns["score"], strict=True))
    choices = [
        [None, *(o for n, o in scores if n == need and (n, o) not in forbidden)] for need in range(len(instance["needs"]))
    ]
    pins = dict(instance["options"]["pins"])
    best = (0, 0)
    for assignment in itertools.product(*choices):
        carried = [one for one in assignment if one is not None]
        fits = all(carried.count(o) <= one["capacity"] for o, one in enumerate(instance["organizations"]))
        if fits and all(assignment[need] == organization for need, organization in pins.items()):
            total = sum(scores[n, o] for n, o in enumerate(assignment) if o is not None)
            best = max(best, (len(carried), total))
    return best


@given(instances())
@settings(max_examples=300, deadline=None)
def test_it_equals_brute_force_and_keeps_to_arcs_and_capacities(instance):
    result = solve(instance)
    assert (result["served"], result["objective"]) == brute_force(instance)
    arcs = set(zip(instance["arcs"]["need"], instance["arcs"]["organization"], strict=True))
    forbidden = {tuple(pair) for pair in instance["options"]["forbidden"]}
    given_out = {(need, one) for need, one in enumerate(result["assignment"]) if one is not None}
    assert given_out <= arcs - forbidden
    for place, organization in enumerate(instance["organizations"]):
        assert result["assignment"].count(place) <= organization["capacity"]
    again = solve(instance)
    assert again["assignment"] == result["assignment"]


@given(instances(), st.data())
@settings(max_examples=150, deadline=None)
def test_pins_hold_and_the_rest_is_best(instance, data):
    forbidden = {tuple(pair) for pair in instance["options"]["forbidden"]}
    arcs = [
        pair
        for pair in zip(instance["arcs"]["need"], instance["arcs"]["organization"], strict=True)
        if pair not in forbidden and instance["organizations"][pair[1]]["capacity"] > 0
    ]
    if not arcs:
        return
    pin = data.draw(st.sampled_from(arcs))
    instance["options"]["pins"] = [list(pin)]
    result = solve(instance)
    assert result["assignment"][pin[0]] == pin[1]
    assert (result["served"], result["objective"]) == brute_force(instance)


def test_ties_are_settled_by_the_seed():
    def won(seed):
        organizations = [{"id": n, "capacity": 1} for n in range(4)]
        arcs = {"need": [0] * 4, "organization": [0, 1, 2, 3], "score": [700] * 4}
        return solve({"needs": ["p"], "organizations": organizations, "arcs": arcs, "options": {"seed": seed}})["assignment"][0]

    winners = [won(seed) for seed in range(200)]
    assert winners == [won(seed) for seed in range(200)]
    assert all(30 <= winners.count(one) <= 70 for one in range(4))
    # One point more outweighs every tie.
    arcs = {"need": [0] * 4, "organization": [0, 1, 2, 3], "score": [700, 700, 701, 700]}
    organizations = [{"id": n, "capacity": 1} for n in range(4)]
    for seed in range(50):
        instance = {"needs": ["p"], "organizations": organizations, "arcs": arcs, "options": {"seed": seed}}
        assert solve(instance)["assignment"] == [2]


ONE = {"needs": ["p"], "organizations": [{"id": "o", "capacity": 1}]}


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ({"arcs": {"need": [1], "organization": [0], "score": [1]}}, "position of need"),
        ({"arcs": {"need": [0], "organization": [1], "score": [1]}}, "position of organization"),
        ({"arcs": {"need": [0], "organization": [0], "score": [-1]}}, "negative"),
        ({"arcs": {"need": [0], "organization": [0], "score": [2**60]}}, "too large"),
        ({"arcs": {"need": [], "organization": [], "score": []}, "options": {"pins": [[0, 0]]}}, "no arc"),
        (
            {
                "organizations": [{"id": "o", "capacity": 0}],
                "arcs": {"need": [0], "organization": [0], "score": [1]},
                "options": {"pins": [[0, 0]]},
            },
            "capacity",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_sentence(instance, words):
    with pytest.raises(Unsolvable, match=words):
        solve(ONE | instance)


def bid(project, organization, wish=1, capacity=1, satisfaction=None, fit=1.0):
    return weighing.Bid(
        project=project,
        project_zh=project,
        project_en=project,
        organization=organization,
        name_zh=organization,
        name_en=organization,
        wish=wish,
        capacity=capacity,
        fit=fit,
        satisfaction=satisfaction,
    )


def decided(bids, seed=7, pinned=None, forbidden=None):
    instance = weighing.instance(bids, seed, pinned or {}, forbidden or {})
    won = weighing.winners(instance, allocate.solve(instance))
    return won, weighing.reasons(bids, won, seed, pinned or {}, forbidden or {})


def test_the_arcs_are_the_bids_and_nothing_else():
    bids = [bid("助餐", "甲", capacity=3), bid("助餐", "乙"), bid("家电", "甲", wish=2, capacity=2)]
    instance = weighing.instance(bids, 5, {("助餐", "甲"): "x"}, {("助餐", "丙"): "y"})
    named = [
        (instance["needs"][need], instance["organizations"][organization]["id"])
        for need, organization in zip(instance["arcs"]["need"], instance["arcs"]["organization"], strict=True)
    ]
    assert sorted(named) == sorted((one.project, one.organization) for one in bids)
    assert {one["id"]: one["capacity"] for one in instance["organizations"]} == {"甲": 2, "乙": 1}
    options = instance["options"]
    assert [(instance["needs"][n], instance["organizations"][o]["id"]) for n, o in options["pins"]] == [("助餐", "甲")]
    assert (options["seed"], options["forbidden"]) == (5, [])


def test_every_bid_is_told_why():
    bids = [bid("助餐", "甲", satisfaction=0.9), bid("助餐", "乙", satisfaction=0.5), bid("家电", "丙")]
    won, said = decided(bids)
    assert won == {"助餐": "甲", "家电": "丙"}
    assert "得分最高" in said["助餐", "甲"].zh
    assert "由甲承接" in said["助餐", "乙"].zh
    assert "只有贵组织认领" in said["家电", "丙"].zh
    _, said = decided(bids, forbidden={("助餐", "甲"): "有利益关系"})
    assert "有利益关系" in said["助餐", "甲"].zh
    assert "只有贵组织认领" in said["助餐", "乙"].zh
    won, said = decided(bids, pinned={("助餐", "乙"): "居民代表表决"})
    assert won["助餐"] == "乙"
    assert "居民代表表决" in said["助餐", "乙"].zh
    assert "居民代表表决" in said["助餐", "甲"].zh
    # Full: it claimed two and can carry one.
    won, said = decided([bid("助餐", "甲"), bid("家电", "甲", wish=2), bid("家电", "乙")])
    assert won == {"助餐": "甲", "家电": "乙"}
    won, said = decided([bid("助餐", "甲"), bid("家电", "甲", wish=2)])
    assert len(won) == 1
    assert "已由本次认领的其他项目占满" in next(said[pair].zh for pair in said if won.get(pair[0]) != pair[1])
    # Equal: the seed is named.
    won, said = decided([bid("助餐", "甲"), bid("助餐", "乙")], seed=424242)
    assert all("424242" in reason.zh and "424242" in reason.en for reason in said.values())


@given(st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from("ABCDE"), st.integers(1, 4)), unique_by=lambda b: b[:2]))
@settings(max_examples=100, deadline=None)
def test_every_loser_and_winner_of_any_claims_has_a_reason_in_both_languages(claims):
    bids = [bid(project, organization, wish=wish, capacity=2) for project, organization, wish in claims]
    won, said = decided(bids)
    assert said.keys() == {(one.project, one.organization) for one in bids}
    assert all(reason.zh and reason.en for reason in said.values())
    assert set(won.items()) <= said.keys()
