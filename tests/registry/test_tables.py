"""What the tables themselves forbid, whoever writes them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.registry.models import Agreement, Community, Offer, Organization
from shared.messaging import Transaction
from shared.messaging.testing import Harness
from tests.registry.given import Town


def test_an_impossible_row_is_refused(registry: Harness, town: Town) -> None:
    town.registered(name_zh="大家乐文体协会")
    id = town.registered()
    town.agreement(id)
    town.offer(id)
    cases: list[tuple[Any, dict[str, Any]]] = [
        (Organization, {"status": "dissolved"}),
        (Organization, {"status": "applied"}),
        (Organization, {"registered_at": None}),
        (Organization, {"organization_class": "club"}),
        (Organization, {"name_zh": "大家乐文体协会"}),
        (Organization, {"community": "nowhere"}),
        (Agreement, {"ends_on": date(2019, 12, 31)}),
        (Agreement, {"status": "ended"}),
        (Agreement, {"organization": "nobody"}),
        (Offer, {"price": None}),
        (Offer, {"fee_mode": "free"}),
        (Offer, {"fee_mode": "gift", "price": "1.00"}),
        (Offer, {"unit": "day"}),
        (Offer, {"status": "withdrawn"}),
        (Offer, {"weekly_capacity": 0}),
        (Offer, {"organization": "nobody"}),
    ]
    for table, change in cases:
        statement = sa.update(table).values(change)
        if table is Organization:
            statement = statement.where(table.id == id)
        with pytest.raises(IntegrityError):
            write(registry, statement)


def write(registry: Harness, statement: Any) -> None:
    def action(tx: Transaction) -> None:
        tx.session.execute(statement)

    registry.host.run(action)


def test_a_slug_stands_once(registry: Harness, town: Town) -> None:
    copy = sa.insert(Community).values(
        id="2",
        slug="fenghe",
        name_zh="二",
        name_en="Two",
        rehearsal=False,
        opened_at=registry.rows(Community)[0].opened_at,
    )
    with pytest.raises(IntegrityError):
        write(registry, copy)
