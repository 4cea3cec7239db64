"""A need goes all the way round, over HTTP as its people have it; and what must not be told is told nowhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import redis

from tests.system.conftest import HTTP, AllInOne, fenghe

CANARY = "王小美金丝雀13800138000"
"""Made up, and planted wherever a resident may write."""
TEXT = f"请帮忙修一下家里的灯和插座,是水电的活儿,我是{CANARY}"


class People:
    """The callers of one community."""

    def __init__(self, system: AllInOne) -> None:
        self.system = system
        self.client = httpx.Client(base_url=system.address, timeout=30)
        (found,) = self.client.get("/api/registry/communities").json()["items"]
        self.community: str = found["id"]
        self.station = system.token("station", self.community)

    def organization(self, id: str) -> dict[str, str]:
        return self.system.token("organization", self.community, id)

    def post(self, path: str, headers: dict[str, str], body: dict[str, Any] | None = None, expect: int = 200) -> Any:
        response = self.client.post(path, json=body or {}, headers=headers)
        assert response.status_code == expect, f"{path}: {response.text}"
        return response.json()

    def get(self, path: str, headers: dict[str, str]) -> Any:
        response = self.client.get(path, headers=headers)
        assert response.status_code == 200, f"{path}: {response.text}"
        return response.json()

    def submit(self) -> tuple[str, dict[str, str]]:
        """A request on its way to its first organization, and its resident's headers."""
        body = {"community": self.community, "compound": "heping-lane", "text": TEXT}
        answer = self.post("/api/matching/requests", {}, body, expect=201)
        self.system.quiet()
        return answer["id"], {"Authorization": f"Bearer {answer['link']}"}

    def referral(self, request: str) -> dict[str, Any]:
        """The open referral of a request."""
        path = f"/api/matching/referrals?community={self.community}&status=made"
        (found,) = [item for item in self.get(path, self.station)["items"] if item["request"] == request]
        return dict(found)


def test_a_request_is_matched_referred_declined_accepted_served_rated_and_shown(
    all_in_one: Callable[[], AllInOne],
) -> None:
    system = all_in_one()
    system.start("--sample")
    people = People(system)
    request, resident = people.submit()

    followed = people.get(f"/api/matching/requests/{request}", resident)
    assert followed["item"] == "plumbing-electrical"
    assert len(followed["candidates"]) >= 2
    assert all(reason["zh"] and reason["en"] for candidate in followed["candidates"] for reason in candidate["reasons"])

    first = people.referral(request)
    assert first["organization"] == followed["candidates"][0]["organization"]
    unserved = people.client.post("/api/feedback/ratings", json={"stars": 5, "purpose": "service"}, headers=resident)
    assert unserved.status_code == 409, unserved.text
    assert unserved.json()["type"].endswith("not-served")

    decline = f"/api/matching/referrals/{first['id']}/decline"
    people.post(decline, people.organization(first["organization"]), {"reason": f"{CANARY}家太远"})
    second = people.referral(request)
    assert second["organization"] == followed["candidates"][1]["organization"] != first["organization"]
    organization = people.organization(second["organization"])
    assert CANARY in people.get(f"/api/matching/referrals/{second['id']}", organization)["text"]
    people.post(f"/api/matching/referrals/{second['id']}/acceptance", organization)
    people.post(f"/api/matching/referrals/{second['id']}/delivery", organization)
    system.quiet()

    rating = {"stars": 5, "purpose": "service", "comment": f"很好,{CANARY}谢谢"}
    people.post("/api/feedback/ratings", resident, rating, expect=201)
    again = people.client.post("/api/feedback/ratings", json=rating, headers=resident)
    assert again.status_code == 409
    assert again.json()["type"].endswith("already-rated")
    body = {"community": people.community, "organization": second["organization"], "score": 90, "note": CANARY}
    people.post("/api/feedback/evaluations", people.station, body, expect=201)
    people.post(f"/api/matching/requests/{request}/closing", resident, {"reason": CANARY})
    system.quiet()

    notices = people.get("/api/notify/inbox", resident)["items"]
    assert len(notices) >= 4
    assert all("和平里" in notice["zh"] for notice in notices)
    assert all("Heping Lane" in notice["en"] for notice in notices)
    assert people.get("/api/notify/inbox", organization)["items"]
    satisfaction = people.get(f"/api/feedback/satisfaction?community={people.community}&kind=organization", people.station)
    (entry,) = [entry for entry in satisfaction["items"] if entry["of"] == second["organization"]]
    assert (entry["ratings"], entry["evaluations"]) == (1, 2)

    told = facts(system.data)
    types = [fact["type"].removeprefix("fenghe.").removesuffix(".v1") for fact in told if names(fact, request)]
    assert types == [
        *("request.submitted", "request.classified", "request.matched", "referral.made", "referral.declined"),
        *("referral.made", "referral.accepted", "request.accepted", "request.served", "request.closed"),
    ]
    (evaluated, _) = [fact for fact in told if fact["type"] == "fenghe.evaluation.recorded.v1"]
    assert request not in json.dumps(evaluated)

    refused = people.client.post("/api/matching/requests", json={"community": people.community, "text": CANARY * 200})
    assert refused.status_code == 422
    assert CANARY not in refused.text
    system.end()
    assert_told_nowhere(system, resident["Authorization"].removeprefix("Bearer "))


def names(fact: dict[str, Any], request: str) -> bool:
    return request in (fact["subject"], fact["data"].get("request"))


def facts(data: Path) -> list[dict[str, Any]]:
    """Every fact, in the order of telling."""
    outcome = fenghe("events", "--data", str(data))
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def assert_told_nowhere(system: AllInOne, link: str) -> None:
    """The planted words are in matching's requests and feedback's ratings and nowhere else; the link is nowhere at all."""
    allowed = {
        ("matching", "requests"),
        ("matching", "referrals"),
        ("matching", "remarks"),
        ("feedback", "ratings"),
        ("feedback", "evaluations"),
    }
    for name in ("registry", "matching", "feedback", "notify"):
        with sqlite3.connect(system.data / f"{name}.db") as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                words = str(database.execute(f'SELECT * FROM "{table}"').fetchall())
                assert CANARY not in words or (name, table) in allowed, f"{name}.{table}"
                assert link not in words, f"{name}.{table}"
    log = system.log.read_text()
    streams = (system.data / "valkey").rglob("*")
    wire = b"".join(path.read_bytes() for path in streams if path.is_file())
    assert "facts took effect" in log
    assert b"fenghe.request.submitted.v1" in wire
    for planted in (CANARY, link):
        assert planted not in log
        assert planted.encode() not in wire


def test_a_trace_goes_from_the_request_over_its_fact_to_the_handler(sample_system: AllInOne) -> None:
    people = People(sample_system)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = {"community": people.community, "compound": "heping-lane", "text": "灯泡坏了,老人够不着"}
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    request = people.post("/api/matching/requests", headers, body, expect=201)["id"]
    sample_system.quiet()
    own = [fact for fact in facts(sample_system.data) if names(fact, request)]
    assert len(own) >= 3
    assert {fact["traceparent"].split("-")[1] for fact in own} == {trace}
    lines = [line for line in sample_system.log.read_text().splitlines() if trace in line]
    assert any("answered" in line for line in lines)
    assert any("facts took effect" in line for line in lines)


def test_a_stranger_reads_the_facts_with_a_bare_client(sample_system: AllInOne) -> None:
    with redis.Redis.from_url(f"unix://{sample_system.data}/valkey/valkey.sock", decode_responses=True) as client:
        told = client.xrange("fenghe:feed", count=5)
    assert told[0][1]["type"] == "fenghe.community.opened.v1"


def test_an_import_reports_bad_rows_by_line_and_takes_in_the_rest(sample_system: AllInOne, tmp_path: Path) -> None:
    sample = Path("deploy/sample/offers.csv").read_text().splitlines()
    header, good = sample[0], sample[1]
    rows = good.split(",")
    broken = [
        good.replace(rows[0], "没有这个组织"),
        ",".join([*rows[:3], "no-such-item", *rows[4:]]),
        "too,few,columns",
    ]
    file = tmp_path / "offers.csv"
    file.write_text("\n".join([header, good.replace(rows[1], "新增的一项服务"), *broken]) + "\n")
    outcome = fenghe("import", str(file), "--community", "fenghe", "--data", str(sample_system.data))
    assert outcome.returncode == 1
    assert "1 offers taken in, 3 refused" in outcome.stdout
    for line, word in ((3, "organization_zh"), (4, "item"), (5, "columns")):
        (message,) = [text for text in outcome.stderr.splitlines() if f"offers.csv:{line}:" in text]
        assert word in message
    assert "Traceback" not in outcome.stderr
    sample_system.quiet()
    menu = HTTP.get(
        f"{sample_system.address}/api/registry/offers",
        params={"community": People(sample_system).community, "q": "新增的一项服务"},
    )
    assert [offer["title_zh"] for offer in menu.json()["items"]] == ["新增的一项服务"]


def test_a_search_of_the_samples_menu_finds_what_is_nearest_or_says_what_to_do(sample_system: AllInOne) -> None:
    def look(q: str) -> dict[str, Any]:
        params = {"community": People(sample_system).community, "q": q}
        return dict(httpx.get(f"{sample_system.address}/api/registry/offers", params=params).json())

    assert [offer["item"] for offer in look("宠物")["items"]] == ["pet-management"]
    assert [look(word)["items"] for word in ("parking", "printing")] == [[], []], "neither sparking sockets nor fingerprints"
    assert {offer["item"] for offer in look("chair")["items"]} == {"assistive-devices"}, "it stands in wheelchair alone"
    assert look("b")["instead"] is None or look("b")["instead"]["items"] == [], "a letter means no item in particular"
    parking, printing = look("停车"), look("打印")
    assert (parking["items"], [item["name_zh"] for item in parking["instead"]["items"]]) == ([], ["停车协调"])
    assert "还没有组织提供“停车协调”" in parking["instead"]["zh"]
    assert (printing["items"], printing["instead"]["items"]) == ([], [])
    assert "提出需求" in printing["instead"]["zh"] and "make a request" in printing["instead"]["en"]


def test_an_import_of_what_nobody_knows_says_what_is_known(sample_system: AllInOne, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,age\n")
    outcome = fenghe("import", str(file), "--community", "fenghe", "--data", str(sample_system.data))
    assert outcome.returncode == 1
    assert "nobody knows a table with the columns name,age" in outcome.stderr
    assert "organization_zh,title_zh" in outcome.stderr
    missing = fenghe("import", "nothing.csv", "--community", "fenghe", "--data", str(sample_system.data))
    assert missing.stderr.strip() == "nothing.csv: No such file or directory."
