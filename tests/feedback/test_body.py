"""The evaluation body and its sessions: three parties, a term, scores given blind, findings for everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from services.feedback import queries, rules
from shared.events.matching import ProjectAssigned, RequestSubmitted
from shared.events.registry import CommunityClockMoved, ExpertChanged
from shared.identifiers import new_id
from tests.feedback.given import (
    community_opened,
    expert_told,
    organization_registered,
    project_told,
    request_served,
    request_told,
)
from tests.feedback.town import CRITERIA, FINDINGS, Town


def kind(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_body_is_appointed_with_all_three_parties(feedback, town):
    answer = town.appoint()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["starts_on"], body["status"]) == (str(town.today), "appointed")
    assert sorted(member["party"] for member in body["members"]) == ["expert", "expert", "resident", "station"]
    (told,) = feedback.told("fenghe.body.appointed.v1")
    assert {(member.party, member.subject) for member in told.data.members} == {
        (member["party"], member["subject"]) for member in body["members"]
    }
    # A resident's request leads to what they asked for: it stays here.
    assert town.request not in answer.text
    assert town.request not in told.data.model_dump_json()
    assert feedback.client.get("/api/feedback/bodies", params={"community": town.community}).json()["items"] == [body]
    assert feedback.client.get(f"/api/feedback/bodies/{body['id']}").json() == body
    assert kind(town.appoint()) == (409, "body-appointed")


def test_a_member_must_be_one(feedback, town):
    unserved = new_id()
    feedback.hear(request_told(RequestSubmitted, town.community, unserved))
    station, expert, _, resident = town.members
    for members, field in (
        ([station, station | {"subject": "s-2"}, expert], "members"),
        ([station, resident, expert | {"subject": "nobody"}], "members.2.subject"),
        ([station, expert, resident | {"subject": unserved}], "members.2.subject"),
        ([station, expert, resident, resident], "members.3.subject"),
        ([station, expert], "members"),
    ):
        answer = town.appoint(members=members)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
    yesterday = town.appoint(ends_on=str(town.today - timedelta(days=1)))
    assert yesterday.json()["errors"][0]["field"] == "ends_on"
    assert feedback.told() == []


def test_members_change_and_a_resident_who_stays_keeps_the_id(feedback, town):
    body = town.appoint().json()
    (resident,) = [member["subject"] for member in body["members"] if member["party"] == "resident"]
    station, expert, _, _ = town.members
    for named in (resident, town.request):
        members = [station, expert, {"party": "resident", "subject": named}]
        changed = town.post(f"bodies/{body['id']}/members", {"members": members}, method="PUT")
        assert changed.status_code == 200, changed.text
        assert [m["subject"] for m in changed.json()["members"] if m["party"] == "resident"] == [resident]
    assert len(feedback.told("fenghe.body.changed.v1")) == 2


def test_who_is_seated_again_is_the_member_they_were(feedback, town):
    """A resident who leaves the body and comes back keeps the id, and the score given in a session that is still open: it is
    neither given twice nor hidden from its giver."""
    other = new_id()
    feedback.hear(request_served(town.community, other, town.organization))
    body = town.appoint().json()
    (resident,) = [member["subject"] for member in body["members"] if member["party"] == "resident"]
    session = town.open().json()["id"]
    assert town.score(session, "resident", request=town.request).status_code == 201

    def seat(request):
        members = [*town.members[:3], {"party": "resident", "subject": request}]
        changed = town.post(f"bodies/{body['id']}/members", {"members": members}, method="PUT")
        assert changed.status_code == 200, changed.text
        return [member["subject"] for member in changed.json()["members"] if member["party"] == "resident"]

    (successor,) = seat(other)
    assert successor != resident
    assert town.score(session, "resident", request=town.request).status_code == 403
    assert seat(resident) == [resident], "by the id they had"
    assert seat(other) == [successor]
    assert seat(town.request) == [resident], "by the request"
    assert kind(town.score(session, "resident", request=town.request)) == (409, "already-scored")
    scores = town.get(f"sessions/{session}/scores", "resident", request=town.request).json()
    assert [score["subject"] for score in scores if score["party"] == "resident"] == [resident]


def test_a_session_from_its_opening_to_its_findings(feedback, town):
    body = town.appoint().json()
    answer = town.open()
    assert answer.status_code == 201, answer.text
    session = answer.json()["id"]
    assert (answer.json()["body"], answer.json()["status"]) == (body["id"], "opened")
    assert kind(town.open()) == (409, "session-opened")

    assert kind(town.post(f"sessions/{session}/publication", FINDINGS)) == (409, "parties-missing")
    town.score_by_all(session)
    again = town.score(session, "station")
    assert kind(again) == (409, "already-scored")
    # Nothing is told of a score before all are in, and nothing counts.
    assert {event.type for event in feedback.told()} == {
        "fenghe.body.appointed.v1",
        "fenghe.evaluation-session.opened.v1",
    }

    published = town.post(f"sessions/{session}/publication", FINDINGS)
    assert published.status_code == 200, published.text
    findings = {finding["party"]: finding for finding in published.json()["findings"]}
    assert list(findings) == ["resident", "expert", "station"]
    assert all((finding["mean"], finding["scores"]) == (78, 1) for finding in findings.values())
    assert findings["expert"]["criteria"] == CRITERIA
    level = rules.satisfaction_level({party: rules.Sums(1, 78, 78 * 78) for party in rules.WEIGHTS})
    assert (published.json()["score"], published.json()["low"]) == (level.score, level.low)
    public = feedback.client.get(f"/api/feedback/sessions/{session}").json()
    assert public == published.json()
    assert public["statement_zh"] == FINDINGS["statement_zh"]
    (told,) = feedback.told("fenghe.evaluation-session.published.v1")
    assert (told.data.score, told.data.organization, told.data.status) == (level.score, town.organization, "published")
    # The residents' voice in the satisfaction is that of those who were served.
    recorded = feedback.told("fenghe.evaluation.recorded.v1")
    assert sorted((event.data.party, event.data.score, event.data.session) for event in recorded) == [
        ("expert", 78, session),
        ("station", 78, session),
    ]
    with feedback.session() as reading:
        assert queries.kept(reading, town.community) == queries.recompute(reading, town.community)
    assert kind(town.score(session, "resident", request=town.request)) == (409, "session-published")


def test_nobody_sees_the_others_scores_before_giving_their_own(town):
    town.appoint()
    session = town.open().json()["id"]
    assert town.score(session, "station").status_code == 201
    assert len(town.get(f"sessions/{session}/scores").json()) == 1
    for role, who in (("expert", {"subject": town.expert}), ("resident", {"request": town.request})):
        refused = town.get(f"sessions/{session}/scores", role, **who)
        assert refused.status_code == 403, refused.text
        assert town.score(session, role, **who).status_code == 201
        assert len(town.get(f"sessions/{session}/scores", role, **who).json()) >= 2
    # A colleague who is not a member waits for the findings.
    assert town.get(f"sessions/{session}/scores", subject="a-colleague").status_code == 403
    assert town.get(f"sessions/{session}/scores", "resident", request=new_id()).status_code == 403
    town.post(f"sessions/{session}/publication", FINDINGS)
    scores = town.get(f"sessions/{session}/scores", subject="a-colleague").json()
    assert [score["score"] for score in scores] == [78, 78, 78]
    assert all(town.request not in str(score) for score in scores)
    assert town.get(f"sessions/{session}/scores", "expert", subject=new_id()).status_code == 403


def test_an_expert_with_an_interest_stays_out_and_strangers_do_not_score(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    partial = town.score(session, "expert", subject=town.partial)
    assert partial.status_code == 403
    assert "interest" in partial.json()["detail"]
    for role, who in (
        ("expert", {"subject": new_id()}),
        ("station", {"subject": "a-colleague"}),
        ("resident", {"request": new_id()}),
    ):
        assert town.score(session, role, **who).status_code == 403
    elsewhere = feedback.as_("station", community=new_id())
    path = f"/api/feedback/sessions/{session}/scores"
    assert feedback.client.post(path, json={"criteria": CRITERIA}, headers=elsewhere).status_code == 403


def test_what_an_expert_gave_does_not_count_once_an_interest_is_known(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    town.score_by_all(session)
    feedback.hear(expert_told(town.community, town.expert, ExpertChanged, town.organization), sequence=2)
    refused = town.post(f"sessions/{session}/publication", FINDINGS)
    assert kind(refused) == (409, "parties-missing")
    assert "expert" in refused.json()["detail"]
    third = new_id()
    feedback.hear(expert_told(town.community, third))
    body = town.get("bodies?community=" + town.community).json()["items"][0]["id"]
    members = [*town.members, {"party": "expert", "subject": third}]
    assert town.post(f"bodies/{body}/members", {"members": members}, method="PUT").status_code == 200
    assert town.score(session, "expert", dict.fromkeys(CRITERIA, 50), subject=third).status_code == 201
    published = town.post(f"sessions/{session}/publication", FINDINGS)
    assert published.status_code == 200, published.text
    findings = {finding["party"]: (finding["mean"], finding["scores"]) for finding in published.json()["findings"]}
    assert findings["expert"] == (50, 1)
    counted = [event.data for event in feedback.told("fenghe.evaluation.recorded.v1") if event.data.party == "expert"]
    assert [one.score for one in counted] == [50]


def test_a_delivered_project_is_evaluated(feedback, town):
    town.appoint()
    unfinished = new_id()
    feedback.hear(project_told(town.community, unfinished, town.organization, ProjectAssigned))
    assert kind(town.open(project=unfinished)) == (409, "project-not-delivered")
    session = town.open(project=town.project).json()
    assert (session["project"], session["organization"]) == (town.project, town.organization)
    residents = [new_id() for _ in range(5)]
    served = [request_served(town.community, request, town.organization) for request in residents]
    feedback.hear(*(fact.model_copy(update={"project": town.project}) for fact in served))
    for request in residents:
        body = {"stars": 5, "purpose": "service"}
        assert town.post("ratings", body, "resident", request=request).status_code == 201
    assert town.score(session["id"], "station").status_code == 201
    assert town.score(session["id"], "expert", subject=town.expert).status_code == 201
    # Five residents who were served have spoken; no member has to.
    published = town.post(f"sessions/{session['id']}/publication", FINDINGS)
    assert published.status_code == 200, published.text
    (residents_finding,) = [one for one in published.json()["findings"] if one["party"] == "resident"]
    assert (residents_finding["mean"], residents_finding["scores"], residents_finding["criteria"]) == (100, 5, {})
    (told,) = feedback.told("fenghe.evaluation-session.published.v1")
    assert told.data.project == town.project
    params = {"community": town.community, "kind": "project"}
    (satisfaction,) = feedback.client.get("/api/feedback/satisfaction", params=params).json()["items"]
    assert (satisfaction["of"], satisfaction["ratings"], satisfaction["evaluations"]) == (town.project, 5, 7)
    assert kind(town.open(project=town.project)) == (409, "session-opened")


def test_few_ratings_stay_hidden_in_the_findings(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    assert town.post("ratings", {"stars": 1}, "resident", request=town.request).status_code == 201
    town.score_by_all(session)
    published = town.post(f"sessions/{session}/publication", FINDINGS).json()
    assert {finding["party"]: finding["scores"] for finding in published["findings"]}["resident"] == 1


def test_an_organization_that_never_had_an_agreement_is_not_put_before_the_body(feedback, town):
    assert kind(town.open()) == (409, "no-body")
    town.appoint()
    newcomer = new_id()
    feedback.hear(organization_registered(town.community, newcomer))
    assert kind(town.open(organization=newcomer)) == (409, "not-serving")
    assert town.open(organization=new_id()).json()["errors"][0]["field"] == "organization"
    assert town.open(project=new_id()).json()["errors"][0]["field"] == "project"
    both = town.open(organization=town.organization, project=town.project)
    assert both.json()["errors"][0]["field"] == "organization"


def test_a_term_ends_by_the_clock_and_its_open_sessions_with_it(feedback, town):
    body = town.appoint(ends_on=str(town.today + timedelta(days=1))).json()
    session = town.open().json()["id"]
    opened = community_opened(town.community).model_dump() | {"rehearsal": True}
    feedback.hear(CommunityClockMoved(**opened | {"clock_ahead": 86_400 * 2}))
    (ended,) = feedback.told("fenghe.body.ended.v1")
    assert (ended.subject, ended.data.ended_because) == (body["id"], "expired")
    (cancelled,) = feedback.told("fenghe.evaluation-session.cancelled.v1")
    assert (cancelled.subject, cancelled.data.cancelled_because) == (session, "body-ended")
    assert town.appoint(ends_on=str(town.today + timedelta(days=300))).status_code == 201


def test_a_body_is_dissolved_and_a_session_called_off(feedback, town):
    body = town.appoint().json()["id"]
    session = town.open().json()["id"]
    called_off = town.post(f"sessions/{session}/cancellation", {"reason": "专家生病"})
    assert (called_off.status_code, called_off.json()["cancelled_because"]) == (200, "called-off")
    assert kind(town.post(f"sessions/{session}/cancellation", {"reason": "again"})) == (409, "session-cancelled")
    assert town.post(f"bodies/{body}/dissolution").json()["ended_because"] == "dissolved"
    assert kind(town.post(f"bodies/{body}/dissolution")) == (409, "body-ended")
    assert len(feedback.told("fenghe.body.ended.v1")) == 1
    assert all("专家生病" not in event.data.model_dump_json() for event in feedback.told())


def test_of_many_scores_at_once_one_stands(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    together = Barrier(6)

    def score(points):
        together.wait()
        return town.score(session, "station", dict.fromkeys(CRITERIA, points))

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(score, range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


VERBS = ("change", "dissolve", "open", "score", "publish", "cancel")


def test_no_order_of_verbs_leaves_the_life_cycles(feedback):
    """Whatever is tried in whatever order: what the tables do not allow is refused with a problem and tells nothing; each
    transition tells one fact."""

    def told_of_cycles():
        return len([event for event in feedback.told() if "session" in event.type or "body" in event.type])

    class Life(RuleBasedStateMachine):
        @initialize()
        def begin(self):
            self.town = Town(feedback)
            self.body = self.session = None
            self.body_status, self.session_status = "none", "none"
            self.told = told_of_cycles()

        @rule(verb=st.sampled_from(("appoint", *VERBS)))
        def attempt(self, verb):
            town = self.town
            before = (self.body_status, self.session_status)
            if verb == "appoint":
                answer, allowed, told = town.appoint(), self.body_status != "appointed", 1
                if allowed:
                    self.body, self.body_status = answer.json()["id"], "appointed"
            elif verb == "open":
                answer = town.open()
                allowed, told = self.body_status == "appointed" and self.session_status not in ("opened", "published"), 1
                if allowed:
                    self.session, self.session_status, self.scored = answer.json()["id"], "opened", False
            elif verb in ("change", "dissolve"):
                if self.body is None:
                    return
                allowed, told = ("appointed", verb) in rules.BODY and self.body_status == "appointed", 1
                if verb == "change":
                    answer = town.post(f"bodies/{self.body}/members", {"members": town.members}, method="PUT")
                else:
                    answer = town.post(f"bodies/{self.body}/dissolution")
                    if allowed:
                        self.body_status = "ended"
                        told += self.session_status == "opened"
                        self.session_status = "cancelled" if self.session_status == "opened" else self.session_status
            else:
                if self.session is None:
                    return
                allowed = (self.session_status, verb) in rules.SESSION
                told = {"score": 0, "publish": 1, "cancel": 1}[verb]
                if verb == "score":
                    answer = town.score(self.session, "station")
                    if allowed and not self.scored:
                        for role, who in (("expert", {"subject": town.expert}), ("resident", {"request": town.request})):
                            assert town.score(self.session, role, **who).status_code == 201
                    allowed, self.scored = allowed and not self.scored, self.scored or allowed
                elif verb == "publish":
                    answer = town.post(f"sessions/{self.session}/publication", FINDINGS)
                    allowed = allowed and self.scored
                    self.session_status = "published" if allowed else self.session_status
                else:
                    answer = town.post(f"sessions/{self.session}/cancellation", {"reason": "x"})
                    self.session_status = "cancelled" if allowed else self.session_status
            assert (answer.status_code < 300) == allowed, (before, verb, answer.text)
            if not allowed:
                assert answer.status_code in (403, 409), (before, verb, answer.text)
            told_before, self.told = self.told, told_of_cycles()
            assert self.told - told_before == (told if allowed else 0), (before, verb)

    run_state_machine_as_test(
        Life,
        settings=settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)),
    )
