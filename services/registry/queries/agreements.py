"""Service agreements."""

from __future__ import annotations

from sqlmodel import Session, col, select

from services.registry import rules
from services.registry.models import Agreement, Organization
from services.registry.queries.found import find_community
from services.registry.views.agreements import AgreementView, GuaranteeView
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


def guaranteed_by(session: Session, organization: str) -> list[Agreement]:
    """The provisional agreements in force for which an organization answers, in the order in which they were signed."""
    wanted = select(Agreement).where(Agreement.guarantor == organization, Agreement.status == "in-force")
    return list(session.exec(wanted.order_by(col(Agreement.id))))


def guarantees(session: Session, organization: str) -> tuple[list[GuaranteeView], list[GuaranteeView]]:
    """For whom an organization answers, and who answers for it: the provisional agreements in force, with the other one's
    name and standing."""
    answers_for = guaranteed_by(session, organization)
    own = select(Agreement).where(
        Agreement.organization == organization, Agreement.status == "in-force", col(Agreement.guarantor).is_not(None)
    )
    answered_for_by = list(session.exec(own.order_by(col(Agreement.id))))
    ids = {one.organization for one in answers_for} | {one.guarantor for one in answered_for_by}
    others = {one.id: one for one in session.exec(select(Organization).where(col(Organization.id).in_(ids)))}

    def view(agreement: Agreement, other: str | None) -> GuaranteeView:
        named = others[other or ""]
        return GuaranteeView(
            agreement=agreement.id,
            ends_on=agreement.ends_on,
            organization=named.id,
            name_zh=named.name_zh,
            name_en=named.name_en,
            status=named.status,  # type: ignore[arg-type]  # a CHECK says so
        )

    return [view(one, one.organization) for one in answers_for], [view(one, one.guarantor) for one in answered_for_by]


def _agreement_view(caller: Caller, agreement: Agreement) -> AgreementView:
    view = AgreementView.model_validate(agreement, from_attributes=True)
    inside = rules.sees_inside(caller, agreement.community, agreement.organization)
    return view if inside else view.model_copy(update={"reason": None})
