"""Pure decisions about webhooks: what may follow what, when an attempt is made again, what an answer means."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notify.rules import position_of
from shared.lifecycle import LifeCycle

WEBHOOK: LifeCycle = {
    ("new", "create"): "active",
    ("active", "pause"): "paused",
    ("active", "disable"): "disabled",
    ("paused", "resume"): "active",
    ("disabled", "resume"): "active",
    **{(status, "change"): status for status in ("active", "paused", "disabled")},
    **{(status, "rotate"): status for status in ("active", "paused", "disabled")},
    **{(status, "delete"): "deleted" for status in ("active", "paused", "disabled")},
}
"""`disable` is done by deliveries alone: nothing arrived for three days, or the receiver answered 410."""

SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
"""The pause before each attempt: the schedule that Standard Webhooks 1.0.0 gives ("Deliverability and reliability"), in all
75 hours and 35 minutes."""
JITTER = 0.2
"""A pause is longer by a random part of it, at most this one, so that retries do not come all at once."""
LASTS = timedelta(days=3)
"""For how long a delivery is tried at least, and after how long without any success a webhook is disabled."""
LONGEST_RETRY_AFTER = timedelta(days=1)
FAILING = 5
"""Attempts in a row that failed, after which one at a time is made, until one succeeds."""
MOST_ATTEMPTS_KEPT = 20
MOST_OF_A_COMMUNITY = 200
THROTTLES = frozenset({429, 502, 503, 504})
"""Answers that ask for a pause: nothing else is sent there meanwhile."""
SUCCESS = range(200, 300)
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: the status code, or why there is none (`error`, a kind of ERRORS), after so many
    milliseconds; `retry_after` (seconds) is what the receiver asked for."""

    status_code: int | None
    error: str | None
    milliseconds: int
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status_code in SUCCESS

    @property
    def throttles(self) -> bool:
        """Whether the receiver asks for a pause."""
        return self.status_code in THROTTLES


def next_due(now: datetime, tries: int, first_at: datetime, outcome: Outcome, chance: float) -> tuple[int, datetime | None]:
    """After an attempt failed that was the schedule's number `tries` (from 0): how many attempts of the schedule there were,
    and when the next is due; None where it is given up. `chance` (0 to 1) stretches the pause.

    What the receiver asks for with Retry-After is kept to, within a day; such an attempt is none of the schedule's, so that
    a busy receiver does not use it up within seconds, as long as it does not go on for three days."""
    if outcome.throttles and outcome.retry_after is not None:
        asked = timedelta(seconds=min(max(outcome.retry_after, 1.0), LONGEST_RETRY_AFTER.total_seconds()))
        return (tries, now + asked) if now - first_at < LASTS else (tries + 1, None)
    if tries + 1 >= len(SCHEDULE):
        return tries + 1, None
    return tries + 1, now + SCHEDULE[tries + 1] * (1 + JITTER * chance)


def place_of(cursor: str, field: str) -> int:
    """The position in the feed that a cursor of `/events`, or the id of an event of its stream, stands for. Raises Invalid,
    naming the field."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode()
    except (binascii.Error, ValueError):
        text = ""
    return position_of(text, field)


ERRORS: Mapping[str, tuple[str, str]] = {
    "target-refused": (
        "这个地址不能用：它指向内部网络，或者不在允许的范围内。",
        "This address may not be called: it leads to an internal network, or is not among those allowed.",
    ),
    "name-unknown": ("域名解析不到，请核对网址。", "The name of the host does not resolve; check the address."),
    "unreachable": ("连接不上接收方，请确认对方服务已启动。", "Nobody could be reached there; see that the receiver runs."),
    "certificate": (
        "接收方的证书没有通过验证，请检查证书和域名。",
        "The receiver's certificate could not be verified; check the certificate and the name.",
    ),
    "timeout": ("接收方没有在规定时间内答复。", "The receiver did not answer in time."),
    "closed": ("接收方没有答复就断开了连接。", "The receiver closed the connection without an answer."),
    "not-http": ("接收方的答复不是有效的 HTTP。", "What the receiver answered is not HTTP."),
    "redirect": (
        "接收方要求转到别的网址；我们不跟随，请把订阅改成最终的网址。",
        "The receiver redirects; that is not followed. Change the webhook to the final address.",
    ),
    "gone": ("接收方表示不再接收（410），订阅已停用。", "The receiver wants no more (410); the webhook was disabled."),
    "throttled": ("接收方请求放慢，稍后再送。", "The receiver asks for a pause; it is tried again later."),
    "refused": ("接收方没有收下。", "The receiver did not take it."),
}
"""Why an attempt failed, as people read it: Chinese and English."""

STATES: Mapping[str, tuple[str, str]] = {
    "active": ("正常推送。", "Facts are sent."),
    "retrying": ("最近几次没有送达，正在按计划重试。", "The last attempts failed; it is tried again by the schedule."),
    "paused": ("已暂停；恢复后从停下的地方继续。", "Paused; once resumed it goes on where it stopped."),
    "failing": (
        "连续三天没有送达，已停用；修好后请恢复，会从停下的地方继续。",
        "Disabled, since nothing arrived for three days; mend the receiver and resume, and it goes on where it stopped.",
    ),
    "gone": (
        "接收方答复 410，已停用；需要时可以恢复。",
        "Disabled, since the receiver answered 410; it can be resumed.",
    ),
}
"""How a webhook stands, as people read it."""


def error_of(status_code: int) -> str:
    """The kind of error that a status code other than 2xx is."""
    if 300 <= status_code < 400:
        return "redirect"
    if status_code == GONE:
        return "gone"
    return "throttled" if status_code in THROTTLES else "refused"


def state_of(status: str, because: str | None, failures: int) -> tuple[str, str]:
    """How a webhook stands, in Chinese and English."""
    return STATES[because or ("retrying" if status == "active" and failures >= FAILING else status)]
