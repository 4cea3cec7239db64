"""A season of the sample community, played through the HTTP APIs only, as residents, organizations and station would.

The phases are in `opening` and `playing`, what happens by chance in `chance`, what is counted at the end in `report`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from deploy.sample_community import Request, Sample
from deploy.season import activities
from deploy.season.calendar import Calendar
from deploy.season.chance import Chance
from deploy.season.deployment import KEEP_ALL, Client, Deployment, Progress, Refused, SeasonError
from deploy.season.evaluating import evaluate_projects
from deploy.season.opening import open_community, open_sample
from deploy.season.playing import Season
from deploy.season.projects import Projects
from deploy.season.report import (
    FIGURES,
    SeasonReport,
    count_figures,
    examine_readings,
    figures_together,
    rank_correlation,
    take_standings,
)
from deploy.season.together import FAILED_BESIDE, Together

__all__ = [
    "FIGURES",
    "KEEP_ALL",
    "Deployment",
    "Refused",
    "SeasonError",
    "SeasonReport",
    "figures_together",
    "first_requests",
    "open_sample",
    "play",
    "play_quarter",
]


WARNED, DELIVERED, EXPIRED, LAST = 20, 44, 46, 60
"""Days of the season: agreements that end in it have been warned of; projects are delivered; one agreement has expired; all
activities have been held."""
AT_ONCE = 4
"""Seasons of a quarter that are played side by side."""


def play(
    client: Client,
    operator_token: str,
    sample: Sample,
    seed: int = 1,
    requests: int | None = None,
    progress: Progress | None = None,
    patience: float = 90,
    quiet_within: float = 120,
    wait_together: Callable[[Callable[[], None]], None] | None = None,
) -> SeasonReport:
    """Play a season in a community of its own, with the sample's first `requests` (None: all of them).

    The deployment may be killed and started again meanwhile: a call is repeated for `patience` seconds. Raises SeasonError
    where it stays away, answers a call with a problem, or is not quiet within `quiet_within` seconds. Seasons that are played
    at once are given the same `wait_together`.
    """
    taken = first_requests(sample, requests)
    started = time.monotonic()
    slug = f"season-{secrets.token_hex(4)}"
    deployment = Deployment(client, slug, progress, patience, quiet_within, wait_together)
    opened = open_community(deployment, operator_token, sample, slug, rehearsal=True)
    calendar = Calendar(deployment, opened.community, operator_token, opened.opened_at)
    season = Season(deployment, opened, sample, Chance(seed), calendar)
    announced = activities.announce(deployment, opened, sample, calendar)
    season.submit(taken)
    season.merge()
    season.refer()
    season.rate()
    calendar.turn_to(WARNED)
    activities.renew(deployment, opened, sample, calendar)
    activities.hold(deployment, opened, announced, WARNED)
    projects = Projects(deployment, opened, sample, calendar, seed)
    projects.propose()
    projects.meet()
    calendar.turn_to(DELIVERED)
    season.serve(projects.deliver())
    season.rate()
    evaluate_projects(deployment, opened, projects, season.chance, season.residents(2), calendar.moment(365).date().isoformat())
    calendar.turn_to(EXPIRED)
    activities.hold(deployment, opened, announced, EXPIRED)
    season.refer()
    season.rate()
    calendar.turn_to(LAST)
    activities.hold(deployment, opened, announced, LAST)
    season.evaluate()
    figures = count_figures(deployment, opened.community, time.monotonic() - started)
    standings = take_standings(deployment, opened, sample)
    texts = {id: submitted.request for id, submitted in season.submitted.items()}
    return SeasonReport(
        community=opened.community,
        slug=slug,
        seed=seed,
        figures=figures,
        standings=standings,
        spearman=rank_correlation(standings),
        accuracy=examine_readings(deployment, opened, sample, texts),
        requests={request.number: id for id, request in sorted(texts.items(), key=lambda entry: entry[1].number)},
        ledger=tuple(deployment.ledger),
        repeats=deployment.repeats,
    )


def play_quarter(
    client: Client,
    operator_token: str,
    sample: Sample,
    seeds: Sequence[int],
    requests: int | None = None,
    progress: Progress | None = None,
    at_once: int = AT_ONCE,
    quiet_within: float = 300,
) -> list[SeasonReport]:
    """Play a season with each of `seeds`, every one in a community of its own, `at_once` side by side: a city quarter. The
    reports are in the order of the seeds. Raises SeasonError as `play` does, and where one fails the others end."""
    told, lock, done = progress or (lambda phase, done, total: None), threading.Lock(), 0
    together = Together()
    told("communities played", 0, len(seeds))

    def play_one(seed: int) -> SeasonReport:
        nonlocal done
        with together.playing():
            report = play(
                client, operator_token, sample, seed, requests, quiet_within=quiet_within, wait_together=together.quiet
            )
        with lock:
            done += 1
            told("communities played", done, len(seeds))
        return report

    with ThreadPoolExecutor(at_once, thread_name_prefix="community") as pool:
        played = [pool.submit(play_one, seed) for seed in seeds]
        failed = [error for error in (one.exception() for one in played) if error is not None]
        if failed:
            raise next((error for error in failed if str(error) != FAILED_BESIDE), failed[0])
        return [one.result() for one in played]


def first_requests(sample: Sample, requests: int | None = None) -> tuple[Request, ...]:
    """The sample's first `requests`, or all. Raises SeasonError where it has not as many."""
    if requests is None:
        return sample.requests
    if not 1 <= requests <= len(sample.requests):
        raise SeasonError(
            f"The sample has {len(sample.requests)} requests, {requests} were asked for; "
            f"ask for a number from 1 to {len(sample.requests)}."
        )
    return sample.requests[:requests]
