"""The parameters of an address: only those that its route has."""

from __future__ import annotations

import difflib

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.problems import Invalid

LONGEST = 100
"""So much of a name is told back where there is no such parameter."""


def check(request: Request) -> None:
    """Refuse a parameter that the route does not have: passed over, a misspelt one would show more than was asked for. Raises
    Invalid."""
    if not request.query_params:
        return
    there = _names(request.scope["route"].dependant)
    for name in request.query_params:
        if name not in there:
            close = difflib.get_close_matches(name, there, 1)
            meant = f"; did you mean `{close[0]}`?" if close else f"; there are {', '.join(sorted(there))}." if there else "."
            raise Invalid(name[:LONGEST], f"There is no such parameter here{meant}")


def _names(dependant: Dependant) -> set[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*map(_names, dependant.dependencies))
