"""Tokens."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from services.registry.queries import tokens as queries
from services.registry.views.tokens import TokenTerms, TokenView
from shared import clock
from shared.access import Caller, allow
from shared.web import EDGE, Edge

router = APIRouter()


@router.post("/tokens", status_code=201, tags=["tokens"], summary="Issue a token")
def issue_token(body: TokenTerms, caller: Caller = allow("operator", "station"), edge: Edge = EDGE) -> TokenView:
    """Issue a token. An operator issues any but a resident's; a station those of organizations and experts of its own
    community. The token is shown this once and stored nowhere, so that a repeated call issues another one. Without a
    `subject`, an expert or a station is given a new one: send it along when the token is renewed, and its evaluations go on
    being counted as one person's. Tells nothing. 422 `organization-missing`, `community-missing`, `community-unexpected`."""
    holder = edge.read(queries.token_holder, caller, body)
    issued_at = clock.now().replace(microsecond=0)
    # Not through edge.run: what it returns is kept for an idempotent replay, and a token is never kept.
    token = edge.signer.sign(
        role=holder.role,
        community=holder.community,
        organization=holder.organization,
        subject=holder.subject,
        issued_at=issued_at,
        days=body.days,
    )
    return TokenView(token=token, expires_at=issued_at + timedelta(days=body.days), **holder.model_dump())
