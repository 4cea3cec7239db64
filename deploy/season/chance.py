"""What happens by chance in a season: who declines, how well it goes, who rates and how.

Every draw comes from a generator seeded by (seed, phase, natural keys) such as a request's number and an organization's
name. So one seed gives one season on every deployment, whatever ids it gave and in whatever order it answered.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from deploy.sample_community import Quality, Request
from shared.events.words import Language

SILENT = 0.08
DISPUTED = 0.02
COMMENTED = 0.4
FORGOTTEN = 0.04
PASSED_ON = 0.5

DECLINED = ("本周人手已经排满", "师傅请假，近期上不了门", "这户的情况超出我们的能力")
COMMENTS: dict[Language, dict[int, tuple[str, ...]]] = {
    "zh": {
        1: ("约好的时间没来，白等一上午。", "弄完跟没弄一样。"),
        2: ("来是来了，活儿干得糙。", "催了三回才来。"),
        3: ("还行吧，凑合。", "事办了，就是慢。"),
        4: ("挺好的，下回还找他们。", "态度好，就是晚到一会儿。"),
        5: ("真是帮了大忙，谢谢！", "又快又利索，还把地给擦了。"),
    },
    "en": {
        1: ("Nobody came at the agreed time.", "It is as bad as before."),
        2: ("They came, but the work was sloppy.", "I had to ask three times."),
        3: ("Fine, nothing special.", "Done in the end, but slow."),
        4: ("Good work, I would ask again.", "Friendly, only a little late."),
        5: ("A great help, thank you!", "Quick, careful and kind."),
    },
}


@dataclass(frozen=True)
class Rating:
    """What a resident says about a service: 1 to 5 stars, and sometimes a word."""

    stars: int
    comment: str | None


class Chance:
    """The draws of the season with this seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def declines(self, request: Request, organization: Quality) -> str | None:
        """The organization's reason for declining the request, or None where it accepts."""
        dice = self._dice("answer", request.number, organization.organization_zh)
        return dice.choice(DECLINED) if dice.random() < organization.decline_rate else None

    def forgets(self, request: Request, organization: Quality) -> bool:
        """Whether the organization leaves the request without an answer until it is overdue."""
        return self._dice("forgets", request.number, organization.organization_zh).random() < FORGOTTEN

    def passes_on(self, request: Request, hub: Quality) -> bool:
        """Whether a hub passes the request on to one of its members rather than serving it itself."""
        return self._dice("passes on", request.number, hub.organization_zh).random() < PASSED_ON

    def disputes(self, request: Request) -> bool:
        """Whether the resident disputes that the request was served."""
        return self._dice("dispute", request.number).random() < DISPUTED

    def rating(self, request: Request, organization: Quality) -> Rating | None:
        """The resident's rating, or None where the resident says nothing. The stars to expect are 1 + 4 x quality."""
        dice = self._dice("rating", request.number, organization.organization_zh)
        if dice.random() < SILENT:
            return None
        stars = min(5, max(1, round(1 + 4 * organization.quality + dice.gauss(0, 0.35))))
        comment = dice.choice(COMMENTS[request.language][stars]) if dice.random() < COMMENTED else None
        return Rating(stars, comment)

    def evaluation(self, organization: Quality) -> int:
        """The station's score (0 to 100) for the organization: 15 + 80 x quality, give or take a little."""
        noise = self._dice("evaluation", organization.organization_zh).gauss(0, 2)
        return min(100, max(0, round(100 * (0.15 + 0.8 * organization.quality) + noise)))

    def score(self, project: str, judge: int, organization: Quality) -> int:
        """A judge's score (0 to 100) for how an organization did a project."""
        noise = self._dice("score", project, judge).gauss(0, 4)
        return min(100, max(0, round(100 * (0.2 + 0.7 * organization.quality) + noise)))

    def _dice(self, phase: str, *natural_keys: object) -> random.Random:
        return random.Random("|".join(map(str, (self.seed, phase, *natural_keys))))
