"""The two subscribers of deploy/examples, as an outsider runs them against a running system: stopped, and left behind."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openpyxl
import redis

from shared.messaging.valkey import EmbeddedValkey
from tests.system.conftest import HTTP, ROOT, AllInOne
from tests.system.test_subscribers import FEED, NODE, Outsider, free_port, in_node, until

COMMUNITY = {
    "slug": "north",
    "name_zh": "北社区",
    "name_en": "North",
    "compounds": [{"id": "a", "name_zh": "甲", "name_en": "A"}],
}


class Neighbourhood:
    """A community in a running system, and an outsider with the subscribers of deploy/examples in a folder."""

    def __init__(self, system: AllInOne, folder: Path) -> None:
        self.system = system
        system.start()
        self.community = self.post("registry", "/communities", COMMUNITY)["id"]
        self.station = system.token("station", self.community)
        self.outsider = Outsider(system, "portal", folder, "--port", str(free_port()))
        for example in ("organizations.py", "requests.mjs"):
            shutil.copy(ROOT / "deploy" / "examples" / example, folder)

    def post(self, service: str, path: str, body: Any) -> Any:
        headers = getattr(self, "station", self.system.token())
        answer = HTTP.post(f"{self.system.address}/api/{service}{path}", json=body, headers=headers, timeout=60)
        assert answer.is_success, answer.text
        return answer.json()

    def heard(self, subject: str, type: str) -> None:
        """Wait until the feed has it, whose entries are sent right after the list has them."""
        query = {"subject": subject, "type": type}
        with redis.Redis.from_url(EmbeddedValkey(self.system.data / "valkey").url, decode_responses=True) as client:
            until(
                f"{type} on the feed",
                lambda: query in [{name: one[name] for name in query} for _, one in client.xrange(FEED)],
            )

    def organization(self, name: str) -> str:
        body = {"community": self.community, "name_zh": name, "name_en": name, "organization_class": "public-welfare"}
        id = self.post("registry", "/organizations", body | {"introduction_zh": "好", "introduction_en": "Good"})["id"]
        self.post("registry", f"/organizations/{id}/registration", {})
        self.heard(id, "fenghe.org.registered.v1")
        return str(id)

    def request(self) -> str:
        body = {"community": self.community, "compound": "a", "text": "厨房水龙头一直漏水"}
        id = self.post("matching", "/requests", body)["id"]
        self.heard(id, "fenghe.request.submitted.v1")
        return str(id)


def test_the_spreadsheet_has_every_organization_once_and_in_its_latest_state(
    all_in_one: Callable[[], AllInOne], tmp_path: Path
) -> None:
    here = Neighbourhood(all_in_one(), tmp_path / "outsider")
    command = (sys.executable, "organizations.py", here.outsider.url, here.system.address)

    def sheet() -> list[tuple[str, str]]:
        file = here.outsider.folder / "organizations.xlsx"
        if not file.exists():
            return []
        rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(min_row=2, values_only=True)
        return [(str(row[0]), str(row[5])) for row in rows]

    first = here.organization("甲社")
    with here.outsider.running(*command):
        until("what was there before", lambda: sheet() == [(first, "registered")])
        second = here.organization("乙社")
        until("what came meanwhile", lambda: sheet() == [(first, "registered"), (second, "registered")])
    here.post("registry", f"/organizations/{first}/suspension", {"reason": "停业整顿"})
    third = here.organization("丙社")
    with redis.Redis.from_url(EmbeddedValkey(here.system.data / "valkey").url) as administrator:
        administrator.xtrim(FEED, maxlen=1, approximate=False)
    expected = [(first, "suspended"), (second, "registered"), (third, "registered")]
    with here.outsider.running(*command):
        until("what was told while it was away, and is no longer on the feed", lambda: sheet() == expected)
    with here.outsider.running(*command):
        here.post("registry", f"/organizations/{first}/reinstatement", {"reason": "整顿完毕"})
        expected[0] = (first, "registered")
        until("what came after one more stop", lambda: sheet() == expected)
    assert here.outsider.complaints() == ""


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A receiver of posts that refuses the first one: its address, and what it took."""
    taken: list[str] = []
    asked: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
            asked.append(text)
            if len(asked) > 1:
                taken.append(text)
            self.send_response(204 if len(asked) > 1 else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", taken
        server.shutdown()


@in_node
def test_a_line_is_posted_for_every_new_request_once(all_in_one: Callable[[], AllInOne], tmp_path: Path) -> None:
    here = Neighbourhood(all_in_one(), tmp_path / "outsider")
    folder = here.outsider.folder
    (folder / "node_modules").symlink_to(Path(NODE) / "node_modules")

    def done() -> bool:
        return (folder / "posted.txt").exists() and len((folder / "posted.txt").read_text().split()) >= len(asked)

    here.request()  # before it listens
    with receiver() as (address, taken):
        command = ("node", "requests.mjs", here.outsider.url, here.system.address, address)
        with here.outsider.running(*command):
            until("it knows where it begins", (folder / "place.json").exists)
            asked = [here.request(), here.request()]
            until("the first lines", done)
        asked.append(here.request())
        asked.append(here.request())
        with redis.Redis.from_url(EmbeddedValkey(here.system.data / "valkey").url) as administrator:
            administrator.xtrim(FEED, maxlen=1, approximate=False)
        with here.outsider.running(*command):
            until("the lines for what it missed", done)
            asked.append(here.request())
            until("the next line", done)
    assert [line.split()[2].rstrip(":") for line in taken] == asked
    assert here.outsider.complaints() == ""
