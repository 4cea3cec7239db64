"""Every route, every role, every owner: what is another's is refused, what is one's own is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from httpx import Response

from deploy import access
from deploy.services import load_all
from shared import openapi
from shared.messaging.testing import Harness
from shared.service import Service
from tests.architecture import owners

SERVICES = load_all()
REFUSED_ANYWAY: Mapping[str, str] = {
    "POST /sessions/{id}/scores": "only members of the evaluation body score",
    "GET /sessions/{id}/scores": "nobody sees scores before giving their own",
    "PATCH /green-channels/{channel}/standards/{position}": "a channel has the standards it was opened with",
    "DELETE /organizations/{organization}/parents/{parent}": "no organization is its own parent",
}
"""Where what is one's own may be refused as well, and why."""


def refused(answer: Response) -> bool:
    """Whether nothing was done and nothing shown."""
    return answer.status_code in (403, 404) or (answer.status_code == 200 and answer.json() == {"items": [], "next": None})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_what_is_anothers_is_refused_and_what_is_ones_own_is_not(
    harness: Callable[[Service], Harness], service: Service
) -> None:
    running = harness(service)
    owners.furnish(running, service)
    document = running.client.get(f"/api/{service.name}/openapi.json").json()
    wrong = []
    for route, method in access.routes(service):
        if "anyone" in openapi.roles(route):
            continue
        for role in openapi.roles(route):
            tried = [(bound, owners.OTHERS[bound]) for bound in access.bound_to(service, route, method, role)]
            for whose, owner in (*tried, ("own", owners.OWN)):
                asked = owners.call(document, service, route, method, owner)
                answer = running.client.request(
                    method, asked.path, params=asked.params, json=asked.body, headers=owners.headers(running, role)
                )
                if method == "DELETE":
                    owners.furnish(running, service)  # what is gone now is there for the next role again
                if whose == "own":
                    anyway = f"{method} {route.path}" in REFUSED_ANYWAY
                    right = answer.status_code not in (401, 403, 404, 500) or anyway
                else:
                    right = refused(answer)
                if not right:
                    wrong.append(
                        f"{role}, {'' if whose == 'own' else 'not '}{whose}: {asked}: {answer.status_code} {answer.text}"
                    )
    assert not wrong, "\n".join(wrong)
