"""The receivers shown in docs/subscribing.md, as they stand there: PyPI's and npm's `standardwebhooks` verify what is sent."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.messaging.test_supervision import until
from tests.notify.subscriber import Subscriber

PAGE = (Path(__file__).parent.parent.parent / "docs" / "subscribing.md").read_text()
NPM = os.environ.get("FENGHE_TEST_STANDARDWEBHOOKS", "")
"""A folder in which `npm install standardwebhooks` was run."""
without_npm = pytest.mark.skipif(not NPM, reason="npm standardwebhooks: set FENGHE_TEST_STANDARDWEBHOOKS to its folder")


def shown(language: str) -> str:
    """The receiver in a language, as the page has it."""
    return next(block for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if "standardwebhooks" in block)


@contextmanager
def receiver(language: str, folder: Path, secret: str, port: int) -> Iterator[Path]:
    """The page's receiver, with this secret, on this port; the file has what it prints."""
    program = folder / {"python": "receiver.py", "js": "receiver.cjs"}[language]
    program.write_text(shown(language).replace("whsec_…", secret).replace("8001", str(port)))
    printed = folder / "printed"
    command = [sys.executable, "-u", str(program)] if language == "python" else ["node", str(program)]
    environment = os.environ | {"NODE_PATH": str(Path(NPM) / "node_modules")}
    with printed.open("w") as output, (folder / "errors").open("w") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
    try:
        until(lambda: process.poll() is not None or not _free(port))
        assert process.poll() is None, (folder / "errors").read_text()
        yield printed
    finally:
        process.kill()
        process.wait()


def _free(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["python", pytest.param("js", marks=without_npm)])
def test_a_receiver_as_it_is_shown_verifies_what_is_sent(
    subscribing: Callable[..., Subscriber], tmp_path: Path, language: str
) -> None:
    subscriber = subscribing()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    webhook = subscriber.subscribe(url=f"http://127.0.0.1:{port}/")
    forger = subscriber.subscribe(url=f"http://127.0.0.1:{port}/")
    with receiver(language, tmp_path, webhook["secret"], port) as printed:
        facts = subscriber.happen(3)
        subscriber.settled(webhook, delivered=3)
        until(lambda: len(printed.read_text().splitlines()) >= 3)
        assert sorted(printed.read_text().splitlines()) == sorted(f"{event.type} {event.subject}" for event in facts)
        # Signed with another secret, nothing is taken; with two, one of which is its own, all is.
        subscriber.attempted(forger, 1)
        assert {one["attempts"][0]["status_code"] for one in subscriber.log(forger) if one["attempts"]} == {400}
        subscriber.call("POST", f"/{webhook['id']}/secret-rotation", {"overlap_hours": 1})
        subscriber.happen(1)
        subscriber.settled(webhook, delivered=4)
