"""A season from the first request to the last rating, phase by phase, through the HTTP APIs only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deploy.sample_community import Quality, Request, Sample
from deploy.season.calendar import Calendar
from deploy.season.chance import Chance
from deploy.season.deployment import Deployment, SeasonError
from deploy.season.evaluating import Resident
from deploy.season.joining import Member
from deploy.season.opening import Opened

MATCHING = "/api/matching"
FEEDBACK = "/api/feedback"
MOST_ROUNDS = 50
OVERDUE_AFTER = 4
"""Days."""


@dataclass
class Submitted:
    """A request the deployment took in: its id, the resident's link, which one it was merged into, who served it at last."""

    request: Request
    id: str
    link: str
    into: Submitted | None = None
    served_by: Member | None = None
    disputed: bool = False
    rated: bool = False


@dataclass
class Season:
    """A season being played in an open community."""

    deployment: Deployment
    opened: Opened
    sample: Sample
    chance: Chance
    calendar: Calendar
    submitted: dict[str, Submitted] = field(default_factory=dict)

    def submit(self, requests: tuple[Request, ...]) -> None:
        """Residents write on the website themselves; on every other channel the station writes down what they say."""

        def submit(request: Request) -> Submitted:
            body = {
                "community": self.opened.community,
                "channel": request.channel,
                "compound": request.compound,
                "language": request.language,
                "text": request.text,
            }
            token = None if request.channel == "website" else self.opened.station
            answer = self.deployment.post(f"{MATCHING}/requests", f"request {request.number}", body, token=token)
            return Submitted(request, str(answer["id"]), str(answer["link"]))

        for submitted in self.deployment.each("requests submitted", requests, submit):
            if submitted.id in self.submitted:
                other = self.submitted[submitted.id].request.number
                raise SeasonError(f"Requests {other} and {submitted.request.number} were given one id, {submitted.id}.")
            self.submitted[submitted.id] = submitted
        self.deployment.quiet("requests are read and matched")

    def merge(self) -> None:
        """The station's clerk merges what is the same need, asked for once more in the same compound, as "+1"."""
        by_number = sorted(self.submitted.values(), key=lambda one: one.request.number)
        for place, submitted in enumerate(by_number):
            label = self.sample.labels[submitted.request.number]
            if label.kind != "duplicate":
                continue
            for other in reversed(by_number[:place]):
                wanted = self.sample.labels[other.request.number].item
                if wanted == label.item and other.request.compound == submitted.request.compound and other.into is None:
                    path = f"{MATCHING}/requests/{submitted.id}/merging"
                    natural_key = f"request {submitted.request.number}"
                    self.deployment.post(path, natural_key, {"into": other.id}, token=self.opened.station)
                    submitted.into = other
                    break
        self.deployment.quiet("the same needs are merged")

    def refer(self) -> None:
        """Round by round the organizations answer their referrals; what one of them forgot goes to the next when it is
        overdue. Then they deliver."""
        members = sorted(self.opened.members.values(), key=lambda member: member.organization.name_zh)
        for _ in range(MOST_ROUNDS):
            made = [pair for pairs in self.deployment.each("referrals listed", members, self._made) for pair in pairs]
            if not made:
                break
            answered = [pair for pair in made if not self._forgets(pair)]
            if answered:
                self.deployment.each("referrals answered", answered, self._answer)
                self.deployment.quiet("the answers are heard")
            else:
                self.calendar.turn_to(self.calendar.day + OVERDUE_AFTER)
        else:
            raise SeasonError(f"After {MOST_ROUNDS} rounds there are still {len(made)} referrals without an answer.")
        accepted = [pair for pairs in self.deployment.each("referrals listed", members, self._accepted) for pair in pairs]
        self.deployment.each("requests served", accepted, self._deliver)
        self.deployment.quiet("the services are heard of")

    def rate(self) -> None:
        """The residents rate over their links and close. A few dispute instead: the station reopens those, they are
        referred and served again, and then rated too."""
        served = self._served(lambda submitted: not (submitted.disputed or submitted.rated))
        disputed = [submitted for submitted in served if self.chance.disputes(submitted.request)]
        pleased = [submitted for submitted in served if submitted not in disputed]
        self.deployment.each("residents rate", pleased, self._rate_and_close)
        self.deployment.each("residents dispute", disputed, self._dispute)
        self.deployment.quiet("the ratings are heard")
        if disputed:
            self.deployment.each("requests reopened", disputed, self._reopen)
            self.deployment.quiet("the reopenings are heard")
            self.refer()
            again = self._served(lambda submitted: submitted.disputed and not submitted.rated)
            self.deployment.each("residents rate again", again, self._rate_and_close)
            self.deployment.quiet("the ratings are heard")

    def serve(self, served: dict[str, Member]) -> None:
        """Remember who served which request in a project; what was merged into one was served with it."""
        for id, member in served.items():
            for one in self.submitted.values():
                if one.id == id or (one.into is not None and one.into.id == id):
                    one.served_by = member

    def residents(self, count: int) -> list[Resident]:
        """The first residents who were served, as members of the evaluation body."""
        return [Resident(one.id, one.link) for one in self._served(lambda one: True)[:count]]

    def evaluate(self) -> None:
        """The station evaluates every organization that served somebody."""
        serving = {
            submitted.served_by.id: submitted.served_by for submitted in self._served(lambda _: True) if submitted.served_by
        }

        def evaluate(member: Member) -> None:
            name = member.organization.name_zh
            body = {
                "community": self.opened.community,
                "organization": member.id,
                "score": self.chance.evaluation(self._quality(member)),
            }
            self.deployment.post(f"{FEEDBACK}/evaluations", name, body, token=self.opened.station)

        self.deployment.each("station evaluates", list(serving.values()), evaluate)
        self.deployment.quiet("the evaluations are heard")

    def _made(self, member: Member) -> list[tuple[Member, dict[str, Any]]]:
        return [(member, referral) for referral in self._referrals(member, "made")]

    def _forgets(self, pair: tuple[Member, dict[str, Any]]) -> bool:
        member, referral = pair
        return self.chance.forgets(self.submitted[referral["request"]].request, self._quality(member))

    def _accepted(self, member: Member) -> list[tuple[Member, dict[str, Any]]]:
        return [
            (member, referral)
            for referral in self._referrals(member, "accepted")
            if self.submitted[referral["request"]].served_by is None
        ]

    def _referrals(self, member: Member, status: str) -> list[dict[str, Any]]:
        referrals = self.deployment.pages(f"{MATCHING}/referrals", member.token, organization=member.id, status=status)
        return sorted(referrals, key=lambda referral: self.submitted[referral["request"]].request.number)

    def _answer(self, pair: tuple[Member, dict[str, Any]]) -> None:
        member, referral = pair
        request = self.submitted[referral["request"]].request
        reason = self.chance.declines(request, self._quality(member))
        natural_key = f"request {request.number} {member.organization.name_zh}"
        path = f"{MATCHING}/referrals/{referral['id']}"
        if member.organization.hub and self.chance.passes_on(request, self._quality(member)):
            able = self.deployment.get(f"{path}/members", member.token)
            if able:
                best = min(able, key=lambda one: str(one["name_zh"]))
                chosen = {"member": best["organization"]}
                self.deployment.post(f"{path}/handing-on", natural_key, chosen, token=member.token)
                return
        if reason is None:
            self.deployment.post(f"{path}/acceptance", natural_key, token=member.token)
        else:
            self.deployment.post(f"{path}/decline", natural_key, {"reason": reason}, token=member.token)

    def _deliver(self, pair: tuple[Member, dict[str, Any]]) -> None:
        member, referral = pair
        submitted = self.submitted[referral["request"]]
        natural_key = f"request {submitted.request.number} {member.organization.name_zh}"
        self.deployment.post(f"{MATCHING}/referrals/{referral['id']}/delivery", natural_key, token=member.token)
        for one in (submitted, *(one for one in self.submitted.values() if one.into is submitted)):
            one.served_by = member

    def _rate_and_close(self, submitted: Submitted) -> None:
        assert submitted.served_by is not None
        submitted.rated = True
        rating = self.chance.rating(submitted.request, self._quality(submitted.served_by))
        if rating is None:
            return
        natural_key = f"request {submitted.request.number}"
        body = {"stars": rating.stars, "comment": rating.comment, "purpose": "service"}
        self.deployment.post(f"{FEEDBACK}/ratings", natural_key, body, token=submitted.link)
        self.deployment.post(f"{MATCHING}/requests/{submitted.id}/closing", natural_key, token=submitted.link)

    def _dispute(self, submitted: Submitted) -> None:
        natural_key = f"request {submitted.request.number}"
        self.deployment.post(f"{MATCHING}/requests/{submitted.id}/dispute", natural_key, token=submitted.link)

    def _reopen(self, submitted: Submitted) -> None:
        natural_key = f"request {submitted.request.number}"
        self.deployment.post(f"{MATCHING}/requests/{submitted.id}/reopening", natural_key, token=self.opened.station)
        submitted.disputed = True
        submitted.served_by = None

    def _served(self, which: Any) -> list[Submitted]:
        """The served requests, in the order of their numbers."""
        served = [s for s in self.submitted.values() if s.served_by is not None and which(s)]
        return sorted(served, key=lambda submitted: submitted.request.number)

    def _quality(self, member: Member) -> Quality:
        return self.sample.quality[member.organization.name_zh]
