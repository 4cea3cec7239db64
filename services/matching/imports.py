"""The CSV file matching takes in: requests.

A resident's link is given only in the answer to the one who submits. Nobody gets those of imported requests: only the
station follows them, and nobody rates, disputes or withdraws them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from services.matching.actions.requests import submit_request
from services.matching.views import RequestTerms
from shared.access import Caller
from shared.imports import Import
from shared.messaging import Transaction
from shared.problems import Problem

REQUEST_COLUMNS = ("number", "day", "channel", "compound", "language", "text")


def import_request(tx: Transaction, caller: Caller, community: str, values: Mapping[str, str]) -> None:
    """One request, taken in like any other. `number` and `day` only say which one is meant when it is refused. Raises
    Problem naming the column, never repeating the resident's words."""
    which = f"Request {values['number'].strip()} (day {values['day'].strip()})"
    try:
        terms = RequestTerms.model_validate(
            {
                "community": community,
                "channel": values["channel"].strip(),
                "compound": values["compound"].strip(),
                "language": values["language"].strip() or None,
                "text": values["text"],
            }
        )
        submit_request(tx, caller, terms)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        column = str(first["loc"][0])
        raise Problem(422, "invalid", f"{which}: {column}: {first['msg']}.", column) from None
    except Problem as problem:
        raise Problem(problem.status, problem.kind, f"{which}: {problem.detail}", problem.field) from None


imports = [Import("requests", REQUEST_COLUMNS, import_request)]
