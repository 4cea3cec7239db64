"""What a message is besides a need: a cry for help, which no organization of volunteers may be waited for, or abuse.

Plain patterns (`signals.txt`), judged clause by clause: a clause that talks of a course or a drill, fears or supposes what
it then names, or tells of the past is none. That somebody is at a school, or says that the past comes again, does not make
it so. A false alarm costs a sentence that gives a number to call; a missed one may cost a life: so in doubt it is one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from services.matching.classify.words import BREAK, normal

Alarm = Literal["despair", "medical", "fire", "police"]
ALARMS: tuple[Alarm, ...] = get_args(Alarm)
KEPT = 32
"""Of so many texts it is remembered what they are: each is judged when it comes in and when it is read."""


class Advice(NamedTuple):
    """Whom to call, and what to say to who asked for help, in both languages."""

    number: str
    zh: str
    en: str


ADVICE: dict[str, Advice] = {
    "medical": Advice(
        "120",
        "情况紧急，请马上拨打120急救电话，说清楚地点，守在病人身边等救护车。社区服务站也已看到这条消息，但请不要等我们。",
        "This is an emergency: call 120 for an ambulance now, say where you are, and stay with the patient. The community's "
        "station sees your message too, but do not wait for us.",
    ),
    "fire": Advice(
        "119",
        "情况紧急，请马上离开危险的地方，到安全处拨打119，说清楚地点。闻到燃气味不要开灯、不要在屋里打电话。"
        "社区服务站也已看到这条消息，但请不要等我们。",
        "This is an emergency: get out first, then call 119 and say where. If you smell gas, touch no switch and do not phone "
        "indoors. The community's station sees your message too, but do not wait for us.",
    ),
    "police": Advice(
        "110",
        "情况紧急，请先到安全的地方，马上拨打110报警；不方便说话，可以发短信到12110。社区服务站也已看到这条消息，但请不要等我们。",
        "This is an emergency: get to a safe place and call 110; if you cannot speak, send a text message to 12110. The "
        "community's station sees your message too, but do not wait for us.",
    ),
    "despair": Advice(
        "12356",
        "听到您这样说，我们很担心您。请现在就拨打12356心理援助热线，那里有人听您说话；如果马上有危险，请拨打110或120。"
        "您不是一个人，社区服务站也已看到这条消息，会尽快联系您。",
        "We are worried about you. Please call 12356 now, the line for people in despair: somebody there will listen. If there "
        "is danger this minute, call 110 or 120. You are not alone: the community's station sees your message too.",
    ),
}


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    lines = (Path(__file__).parent / "signals.txt").read_text(encoding="utf-8").splitlines()
    named = (line.partition(": ") for line in lines if not line.startswith("#"))
    return {name: re.compile("|".join(patterns.split())) for name, _, patterns in named}


@lru_cache(KEPT)
def alarm_in(text: str) -> Alarm | None:
    """Which kind of help must be called at once; of several kinds despair first, then the ambulance."""
    clauses = BREAK.split(normal(text))
    return next((alarm for alarm in ALARMS if any(_calls(clause, alarm) for clause in clauses)), None)


def _calls(clause: str, alarm: Alarm) -> bool:
    patterns = _patterns()
    said = patterns[alarm].search(clause)
    if said is None or patterns["talk"].search(clause) or patterns["supposed"].search(clause, 0, said.start()):
        return False
    return not patterns["past"].search(clause) or bool(patterns["now"].search(clause))


@lru_cache(KEPT)
def is_abusive(text: str) -> bool:
    """Whether a text insults or threatens. It may ask for something all the same."""
    return any(_patterns()["abuse"].search(clause) for clause in BREAK.split(normal(text)))
