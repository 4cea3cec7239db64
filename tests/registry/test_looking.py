"""What is found on the menu by words, as they are written or by their pieces."""

from __future__ import annotations

import pytest

from services.registry.looking import Entry, found, named

ITEMS = {
    "meal-service": ("助餐送餐", "Meals", "老人中午吃饭咋整", "老有所依", "Elderly"),
    "plumbing": ("水电维修", "Plumbing", "水管冻裂了", "住有所居", "Housing"),
    "lending": ("闲置共享", "Things to lend", "旧衣服捐给谁"),
}
MENU = {
    "lunch": Entry(("中午送餐到家", "Lunch delivered", "春晖助老服务中心", "Chunhui"), "meal-service"),
    "repair": Entry(("水电应急抢修", "Urgent repair", "应急抢修队", "Repair Team"), "plumbing"),
    "lend": Entry(("闲置物品换一换", "Swap shop", "邻里互助", "Neighbours"), "lending"),
    "wifi": Entry(("WiFi安装", "WiFi set-up", "百度贴吧", "Tieba"), "gone from the taxonomy"),
}


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("送餐", {"lunch"}),
        ("送餐 春晖", {"lunch"}),
        ("送餐 抢修", set()),
        ("ＷＩＦＩ", {"wifi"}),
        # Nowhere as it is written: its characters stand close together, in their order.
        ("午餐", {"lunch"}),
        ("餐午", set()),
        ("午家", set()),
        # Or it is put together of what stands there, with one character by itself at most.
        ("修水管", {"repair"}),
        ("老人午餐", {"lunch"}),
        ("捐衣服", {"lend"}),
        ("队居", set()),
        ("免费午餐", set()),
        ("plumber", {"repair"}),
        ("Repairs", {"repair"}),
        ("wife", set()),
        # A word in letters stands from the beginning of a word.
        ("end", set()),
        ("lend", {"lend"}),
        ("ending", set()),
        ("C++", set()),
        ("(", set()),
        ("午.", set()),
        (" ", {"lunch", "repair", "lend", "wifi"}),
    ],
)
def test_a_word_is_found_as_it_is_written_or_else_by_its_pieces(q: str, ids: set[str]) -> None:
    assert found(q, MENU, ITEMS) == ids


def test_an_item_is_named_by_what_stands_in_its_names_and_phrases() -> None:
    assert named("老人 送餐", ITEMS) == ["meal-service"]
    assert named("修水管", ITEMS) == [], "by its pieces nothing is named"
    assert named("ＥＬＤＥＲ", ITEMS) == ["meal-service"], "in one width and case"


def test_what_stands_somewhere_as_it_is_written_is_looked_for_no_further() -> None:
    menu = MENU | {"named": Entry(("社区午餐", "Community lunch", "食堂", "Canteen"), "lending")}
    assert found("午餐", menu, ITEMS) == {"named"}
    assert found("午餐", MENU, ITEMS) == {"lunch"}
