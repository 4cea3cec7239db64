"""`fenghe demo`: a season on a temporary all-in-one or on a deployment, with its progress, its tables and its figures."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from json import dumps
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from deploy.sample_community import load_sample
from deploy.season import (
    FIGURES,
    KEEP_ALL,
    Deployment,
    SeasonError,
    SeasonReport,
    figures_together,
    first_requests,
    play,
    play_quarter,
)
from deploy.season.deployment import Progress
from deploy.season.report import FEWEST_RATINGS

READY = "Fenghe is ready at "
READY_WITHIN = 120.0
STOPPED_WITHIN = 15.0
WIDTH = 100
"""Columns of the tables where the output is no terminal."""
ROOT = Path(__file__).resolve().parents[1]


def run_demo(
    base_url: str | None = None,
    json: bool = False,
    seed: int = 1,
    requests: int | None = None,
    token: str | None = None,
    communities: int = 1,
) -> list[SeasonReport]:
    """Play a season at `base_url` (with an operator's `token`), or on an all-in-one that is started for it and removed
    afterwards; print the tables and, with `json`, the figures as one JSON object on the last line. Of several communities
    the figures are those of all together, and `each` lists every one's.

    Raises SeasonError where the season cannot be played to its end, SampleError for a mistake in the sample.
    """
    sample = load_sample()
    first_requests(sample, requests)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        progress = stack.enter_context(_progress())
        if base_url is None:
            base_url, token = stack.enter_context(_all_in_one(progress))
        elif token is None:
            raise SeasonError("A deployment needs an operator's token: make one with `fenghe token --role operator`.")
        client = stack.enter_context(_client(base_url))
        _look(client, base_url)
        began = time.monotonic()
        if communities == 1:
            reports = [play(client, token, sample, seed, requests, progress)]
        else:
            reports = play_quarter(client, token, sample, range(seed, seed + communities), requests, progress)
        seconds = time.monotonic() - began
    figures = reports[0].figures
    if communities == 1:
        _print(reports[0])
    else:
        figures = figures_together(reports, seconds)
        _print_quarter(reports, figures)
    if json:
        sys.stdout.flush()
        print(dumps(figures), flush=True)
    return reports


def _client(base_url: str) -> httpx.Client:
    is_local = httpx.URL(base_url).host in ("127.0.0.1", "localhost", "::1")
    return httpx.Client(base_url=base_url, timeout=30, limits=KEEP_ALL, trust_env=not is_local)


def _look(client: httpx.Client, base_url: str) -> None:
    """Say at once where nothing answers, rather than after the season's patience."""
    try:
        Deployment(client, "look", patience=10).get("/api/registry/health/ready")
    except SeasonError as error:
        raise SeasonError(f"No deployment is ready at {base_url}. {error}") from error


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does: what it started is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _all_in_one(progress: Progress) -> Iterator[tuple[str, str]]:
    """A temporary all-in-one: its address and an operator's token. Stopped and removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="fenghe-"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-m", "deploy.cli"]
    data = str(folder / "data")
    log = folder / "log"
    child: subprocess.Popen[str] | None = None
    progress("services start", 0, 0)
    try:
        with log.open("w") as errors:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops the child in its turn.
            child = subprocess.Popen(
                [*command, "up", "--data", data, "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                env=environment,
                start_new_session=True,
            )
        address = _address(child, log)
        issued = subprocess.run(
            [*command, "token", "--role", "operator", "--data", data],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=READY_WITHIN,
        )
        if issued.returncode != 0 or not issued.stdout.strip():
            raise SeasonError(f"No operator's token could be made: {issued.stderr.strip() or 'nothing was printed'}")
        progress("services start", 1, 1)
        try:
            yield address, issued.stdout.split()[-1]
        except SeasonError as error:
            raise SeasonError(f"{error}\n{_last_words(log)}") from error
    finally:
        if child is not None:
            _stop(child)
        shutil.rmtree(folder, ignore_errors=True)


def _address(child: subprocess.Popen[str], log: Path) -> str:
    """The address the child prints when it is ready. Reads on in a thread, so that the child never waits on a full pipe."""
    assert child.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    output = child.stdout

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, name="all-in-one-output", daemon=True).start()
    until = time.monotonic() + READY_WITHIN
    while (left := until - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if READY in line:
            return line.partition(READY)[2].strip()
        if not line:
            break
    code = child.poll()
    what = f"did not start within {READY_WITHIN:g} s" if code is None else f"ended with code {code} before it was ready"
    raise SeasonError(f"The temporary all-in-one {what}.\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    """The end of the child's log, which is removed with its folder. What it answered without trouble is left out."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if "[info " not in line]
    return "\n".join(["The temporary all-in-one's last words were:", *lines[-20:]])


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on a terminal, else a line for each phase that is done; both on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PhaseLines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console) as bars:
        yield PhaseBars(bars)


class PhaseLines:
    """A line on stderr for each phase when it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.is_waiting = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Note where the phase stands; `total` is 0 while waiting."""
        if done == 0:
            self.started = time.monotonic()
            self.is_waiting = total == 0
        elif done == total:
            count = "" if self.is_waiting else str(total)
            self.console.print(f"{phase:<28} {count:>5} {time.monotonic() - self.started:6.2f} s", highlight=False)
            # The end of a phase may be told more than once.
            self.started = time.monotonic()


class PhaseBars:
    """A bar for each phase; one that comes again in a later round goes on where it stood. Waiting shows while it lasts."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.phases: dict[str, TaskID] = {}
        self.before: dict[str, int] = {}
        self.waiting: TaskID | None = None

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Note where the phase stands; `total` is 0 while waiting."""
        if done == 0 and total == 0:
            self.waiting = self.bars.add_task(f"[dim]{phase}", total=None)
            return
        if self.waiting is not None:
            self.bars.remove_task(self.waiting)
            self.waiting = None
            if done == total == 1:
                return
        if phase not in self.phases:
            self.phases[phase] = self.bars.add_task(phase, total=total)
        task = self.phases[phase]
        if done == 0:
            self.before[phase] = int(self.bars.tasks[self.bars.task_ids.index(task)].completed)
        before = self.before.get(phase, 0)
        self.bars.update(task, completed=before + done, total=before + total)


def _print_quarter(reports: Sequence[SeasonReport], together: dict[str, Any]) -> None:
    """What all communities came to together, and between what the figures of each lie."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    seeds = f"seeds {reports[0].seed} to {reports[-1].seed}"
    console.print(f"A quarter of {len(reports)} communities, {seeds}", soft_wrap=True)
    table = Table("figure", "together", "fewest", "most")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in FIGURES:
        each = [report.figures[name] for report in reports if report.figures[name] is not None]
        row = (
            "–" if value is None else str(value) for value in (together[name], min(each, default=None), max(each, default=None))
        )
        table.add_row(name, *row)
    console.print(table)
    if repeats := sum(report.repeats for report in reports):
        console.print(f"Calls made again because the server was away: {repeats}", soft_wrap=True)


def _print(report: SeasonReport) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(f"Season {report.slug}, seed {report.seed}", soft_wrap=True)
    figures = Table("figure", "value")
    figures.columns[1].justify = "right"
    for name, value in report.figures.items():
        figures.add_row(name, "–" if value is None else str(value))
    console.print(figures)

    standings = Table(
        "organization", "hidden quality", "satisfaction", "ratings", "rank hidden", "rank found", title="Organizations"
    )
    for column in standings.columns[1:]:
        column.justify = "right"
    for row in report.standings:
        standings.add_row(
            row.organization_zh,
            f"{row.quality:.2f}",
            "–" if row.satisfaction is None else f"{row.satisfaction:.1f}",
            str(row.ratings),
            str(row.quality_rank or "–"),
            str(row.satisfaction_rank or "–"),
        )
    console.print(standings)

    ranked = sum(row.quality_rank is not None for row in report.standings)
    found = "too few to say" if report.spearman is None else f"{report.spearman:.3f}"
    console.print(
        f"Spearman, hidden quality and satisfaction, {ranked} organizations of at least {FEWEST_RATINGS} ratings: {found}",
        soft_wrap=True,
    )
    accuracy = report.accuracy
    console.print(
        f"Readings against the labels, {accuracy.requests} requests: item {accuracy.item:.1%}, "
        f"category {accuracy.category:.1%}; left without an item: "
        f"{accuracy.off_topic_without_item} of {accuracy.off_topic} off-topic ones",
        soft_wrap=True,
    )
    if report.repeats:
        console.print(f"Calls made again because the server was away: {report.repeats}", soft_wrap=True)
