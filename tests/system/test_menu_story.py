"""菜单式: the services stand on one menu, arranged by the five classes and the categories, with their fees and their stars, and
residents choose for themselves (M5, M11, M12). Over HTTP only."""

from __future__ import annotations

from typing import Any

from tests.system.station_desk import Desk


def test_residents_choose_from_the_menu_and_their_stars_are_on_it(desk: Desk) -> None:
    chunhui = desk.registered("春晖助老服务中心")
    qingyin = desk.apply("清音合唱团", name_en="Clear Voices", organization_class="culture")
    desk.post(f"/organizations/{qingyin}/registration")
    desk.agree(qingyin, categories=["leisure"])
    lunch = desk.offer(chunhui)
    named = {"title_zh": "入户照护", "title_en": "Care at home", "standard_zh": "按次。", "standard_en": "By the visit."}
    care = desk.offer(chunhui, item="home-care", fee_mode="low", price="15.00", hours="24/7 off", **named)
    sung = {"title_zh": "周末合唱", "title_en": "Weekend choir", "standard_zh": "两小时。", "standard_en": "Two hours."}
    choir = desk.offer(qingyin, item="choir", fee_mode="paid", price="30.00", area=["heping-lane"], **sung)

    # Looked through by class, category, item, fee, place and hour, and by words in either language.
    looks: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {lunch, care, choir}),
        ({"organization_class": "culture"}, {choir}),
        ({"organization_class": "public-welfare"}, {lunch, care}),
        ({"category": "elderly"}, {lunch, care}),
        ({"item": "home-care"}, {care}),
        ({"fee_mode": "free"}, {lunch}),
        ({"fee_mode": "low"}, {care}),
        ({"fee_mode": "paid"}, {choir}),
        ({"open_now": True}, {lunch, choir}),
        ({"compound": "fenghe-garden"}, {lunch, care}),
        ({"q": "合唱"}, {choir}),
        ({"q": "clear voices"}, {choir}),
        ({"q": "老人中午"}, {lunch}),
        ({"q": "春晖 照护"}, {care}),
        ({"q": "午餐"}, {lunch}),
        ({"q": "老人午餐"}, {lunch}),
        ({"q": "没有的服务"}, set()),
    ]
    assert [(look, set(desk.menu(**look))) for look, _ in looks] == looks
    entry = desk.get(f"/offers/{care}")
    assert (entry["fee_mode"], entry["price"], entry["stars"], entry["ratings"]) == ("low", "15.00", None, 0)

    # Stars appear with the fifth resident's rating, with their count; four would show who they were.
    for number in range(5):
        desk.system.quiet()
        assert desk.get(f"/offers/{lunch}")["stars"] is None
        request, link = desk.request()
        referral = desk.referral(request)
        for verb in ("acceptance", "delivery"):
            desk.do(f"/referrals/{referral['id']}/{verb}", None, desk.of(chunhui))
        rated = desk.client.post("/api/feedback/ratings", json={"stars": 5 if number else 4}, headers=link)
        assert rated.is_success, rated.text
    desk.system.quiet()
    entry = desk.get(f"/offers/{lunch}")
    assert 3 < entry["stars"] < 5
    assert entry["ratings"] == 5
    assert [one["stars"] is None for one in desk.get("/offers", community=desk.community, item="choir")["items"]] == [True]

    # What its organization may no longer serve is not on the menu, and back on it when it may again.
    desk.post(f"/organizations/{chunhui}/suspension", {"reason": "食品许可过期"})
    assert desk.menu() == [choir]
    desk.post(f"/organizations/{chunhui}/reinstatement", {"reason": "许可已更新"})
    assert set(desk.menu()) == {lunch, care, choir}
