"""三方参与的评估机构: station, experts and residents evaluate an organization, each blind to the others, and everybody reads
what they found (M16); what was done for residents is counted (M18). Over HTTP only."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared import clock
from tests.system.conftest import AllInOne, fenghe
from tests.system.test_whole_way import People

CRITERIA = {"results": 95, "reliability": 90, "care": 100, "conduct": 75}


class Evaluators(People):
    """The community's people, and how they take part in an evaluation."""

    def expert(self, *conflicts: str) -> tuple[str, dict[str, str]]:
        """An expert whom the station enrols, and the headers of the token the station issues."""
        terms = {"community": self.community, "name": "某专家", "categories": ["housing"], "conflicts": list(conflicts)}
        id = self.post("/api/registry/experts", self.station, terms, expect=201)["id"]
        wanted = {"role": "expert", "community": self.community, "subject": id}
        token = self.post("/api/registry/tokens", self.station, wanted, expect=201)["token"]
        return id, {"Authorization": f"Bearer {token}"}

    def serve(self) -> tuple[str, dict[str, str], str]:
        """A request that was served: its id, its resident's headers, and who served it."""
        request, resident = self.submit()
        referral = self.referral(request)
        organization = self.organization(referral["organization"])
        self.post(f"/api/matching/referrals/{referral['id']}/acceptance", organization)
        self.post(f"/api/matching/referrals/{referral['id']}/delivery", organization)
        self.system.quiet()
        return request, resident, referral["organization"]

    def refused(self, path: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> tuple[int, str]:
        answer = self.client.post(path, json=body or {}, headers=headers)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["detail"]


def test_the_evaluation_body_evaluates_an_organization_and_everybody_reads_its_findings(
    all_in_one: Callable[[], AllInOne], tmp_path: Path
) -> None:
    system = all_in_one()
    system.start("--sample")
    people = Evaluators(system)
    request, resident, organization = people.serve()
    expert, expert_token = people.expert()
    partial, partial_token = people.expert(organization)
    system.quiet()

    # The station appoints the body: its own colleague, two experts, and a resident who was really served.
    members = [
        {"party": "station", "subject": "station"},
        {"party": "expert", "subject": expert},
        {"party": "expert", "subject": partial},
        {"party": "resident", "subject": request},
    ]
    term = {"community": people.community, "ends_on": str(clock.civil_date(clock.now()) + timedelta(days=365))}
    body = people.post("/api/feedback/bodies", people.station, term | {"members": members}, expect=201)
    assert request not in str(body)
    about = {"community": people.community, "organization": organization}
    session = people.post("/api/feedback/sessions", people.station, about, expect=201)["id"]

    # Each scores by the published criteria, without having seen the others' scores.
    criteria = people.get("/api/feedback/method", {})["criteria"]
    assert [criterion["id"] for criterion in criteria] == list(CRITERIA)
    scores = f"/api/feedback/sessions/{session}/scores"
    people.post(scores, people.station, {"criteria": CRITERIA}, expect=201)
    assert people.client.get(scores, headers=expert_token).status_code == 403
    status, why = people.refused(scores, partial_token, {"criteria": CRITERIA})
    assert (status, "interest" in why) == (403, True)
    status, why = people.refused(f"/api/feedback/sessions/{session}/publication", people.station, statement())
    assert (status, "silent: resident, expert" in why) == (409, True)
    people.post(scores, expert_token, {"criteria": CRITERIA | {"results": 85}}, expect=201)
    assert len(people.get(scores, expert_token)) == 2
    people.post(scores, resident, {"criteria": CRITERIA | {"care": 80}}, expect=201)
    shown = people.get(f"/api/feedback/sessions/{session}", {})
    assert (shown["status"], shown["score"], shown["findings"]) == ("opened", None, [])

    # The findings are everybody's to read, and the organization is told.
    people.post(f"/api/feedback/sessions/{session}/publication", people.station, statement())
    system.quiet()
    published = people.get(f"/api/feedback/sessions/{session}", {})
    means = {finding["party"]: finding["mean"] for finding in published["findings"]}
    assert means == {"resident": 87, "expert": 87, "station": 91}
    assert published["low"] < published["score"] < published["high"]
    assert published["statement_zh"] == statement()["statement_zh"]
    inbox = people.get("/api/notify/inbox", people.organization(organization))["items"]
    assert "评估结果" in next(notice["zh"] for notice in inbox if notice["kind"] == "evaluation-session.published")

    # The satisfaction: the residents' voice in it is the rating of the one who was served, which counts most.
    people.post("/api/feedback/ratings", resident, {"stars": 5}, expect=201)
    system.quiet()
    path = f"/api/feedback/satisfaction?community={people.community}&kind=organization&of={organization}"
    (satisfaction,) = people.get(path, people.station)["items"]
    assert (satisfaction["ratings"], satisfaction["evaluations"]) == (1, 3)
    (hidden,) = people.get(path, {})["items"]
    assert hidden["score"] is None
    season = clock.season_of(clock.now())
    (of_season,) = people.get(f"{path}&season={season}", people.station)["items"]
    assert (of_season["season"], of_season["score"]) == (season, satisfaction["score"])

    # What was done is counted, by category, class, organization and season, for everybody to read and to take away.
    by_class = people.get(f"/api/feedback/outcomes?community={people.community}&by=class", {})
    assert (by_class["total"]["requests"], sum(row["requests"] for row in by_class["rows"])) == (1, 1)
    (row,) = [row for row in outcomes(people, "organization") if row["key"] == organization]
    assert (row["requests"], row["beneficiaries"]) == (1, 1)
    assert [row["key"] for row in outcomes(people, "season")] == [season]
    file = tmp_path / "report.csv"
    printed = fenghe("report", "--data", str(system.data), "--csv", str(file))
    assert printed.returncode == 0, printed.stderr
    with file.open(newline="") as stream:
        (total,) = [row for row in csv.DictReader(stream) if row["by"] == "total"]
    assert (total["requests"], total["beneficiaries"]) == ("1", "1")


def statement() -> dict[str, str]:
    return {"statement_zh": "修得好，来得快，收费清楚。", "statement_en": "Good repairs, quickly done, at clear prices."}


def outcomes(people: People, by: str) -> list[dict[str, Any]]:
    found = people.get(f"/api/feedback/outcomes?community={people.community}&by={by}", {})["rows"]
    return [dict(row) for row in found]
