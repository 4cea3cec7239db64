"""The season's calendar: a rehearsal community's clock, which is moved on day by day while the season is played."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from deploy.season.deployment import Deployment
from shared.clock import CIVIL_TIME, civil_date

MORNING = time(9)


@dataclass
class Calendar:
    """The days of a season, counted from the day of its opening, which is 0. Only an operator may turn the clock."""

    deployment: Deployment
    community: str
    operator: str
    opened_at: datetime
    day: int = field(default=0, init=False)

    def moment(self, day: int, clock: time = MORNING) -> datetime:
        """A time on a day of the season, aware."""
        return datetime.combine(civil_date(self.opened_at) + timedelta(days=day), clock, CIVIL_TIME)

    def turn_to(self, day: int) -> None:
        """Make it the morning of that day, and wait until everything that fell due has happened. Days that are past are left
        alone."""
        if day <= self.day:
            return
        path = f"/api/registry/communities/{self.community}/clock"
        to = {"to": self.moment(day).isoformat()}
        self.deployment.post(path, f"day {day}", to, token=self.operator)
        self.day = day
        self.deployment.quiet(f"day {day}")
