"""Judges whole life cycles on the four services, by what they answer over HTTP and by the stream's entries alone.

Every request that was acknowledged is closed, and told each of its transitions once (I1). A project is in one organization's
hands (I2). Each rating counts once, and the satisfaction that is kept is the one recomputed from the evaluations told (I3). No
subject's sequence has a gap or a repeat, and notify told every public fact again (I4). There is no dead letter (I5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from deploy.season.deployment import SERVICES
from services.feedback.rules import Sums, satisfaction_level, score_of_stars
from shared.events import CloudEvent
from shared.events.feedback import EvaluationRecorded
from shared.messaging import entries
from shared.messaging.streams import FEED, stream_of
from tests.faults.calling import call
from tests.faults.judge import JUDGE_LIMIT, Verdict

LIFE = ("submitted", "classified", "matched", "accepted", "served", "closed")


@dataclass(frozen=True)
class Rating:
    """A rating that was acknowledged."""

    organization: str
    stars: int


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Whom to ask, with the station's token."""

    community: str
    station: str
    addresses: Mapping[str, Path]
    redis_url: str

    def get(self, path: str) -> Any:
        """What a service answers the station."""
        headers = {"Authorization": f"Bearer {self.station}"}
        reply = call(self.addresses[path.split("/")[2]], "GET", path, None, JUDGE_LIMIT, headers)
        assert reply.status == 200, reply
        return reply.body

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list."""
        after = ""
        while True:
            page = self.get(f"{path}&limit=200{after}")
            yield from page["items"]
            if not page["next"]:
                return
            after = f"&after={page['next']}"


@dataclass(frozen=True, kw_only=True)
class Lives(Asking):
    """What the people saw: the ids they were given, the ratings."""

    organizations: frozenset[str]
    requests: frozenset[str]
    projects: frozenset[str]
    ratings: tuple[Rating, ...]


def of_lives(lives: Lives) -> Verdict:
    """What became of them."""
    verdict = Verdict(len(lives.requests) + len(lives.projects) + len(lives.ratings))
    told, by_subject = told_once(lives, verdict)
    for id in lives.requests:
        wanted = [f"fenghe.request.{verb}.v1" for verb in LIFE]
        verdict.compare(f"transition of {id}", wanted, [event.type for event in by_subject[id]])
        if (status := lives.get(f"/api/matching/requests/{id}")["status"]) != "closed":
            verdict.lost.append(f"request {id} is {status}")
    for id in lives.projects:
        events = by_subject[id]
        claimed = {claim.organization for event in events for claim in event.data.claims}
        verdict.compare(f"claim of {id}", lives.organizations, claimed)
        assigned = [event for event in events if event.type == "fenghe.project.assigned.v1"]
        verdict.compare(f"assignment of {id}", [id], [event.subject for event in assigned])
        holder = lives.get(f"/api/matching/projects/{id}")["organization"]
        verdict.compare(f"organization of {id}", [holder], {event.data.organization for event in assigned})
    _judge_ratings(lives, [event.data for event in told if isinstance(event.data, EvaluationRecorded)], verdict)
    count_dead_letters(lives, verdict)
    return verdict


def told_once(asking: Asking, verdict: Verdict) -> tuple[list[CloudEvent[Any]], Mapping[str, list[CloudEvent[Any]]]]:
    """What the four services told, and the same by subject, in the order of its sequences: without a gap, without a repeat, and
    what is public told again on the feed."""
    with redis.Redis.from_url(asking.redis_url) as stream:
        told = [event for name in SERVICES for event in _once(stream, stream_of(name))]
        feed = _once(stream, FEED)
    by_subject: dict[str, list[CloudEvent[Any]]] = defaultdict(list)
    for event in told:
        by_subject[event.subject].append(event)
    for subject, events in by_subject.items():
        sequences = [event.sequence for event in events]
        verdict.compare(f"sequence of {subject}", range(1, len(events) + 1), sequences)
    verdict.compare("public fact on the feed", [e.id for e in told if e.data.public], [event.id for event in feed])
    return told, by_subject


def count_dead_letters(asking: Asking, verdict: Verdict) -> None:
    """There must be none."""
    for name in SERVICES:
        dead = asking.get(f"/api/{name}/communities/{asking.community}/kit-figures")["dead_letters"]
        verdict.lost += [f"a dead letter of {name}"] * dead


def _judge_ratings(lives: Lives, evaluations: list[EvaluationRecorded], verdict: Verdict) -> None:
    given = [(rating.organization, score_of_stars(rating.stars)) for rating in lives.ratings]
    verdict.compare("rating told", given, [(one.organization, one.score) for one in evaluations])
    kept = lives.pages(f"/api/feedback/evaluations?community={lives.community}")
    verdict.compare("rating kept", given, [(one["organization"], one["score"]) for one in kept])
    shown = {
        one["of"]: one
        for one in lives.pages(f"/api/feedback/satisfaction?community={lives.community}&kind=organization")
        if one["season"] is None
    }
    for organization in {one.organization for one in evaluations}:
        scores = [int(one.score) for one in evaluations if one.organization == organization]
        level = satisfaction_level({"resident": Sums(len(scores), sum(scores), sum(score**2 for score in scores))})
        found = shown.get(organization, {})
        if (found.get("score"), found.get("evaluations")) != (level.score, level.evaluations):
            verdict.lost.append(f"satisfaction with {organization}: {found.get('score')}, recomputed {level.score}")


def _once(stream: Any, name: str) -> list[CloudEvent[Any]]:
    """The facts on a stream in the order of their sequences, each once, however often it stands there."""
    facts = {event.id: event for event in (entries.read(fields) for _, fields in stream.xrange(name))}
    return sorted(facts.values(), key=lambda event: (event.subject, event.sequence))
