"""A community in which an evaluation body can be appointed, for the tests of bodies and their sessions."""

from __future__ import annotations

from datetime import timedelta

from shared import clock
from shared.events.registry import ExpertChanged
from shared.identifiers import new_id
from tests.feedback.given import (
    agreement_signed,
    community_opened,
    expert_told,
    organization_registered,
    project_told,
    request_served,
)

FINDINGS = {"statement_zh": "服务扎实，居民满意。", "statement_en": "Solid work; residents are content."}
CRITERIA = {"results": 90, "reliability": 80, "care": 70, "conduct": 60}


class Town:
    """A community in which there is everybody an evaluation body needs."""

    def __init__(self, feedback):
        self.feedback = feedback
        self.community, self.organization, self.project = new_id(), new_id(), new_id()
        self.request = new_id()
        self.expert, self.partial = new_id(), new_id()
        feedback.hear(
            community_opened(self.community).model_copy(update={"rehearsal": True}),
            organization_registered(self.community, self.organization),
            agreement_signed(self.community, self.organization),
            expert_told(self.community, self.expert),
            expert_told(self.community, self.partial, ExpertChanged, self.organization),
            request_served(self.community, self.request, self.organization),
            project_told(self.community, self.project, self.organization),
        )

    @property
    def today(self):
        return clock.civil_date(clock.now())

    @property
    def members(self):
        return [
            {"party": "station", "subject": "station"},
            {"party": "expert", "subject": self.expert},
            {"party": "expert", "subject": self.partial},
            {"party": "resident", "subject": self.request},
        ]

    def headers(self, role, **who):
        return self.feedback.as_(role, community=self.community, **who)

    def post(self, path, body=None, role="station", method="POST", **who):
        return self.feedback.client.request(method, f"/api/feedback/{path}", json=body or {}, headers=self.headers(role, **who))

    def get(self, path, role="station", **who):
        return self.feedback.client.get(f"/api/feedback/{path}", headers=self.headers(role, **who))

    def appoint(self, **terms):
        body = {"community": self.community, "ends_on": str(self.today + timedelta(days=300)), "members": self.members}
        return self.post("bodies", body | terms)

    def open(self, **about):
        return self.post("sessions", {"community": self.community} | (about or {"organization": self.organization}))

    def score(self, session, role, criteria=CRITERIA, **who):
        return self.post(f"sessions/{session}/scores", {"criteria": criteria}, role, **who)

    def score_by_all(self, session):
        for answer in (
            self.score(session, "station"),
            self.score(session, "expert", subject=self.expert),
            self.score(session, "resident", request=self.request),
        ):
            assert answer.status_code == 201, answer.text
