"""The parts of a score in words a resident can use."""

from __future__ import annotations

from collections.abc import Mapping

from services.matching.rank.values import Need, Opening
from shared.events.matching import Reason

SURE = 0.3
"""The confidence from which on a fit is called exact."""
UNITS = {
    "visit": ("次", "visit"),
    "hour": ("小时", "hour"),
    "person": ("人", "person"),
    "session": ("场", "session"),
    "month": ("月", "month"),
    "item": ("件", "item"),
}
LANGUAGES = {"zh": ("中文", "Chinese"), "en": ("英语", "English")}


def reasons_of(need: Need, opening: Opening, parts: Mapping[str, float]) -> tuple[Reason, ...]:
    """Why an organization stands where it stands, a sentence a part and one for each thing that the resident asked for; what
    says nothing is passed over."""
    fit = (
        Reason(zh=f"服务项目正好对口：{need.item_zh}", en=f"offers exactly this: {need.item_en}")
        if need.confidence >= SURE
        else Reason(zh=f"看起来对口：{need.item_zh}", en=f"seems to offer this: {need.item_en}")
    )
    area = (
        Reason(zh="服务整个社区", en="serves the whole community")
        if opening.area is None
        else Reason(zh="覆盖您所在的小区", en="serves your compound")
    )
    said = (
        fit,
        area,
        _way(opening),
        _time(need),
        _language(need),
        _fee(need, opening),
        _satisfaction(opening),
        _load(opening),
        _awards(opening),
        _price(opening),
        _turn(parts["turn"]),
    )
    return tuple(reason for reason in said if reason is not None)


def _way(opening: Opening) -> Reason | None:
    if opening.meters is None:
        return None
    if opening.meters < 1:
        return Reason(zh="就在您的小区里", en="works from your own compound")
    meters = max(10, round(opening.meters, -1))
    return Reason(zh=f"离您的小区约{meters:.0f}米", en=f"about {meters:.0f} m from your compound")


def _time(need: Need) -> Reason | None:
    return Reason(zh="您说的时间能来", en="open at the time you named") if need.at_a_time else None


def _language(need: Need) -> Reason | None:
    if need.speaks is None:
        return None
    zh, en = LANGUAGES.get(need.speaks, (need.speaks, need.speaks))
    return Reason(zh=f"能用{zh}服务", en=f"serves in {en}")


def _fee(need: Need, opening: Opening) -> Reason:
    if opening.fee_mode == "free":
        return Reason(zh="免费", en="free of charge")
    zh, en = ("低偿", "a low fee") if opening.fee_mode == "low" else ("有偿", "for a fee")
    if opening.price is None:
        return Reason(zh=zh, en=en)
    unit_zh, unit_en = UNITS.get(opening.unit, (opening.unit, opening.unit))
    within = ("", "") if need.fee_limit is None else ("，不超过您说的上限", ", within the limit you set")
    zh, en = f"{zh}，每{unit_zh}{opening.price}元{within[0]}", f"{en}: {opening.price} yuan per {unit_en}{within[1]}"
    return Reason(zh=zh, en=en)


def _satisfaction(opening: Opening) -> Reason:
    if opening.stars is None:
        return Reason(
            zh="评价的居民还不多，先按一般水平算",
            en="not rated by enough residents yet, so counted as average",
        )
    zh = f"居民评价{opening.stars:.1f}星（{opening.ratings}人）"
    en = f"rated {opening.stars:.1f} stars by {opening.ratings} residents"
    if opening.low is not None and opening.high is not None:
        zh += f"，满意度多半在{100 * opening.low:.0f}到{100 * opening.high:.0f}分之间"
        en += f"; the satisfaction most likely lies between {100 * opening.low:.0f} and {100 * opening.high:.0f}"
    return Reason(zh=zh, en=en)


def _load(opening: Opening) -> Reason | None:
    if not opening.used_before:
        return None
    return Reason(
        zh=f"近一周已接{opening.used_before}件，每周能接{opening.weekly_capacity}件",
        en=f"was asked for {opening.used_before} of the {opening.weekly_capacity} requests that it can take in a week",
    )


def _awards(opening: Opening) -> Reason | None:
    if not opening.awards:
        return None
    return Reason(
        zh=f"近三个月已承接{opening.awards}个项目，适当让别的组织也有机会",
        en=f"was given {opening.awards} project(s) in the last three months, so that others come a little earlier",
    )


def _price(opening: Opening) -> Reason | None:
    if opening.price_of_capacity < 0.005:
        return None
    return Reason(
        zh="上次认领大会上很多项目都需要它，适当给它留些余力",
        en="many projects needed it at the last claim meeting, so that some of its strength is spared",
    )


def _turn(value: float) -> Reason:
    if value >= 0.5:
        return Reason(zh="按轮流次序，这次排在前面", en="work goes round, and this time its turn comes early")
    return Reason(zh="按轮流次序，这次排在后面", en="work goes round, and this time its turn comes later")
