"""What is solved at a claim meeting is its claims, and everybody is told why, also where fairness decided."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching import allocate, weighing


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


def decided(bids, seed=7, pinned=None, forbidden=None, **fairness):
    instance = weighing.instance(bids, seed, pinned or {}, forbidden or {}, fairness)
    result = allocate.solve(instance)
    allocate.check(instance, result)
    said = weighing.reasons(bids, instance, result, seed, pinned or {}, forbidden or {})
    return weighing.winners(instance, result), said


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


def test_who_won_or_lost_by_fairness_is_told_so():
    bids = [bid("助餐", "甲", capacity=2), bid("家电", "甲", wish=2, capacity=2), bid("家电", "乙", wish=3)]
    won, said = decided(bids)
    assert won == {"助餐": "甲", "家电": "甲"}
    won, said = decided(bids, first_project_bonus=100, fairness_cap=0.1)
    assert won == {"助餐": "甲", "家电": "乙"}
    assert "公平规则" in said["家电", "乙"].zh and "rules of fairness" in said["家电", "乙"].en
    assert "只按得分，这个项目会由贵组织承接" in said["家电", "甲"].zh and "went to 乙" in said["家电", "甲"].en
    assert "只有贵组织认领" in said["助餐", "甲"].zh
    # Beyond the cap points alone decide.
    won, said = decided(bids, first_project_bonus=100, fairness_cap=0.001)
    assert won == {"助餐": "甲", "家电": "甲"}
    assert "公平" not in said["家电", "乙"].zh
