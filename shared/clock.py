"""What time it is, asked in one place."""

from datetime import UTC, datetime


def now(community: str | None = None) -> datetime:
    """The time of a community (aware, UTC); without one, the time of the machine."""
    return datetime.now(UTC)


def season_of(moment: datetime) -> str:
    """The season a moment falls into: the quarter of its year, for example `2026-Q4`."""
    return f"{moment.year}-Q{(moment.month - 1) // 3 + 1}"
