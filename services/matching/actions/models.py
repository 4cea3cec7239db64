"""The models that read requests: which there are, and a new one on demand."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.matching import learning
from services.matching.models import Community, FittedModel, Label
from services.matching.views import ModelView, RenewalView
from shared.access import Caller
from shared.messaging import Transaction
from shared.problems import NotFound


def renew_model(tx: Transaction, caller: Caller, community: str) -> RenewalView:
    """Have a new model fitted now instead of by night."""
    caller.belongs_to(community)
    if tx.session.get(Community, community) is None:
        raise NotFound("community", community)
    learning.wish_for_model(tx, community)
    labels = tx.session.exec(select(func.count()).select_from(Label).where(Label.community == community)).one()
    return RenewalView(community=community, labels=labels)


def list_models(session: Session, caller: Caller, community: str) -> list[ModelView]:
    """The models of a community, newest first."""
    caller.belongs_to(community)
    rows = session.exec(select(FittedModel).where(FittedModel.community == community).order_by(col(FittedModel.number).desc()))
    return [ModelView(learned=row.labels, **row.model_dump(include=_SHOWN)) for row in rows]


_SHOWN = set(ModelView.model_fields) - {"learned"}
