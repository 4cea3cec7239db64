"""Several workers of one service behind one port (`FENGHE_WORKERS`): forked, watched, and ended together."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from deploy.errors import CommandError
from shared import logs
from shared.siblings import Siblings

log = logs.get("workers")

TOO_SOON = 10.0
"""Seconds: a worker that fails so soon after its start would fail again; then all end, as one alone would."""
ENDED_WITHIN = 25.0
"""Seconds given to the workers to finish what they have in hand."""

Work = Callable[[Siblings, int], None]
"""A worker's work, given the others and a descriptor that becomes readable when nobody watches over it any more."""


def watch_over(count: int, work: Work) -> int:
    """Run `work` in `count` processes until SIGTERM or SIGINT, and start again whoever dies. Returns the exit code. To be
    called while there is one thread."""
    folder = Path(tempfile.mkdtemp(prefix="fenghe-workers-"))
    watched, watching = os.pipe()
    started: dict[int, tuple[int, float]] = {}
    ending = False
    code = 0

    def start(worker: int) -> None:
        if (pid := os.fork()) == 0:
            os.close(watching)
            _be(Siblings(folder, worker, count), watched, work)
        started[pid] = (worker, time.monotonic())

    def end(number: int = 0, frame: FrameType | None = None) -> None:
        nonlocal ending
        ending = True
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, ENDED_WITHIN)

    def give_up(number: int, frame: FrameType | None) -> None:
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.signal(signal.SIGALRM, give_up)
    try:
        for worker in range(count):
            start(worker)
        while started:
            pid, status = os.waitpid(-1, 0)
            worker, since = started.pop(pid)
            if ending:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code > 0 and time.monotonic() - since < TOO_SOON:
                end()
                continue
            log.warning(
                "a worker ended and is started again; its facts are taken over; see its last lines", worker=worker, code=code
            )
            code = 0
            start(worker)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _be(siblings: Siblings, watched: int, work: Work) -> None:
    """The child: never returns."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        work(siblings, watched)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except (CommandError, TimeoutError) as error:
        print(error, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
