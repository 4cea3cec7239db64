"""The CSV file of requests: rows through the same action, errors that name number and column and not the words."""

from __future__ import annotations

import pytest

from services.matching.imports import imports
from services.matching.models import Request
from shared.access import Caller
from shared.problems import Problem

ROW = {
    "number": "17",
    "day": "3",
    "channel": "mailbox",
    "compound": "garden",
    "language": "zh",
    "text": "金丝雀说水龙头漏水",
}


def take_in(matching, town, role="station", **values):
    """Import one row."""
    (requests,) = imports
    assert tuple(ROW) == requests.columns
    matching.host.run(requests.row, Caller(role, community=town.community), town.community, ROW | values)
    matching.drain()


def test_a_row_is_a_request_like_any_other(matching, town, steps):
    town.open_with(matching, "甲")
    take_in(matching, town)
    take_in(matching, town, language="", text="a pipe is leaking", channel="website")
    first, second = matching.rows(Request)
    assert (first.channel, first.language, first.status, first.text) == ("mailbox", "zh", "matched", ROW["text"])
    assert (second.language, second.status) == ("en", "matched")
    assert steps.told().count("request.submitted") == 2


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"channel": "pigeon"}, 422, "channel"),
        ({"compound": "atlantis"}, 422, "compound"),
        ({"text": " "}, 422, "text"),
        ({"text": "金丝雀" * 1000}, 422, "text"),
        ({"role": "organization"}, 403, None),
    ],
)
def test_a_bad_row_is_refused(matching, town, values, status, field):
    matching.hear(town.opened())
    with pytest.raises(Problem) as raised:
        take_in(matching, town, **values)
    assert (raised.value.status, raised.value.field) == (status, field)
    assert raised.value.detail.startswith("Request 17 (day 3): ")
    assert "金丝雀" not in raised.value.detail
    assert matching.rows(Request) == []
