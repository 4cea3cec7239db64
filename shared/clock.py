"""What time it is, asked in one place."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

CIVIL_TIME = ZoneInfo("Asia/Shanghai")
"""The time by which communities live (China Standard Time)."""


def now() -> datetime:
    """The time of the machine (aware, UTC). A community's own is asked of `tx.now` or `clocks.now`."""
    return datetime.now(UTC)


def civil_date(moment: datetime) -> date:
    """The day a moment falls on where the community lives."""
    return moment.astimezone(CIVIL_TIME).date()


def midnight(day: date) -> datetime:
    """The moment (aware, UTC) at which a day begins where the community lives."""
    return datetime.combine(day, time(), CIVIL_TIME).astimezone(UTC)


def season_of(moment: datetime) -> str:
    """The season a moment falls into: the quarter of the civil year, for example `2026-Q4`."""
    day = civil_date(moment)
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"
