"""Service agreements."""

from __future__ import annotations

from sqlmodel import Session, select

from services.registry import rules
from services.registry.models import Agreement
from services.registry.queries.found import find_community
from services.registry.views.agreements import AgreementView
from shared.access import Caller
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_agreements(
    session: Session, caller: Caller, community_id: str, organization_id: str | None, page: PageRequest
) -> Page[AgreementView]:
    """The agreements of a community, or of one organization in it. Raises NotFound."""
    find_community(session, community_id)
    wanted = select(Agreement).where(Agreement.community == community_id)
    if organization_id:
        wanted = wanted.where(Agreement.organization == organization_id)
    return paginate(session, wanted, Agreement.id, page, lambda agreement: _agreement_view(caller, agreement))


def get_agreement(session: Session, caller: Caller, agreement_id: str) -> AgreementView:
    """One agreement. Raises NotFound."""
    agreement = session.get(Agreement, agreement_id)
    if agreement is None:
        raise NotFound("agreement", agreement_id)
    return _agreement_view(caller, agreement)


def _agreement_view(caller: Caller, agreement: Agreement) -> AgreementView:
    view = AgreementView.model_validate(agreement, from_attributes=True)
    inside = rules.sees_inside(caller, agreement.community, agreement.organization)
    return view if inside else view.model_copy(update={"reason": None})
