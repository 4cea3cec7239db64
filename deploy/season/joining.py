"""How organizations come into the community: absorbed as they are, incubated, or formed around talents; who stands under whom.

Every call carries a natural key, so that a joining that was cut short is taken up again where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from deploy.sample_community import Attempt, GreenChannel, Organization, Sample, Talent
from deploy.season.deployment import Deployment

REGISTRY = "/api/registry"
TERM = timedelta(days=180)
TRIAL = timedelta(days=90)
OPENED, RETURNED, FAILED = 82, 58, 41
"""The scores given where a gate is opened, where the incubation is sent back, and where it fails."""


@dataclass(frozen=True)
class Member:
    """An organization of the community, with its id and its token."""

    organization: Organization
    id: str
    token: str


@dataclass(frozen=True)
class EnrolledExpert:
    """An expert of the community: id, token, and the Chinese names of the organizations they may not judge."""

    id: str
    token: str
    conflicts: tuple[str, ...]


@dataclass
class Found:
    """What of the opening is there already: organizations by Chinese name, ids of those that have or had an agreement,
    offers (organization's id, title) on the menu."""

    organizations: dict[str, dict[str, Any]]
    under_agreement: set[str]
    offers: set[tuple[str, str]]
    has_taxonomy: bool


@dataclass(frozen=True)
class Joining:
    """The station takes organizations in. `today` is the community's day; `in_season`: agreements that the sample lets end
    within the season do so."""

    deployment: Deployment
    sample: Sample
    community: str
    station: str
    found: Found
    today: date
    in_season: bool

    def join_all(self) -> dict[str, Member]:
        """Take in every organization of the sample; whoever goes by the green channel comes after its guarantor."""
        channels = {one.organization_zh: one.green_channel for one in self.sample.incubations if one.green_channel}
        first = [one for one in self.sample.organizations if one.name_zh not in channels]
        later = [one for one in self.sample.organizations if one.name_zh in channels]
        joined = self.deployment.each("organizations join", first, lambda one: self._join(one, None, ""))
        members = {member.organization.name_zh: member for member in joined}
        for one in later:
            channel = channels[one.name_zh]
            members[one.name_zh] = self._join(one, channel, members[channel.guarantor].id)
        for member in members.values():
            for parent in member.organization.parents:
                path = f"{REGISTRY}/organizations/{member.id}/parents/{members[parent].id}"
                self.deployment.put(path, member.organization.name_zh, None, token=self.station)
        return {one.name_zh: members[one.name_zh] for one in self.sample.organizations}

    def _join(self, organization: Organization, channel: GreenChannel | None, guarantor: str) -> Member:
        """Apply, be registered in the way of its origin, and sign the agreement; as far as that is not done."""
        name = organization.name_zh
        entry = self.found.organizations.get(name) or self.deployment.post(
            f"{REGISTRY}/organizations",
            name,
            {
                "community": self.community,
                "name_zh": name,
                "name_en": organization.name_en,
                "organization_class": organization.organization_class,
                "introduction_zh": organization.introduction_zh,
                "introduction_en": organization.introduction_en,
                "origin": organization.origin,
                "based_in": organization.based_in,
            },
        )
        id = str(entry["id"])
        body = {"role": "organization", "community": self.community, "organization": id}
        token = str(self._post("/tokens", name, body)["token"])
        provisional = None
        if entry["status"] != "registered":
            if channel:
                provisional = self._go_by_green_channel(organization, id, channel, guarantor)
            else:
                self._take_founders(organization, id)
                self._register(organization, id)
            if organization.hub:
                self.deployment.patch(f"{REGISTRY}/organizations/{id}", name, {"hub": True}, token=self.station)
        if id not in self.found.under_agreement:
            self._sign(organization, id, name, self._term(organization))
        if provisional:
            self._post(f"/agreements/{provisional}/ending", name, {"reason": "已经登记，改签正式协议。"})
        return Member(organization, id, token)

    def enrol(self, members: dict[str, Member]) -> None:
        """Take the other people into the talent pool and link them to what they joined or lead."""
        for talent in self.sample.talents:
            if talent.how != "founded":
                self._enrol(talent, members[talent.organization_zh].id if talent.organization_zh else None)

    def _take_founders(self, organization: Organization, id: str) -> None:
        """Take those into the talent pool who found this organization, which is registered after that."""
        for talent in self.sample.talents:
            if talent.how == "founded" and talent.organization_zh == organization.name_zh:
                self._enrol(talent, id)

    def _enrol(self, talent: Talent, organization: str | None) -> None:
        terms = {"community": self.community, "name": talent.name_zh, "skills": list(talent.skills)}
        id = self._post("/talents", talent.name_zh, terms)["id"]
        if organization:
            self._post(f"/talents/{id}/links", talent.name_zh, {"organization": organization, "how": talent.how})

    def experts(self, members: dict[str, Member]) -> list[EnrolledExpert]:
        """Enrol the experts."""
        enrolled = []
        for expert in self.sample.experts:
            terms = {
                "community": self.community,
                "name": expert.name_zh,
                "categories": list(expert.categories),
                "conflicts": [members[name].id for name in expert.conflicts],
            }
            id = str(self._post("/experts", expert.name_zh, terms)["id"])
            body = {"role": "expert", "community": self.community, "subject": id}
            token = str(self._post("/tokens", expert.name_zh, body)["token"])
            enrolled.append(EnrolledExpert(id, token, expert.conflicts))
        return enrolled

    def _register(self, organization: Organization, id: str) -> None:
        attempts = [one.attempts for one in self.sample.incubations if one.organization_zh == organization.name_zh]
        if not attempts:
            self._post(f"/organizations/{id}/registration", organization.name_zh)
            return
        for number, attempt in enumerate(attempts[0], 1):
            if number > 1:
                self._post(f"/organizations/{id}/application", f"{organization.name_zh} {number}")
            self._incubate(id, f"{organization.name_zh} {number}", attempt)

    def _incubate(self, organization: str, key: str, attempt: Attempt) -> None:
        incubation = self._post("/incubations", key, {"organization": organization})["id"]
        back = attempt.returned
        for step, reason in attempt.decisions.items():
            if back and step == back.at:
                self._score(incubation, f"{key} {step} first", step, RETURNED)
                self._post(f"/incubations/{incubation}/return", key, {"to": back.to, "reason": back.reason})
                for again in self._steps(back.to, step):
                    self._open_gate(incubation, f"{key} {again} again", again, attempt.decisions[again])
            self._open_gate(incubation, f"{key} {step}", step, reason)
        if attempt.failure:
            self._post(f"/incubations/{incubation}/failure", key, {"reason": attempt.failure})

    def _open_gate(self, incubation: str, key: str, step: str, reason: str) -> None:
        self._score(incubation, key, step, OPENED)
        self._post(f"/incubations/{incubation}/advancement", key, {"reason": reason})

    def _score(self, incubation: str, key: str, step: str, score: int) -> None:
        scores = {"scores": dict.fromkeys(self._gates[step], score)}
        self.deployment.put(f"{REGISTRY}/incubations/{incubation}/scores", key, scores, token=self.station)

    def _steps(self, first: str, before: str) -> list[str]:
        steps = list(self._gates)
        return steps[steps.index(first) : steps.index(before)]

    @cached_property
    def _gates(self) -> dict[str, list[str]]:
        gates = self.deployment.get(f"{REGISTRY}/incubation-gates")
        return {gate["step"]: [criterion["id"] for criterion in gate["criteria"]] for gate in gates}

    def _go_by_green_channel(self, organization: Organization, id: str, channel: GreenChannel, guarantor: str) -> str:
        """Serve under a provisional agreement with a guarantor until nothing is lacking any more; the agreement's id."""
        name = organization.name_zh
        standards = [{"name_zh": standard.name.zh, "name_en": standard.name.en} for standard in channel.standards]
        opened = self._post("/green-channels", name, {"organization": id, "standards": standards})["id"]
        term = self.today, self.today + TRIAL
        agreement = self._sign(organization, id, f"{name} provisional", term, guarantor)
        for position, standard in enumerate(channel.standards, 1):
            path = f"{REGISTRY}/green-channels/{opened}/standards/{position}"
            for step in ({"asked": standard.asked}, {"answer": standard.answer, "met": True}):
                self.deployment.patch(path, f"{name} {position} {' '.join(step)}", step, token=self.station)
        return agreement

    def _sign(
        self, organization: Organization, id: str, key: str, term: tuple[date, date], guarantor: str | None = None
    ) -> str:
        terms = {
            "organization": id,
            "categories": list(organization.agreement_categories),
            "starts_on": term[0].isoformat(),
            "ends_on": term[1].isoformat(),
            "guarantor": guarantor,
        }
        return str(self._post("/agreements", key, terms)["id"])

    def _term(self, organization: Organization) -> tuple[date, date]:
        short = next((term for term in self.sample.terms if term.organization_zh == organization.name_zh), None)
        if short and self.in_season:
            return self.today, self.today + timedelta(days=short.days)
        return agreement_term(organization, self.today)

    def _post(self, path: str, natural_key: str, body: Any = None) -> dict[str, Any]:
        return self.deployment.post(f"{REGISTRY}{path}", natural_key, body, token=self.station)


def agreement_term(organization: Organization, today: date) -> tuple[date, date]:
    """First and last day of the agreement. The sample's dates are fixed, the sample must work on any day: the term is
    stretched where needed, from today at the latest, to half a year from today at the earliest."""
    return min(organization.agreement_starts_on, today), max(organization.agreement_ends_on, today + TERM)
