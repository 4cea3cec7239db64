"""Judges how organizations joined, agreements ended and requests were merged on the four services, by what they answer over
HTTP and by the stream's entries alone.

Every subject told exactly the transitions that were acknowledged or fell due (I1), without a gap or a repeat in its sequence,
and notify told every public one again (I4). Everything stands as it was left. There is no dead letter (I5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.judge import Verdict
from tests.faults.judge_lives import Asking, count_dead_letters, told_once


@dataclass(frozen=True, kw_only=True)
class Joined(Asking):
    """What must have been told of each subject, and by the path of each thing the status it must have."""

    expected: Mapping[str, tuple[str, ...]]
    standing: Mapping[str, str]


def of_joining(joined: Joined) -> Verdict:
    """What became of them."""
    verdict = Verdict(sum(len(types) for types in joined.expected.values()))
    _, by_subject = told_once(joined, verdict)
    for subject, types in joined.expected.items():
        verdict.compare(f"transition of {subject}", types, [event.type for event in by_subject.get(subject, ())])
    for path, status in joined.standing.items():
        if (found := joined.get(path)["status"]) != status:
            verdict.lost.append(f"{path} is {found}, not {status}")
    count_dead_letters(joined, verdict)
    return verdict
