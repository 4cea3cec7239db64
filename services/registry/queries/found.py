"""What every query asks first."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session

from services.registry.models import Community
from shared.clock import civil_date
from shared.messaging import clocks
from shared.problems import NotFound


def find_community(session: Session, id: str, field: str | None = None) -> Community:
    """The community. Raises NotFound."""
    community = session.get(Community, id)
    if community is None:
        raise NotFound("community", id, field)
    return community


def today(session: Session, community: str) -> date:
    """The day by the community's clock."""
    return civil_date(clocks.now(session, community))


def is_sqlite(session: Session) -> bool:
    """Whether this is SQLite, whose functions of JSON have names of their own."""
    return session.get_bind().dialect.name == "sqlite"
