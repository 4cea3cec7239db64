"""What a claim weighs, by published weights, and why it won or lost, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.matching.rank import SATISFACTION_PRIOR
from shared.events.matching import Reason

WEIGHTS = {"fit": 400, "satisfaction": 300, "wish": 300}
"""Points (of 1000) for: the share of the project's items that the organization's agreements cover; its satisfaction; the
place of the project in its order of wishes (1, 1/2, 1/3, ...)."""


@dataclass(frozen=True, slots=True)
class Bid:
    """A claim that stands at the bell, with names to say its fate with and to put it in order by: the same season with
    other ids gives the same allocation."""

    project: str
    project_zh: str
    project_en: str
    organization: str
    name_zh: str
    name_en: str
    wish: int
    capacity: int
    fit: float
    satisfaction: float | None

    @property
    def parts(self) -> dict[str, float]:
        """What the score is made of, each 0 to 1."""
        known = SATISFACTION_PRIOR if self.satisfaction is None else self.satisfaction
        return {"fit": round(self.fit, 6), "satisfaction": round(known, 6), "wish": round(1 / self.wish, 6)}

    @property
    def score(self) -> int:
        """0 to 1000."""
        return round(sum(WEIGHTS[name] * value for name, value in self.parts.items()))


MOST = sum(WEIGHTS.values())
"""The most points a claim can have."""
Pairs = Mapping[tuple[str, str], str]
"""(project, organization) → the station's reason."""


def instance(
    bids: Sequence[Bid], seed: int, pinned: Pairs, forbidden: Pairs, fairness: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The instance for `allocate.solve`: its arcs are these bids, and nothing else. A pin is of a bid: nobody is given what
    it did not claim. An organization that stated several capacities is taken at the smallest."""
    ordered = sorted(bids, key=lambda bid: (bid.project_zh, bid.project, bid.name_zh, bid.organization))
    needs = list(dict.fromkeys(bid.project for bid in ordered))
    by_name = sorted({(bid.name_zh, bid.organization) for bid in bids})
    organizations = [organization for _, organization in by_name]
    capacity: dict[str, int] = {}
    for bid in bids:
        capacity[bid.organization] = min(bid.capacity, capacity.get(bid.organization, bid.capacity))
    need_at = {project: place for place, project in enumerate(needs)}
    organization_at = {organization: place for place, organization in enumerate(organizations)}

    def positions(pairs: Pairs) -> list[list[int]]:
        standing = {(bid.project, bid.organization) for bid in bids}
        return sorted([need_at[one], organization_at[other]] for one, other in pairs if (one, other) in standing)

    return {
        "needs": needs,
        "organizations": [{"id": organization, "capacity": capacity[organization]} for organization in organizations],
        "arcs": {
            "need": [need_at[bid.project] for bid in ordered],
            "organization": [organization_at[bid.organization] for bid in ordered],
            "score": [bid.score for bid in ordered],
        },
        "options": {"seed": seed, "pins": positions(pinned), "forbidden": positions(forbidden), **(fairness or {})},
    }


def winners(instance: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    """Project → the organization it was allocated to."""
    organizations = [one["id"] for one in instance["organizations"]]
    pairs = zip(instance["needs"], result["assignment"], strict=True)
    return {project: organizations[place] for project, place in pairs if place is not None}


def winners_without_fairness(instance: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    """Project → the organization it would have been allocated to without the terms of fairness."""
    return winners(instance, result if result["fairness"] is None else result["fairness"]["plain"])


def prices(instance: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, float]:
    """What one more project of each organization would have been worth, in points: never less than nothing."""
    certificate = result["certificate"]
    pairs = zip(instance["organizations"], certificate["prices"], strict=True)
    return {one["id"]: max(0, price) / certificate["unit"] for one, price in pairs}


def reasons(
    bids: Sequence[Bid],
    instance: Mapping[str, Any],
    result: Mapping[str, Any],
    seed: int,
    pinned: Pairs,
    forbidden: Pairs,
) -> dict[tuple[str, str], Reason]:
    """Why each bid won or lost, by (project, organization). Where somebody else would have won without the terms of
    fairness, the reason says so."""
    won, otherwise = winners(instance, result), winners_without_fairness(instance, result)
    by_project: dict[str, list[Bid]] = defaultdict(list)
    carried: dict[str, list[str]] = defaultdict(list)
    capacity: dict[str, int] = {}
    for bid in bids:
        by_project[bid.project].append(bid)
        capacity[bid.organization] = min(bid.capacity, capacity.get(bid.organization, bid.capacity))
        if won.get(bid.project) == bid.organization:
            carried[bid.organization].append(bid.project)
    said = {}
    for project, own in by_project.items():
        winner = next((bid for bid in own if won.get(project) == bid.organization), None)
        for bid in own:
            pair = (bid.project, bid.organization)
            settled = pair in forbidden or any((project, one.organization) in pinned for one in own)
            moved = not settled and won.get(project) != otherwise.get(project)
            if moved and bid.organization in (won.get(project), otherwise.get(project)):
                said[pair] = _why_fairness(bid, winner)
            elif bid is winner:
                said[pair] = _why_won(bid, own, seed, pinned, forbidden)
            elif pair in forbidden:
                said[pair] = Reason(
                    zh=f"服务站已公布理由，不由贵组织承接：{forbidden[pair]}",
                    en=f"The station ruled this out, and published why: {forbidden[pair]}",
                )
            elif winner is not None and (project, winner.organization) in pinned:
                said[pair] = Reason(
                    zh=f"服务站已公布理由，定由{winner.name_zh}承接：{pinned[project, winner.organization]}",
                    en=f"The station settled it on {winner.name_en}, and published why: {pinned[project, winner.organization]}",
                )
            elif winner is None or bid.score >= winner.score:
                said[pair] = _why_lost_all_the_same(bid, winner, len(carried[bid.organization]), capacity, seed)
            else:
                said[pair] = Reason(
                    zh=f"由{winner.name_zh}承接，得{winner.score}分，贵组织得{bid.score}分。",
                    en=f"{winner.name_en} carries it with {winner.score} points; you had {bid.score}.",
                )
    return said


def _why_fairness(bid: Bid, winner: Bid | None) -> Reason:
    """Why a bid won, or lost, that would not have without the terms of fairness."""
    if bid is winner:
        return Reason(
            zh=f"得{bid.score}分。按大会事先公布的公平规则，承接机会少的组织得到照顾，这个项目由贵组织承接；规则的代价不超过公布的上限。",
            en=f"You had {bid.score} points. By the rules of fairness published with the meeting, which look after those that "
            "carry few projects, it is yours; what these rules cost stays within the published cap.",
        )
    to = (
        ("没有分配出去", "it went to nobody") if winner is None else (f"由{winner.name_zh}承接", f"it went to {winner.name_en}")
    )
    return Reason(
        zh=f"贵组织得{bid.score}分。只按得分，这个项目会由贵组织承接；按大会事先公布的公平规则，{to[0]}。",
        en=f"You had {bid.score} points. By points alone it would have been yours; by the rules of fairness published with the "
        f"meeting, {to[1]}.",
    )


def _why_won(bid: Bid, own: Sequence[Bid], seed: int, pinned: Pairs, forbidden: Pairs) -> Reason:
    pair = (bid.project, bid.organization)
    others = [other for other in own if other is not bid and (other.project, other.organization) not in forbidden]
    if pair in pinned:
        return Reason(
            zh=f"服务站已公布理由，定由贵组织承接：{pinned[pair]}",
            en=f"The station settled it on you, and published why: {pinned[pair]}",
        )
    if not others:
        return Reason(zh="只有贵组织认领，得以承接。", en="Yours was the only claim that could be met.")
    best = max(other.score for other in others)
    if bid.score > best:
        return Reason(
            zh=f"认领的组织里得分最高：{bid.score}分，其次{best}分。",
            en=f"You had the most points of all who claimed it: {bid.score}, the next {best}.",
        )
    if bid.score == best:
        return Reason(
            zh=f"得分并列最高（{bid.score}分），这样分配承接的项目最多、总分最高；仍相同的，由事先公布的种子{seed}决定。",
            en=f"You shared the most points ({bid.score}); this way most projects are carried with the most points in all, "
            f"and where that is still equal the seed published beforehand, {seed}, decides.",
        )
    return Reason(
        zh=f"得{bid.score}分；得分更高的组织承接了别的项目，这样承接的项目最多、总分最高。",
        en=f"You had {bid.score} points; who had more carries other projects, and this way most projects are carried, with the "
        "most points in all.",
    )


def _why_lost_all_the_same(bid: Bid, winner: Bid | None, carried: int, capacity: Mapping[str, int], seed: int) -> Reason:
    """Why a bid lost that had no fewer points than the winner's, or that lost to nobody."""
    if carried >= capacity[bid.organization]:
        return Reason(
            zh=f"贵组织说明能承接{capacity[bid.organization]}个项目，已由本次认领的其他项目占满。",
            en=f"You said that you can carry {capacity[bid.organization]}; that many of your other claims were met.",
        )
    if winner is not None and bid.score == winner.score:
        return Reason(
            zh=f"与{winner.name_zh}得分相同（{bid.score}分），由承接项目数、总分和事先公布的种子{seed}决定。",
            en=f"You and {winner.name_en} had {bid.score} points each; the number of projects carried, the sum of points and "
            f"the seed published beforehand, {seed}, decide.",
        )
    return Reason(
        zh=f"贵组织得{bid.score}分；为了让承接的项目最多、总分最高，由别的组织承接。",
        en=f"You had {bid.score} points; another carries it so that most projects are carried, with the most points in all.",
    )
