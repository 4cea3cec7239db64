"""Which model reads a community's requests, and how the next one is learned.

The model in force stands in the database, with its weights: every replica reads alike. A new one is fitted on a thread of its
own from the taxonomy and four fifths of what people labelled, judged beside the one in force on the fifth that neither has
seen, and takes over only where it is better. A timer watches over it (`handlers.py`): it sets the work going, comes back
until it is done, and puts the result in force in a transaction of its own.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from services.matching import queries
from services.matching.classify import METHOD, Model
from services.matching.classify import lessons as taught
from services.matching.classify.fitting import fit
from services.matching.classify.measures import finest, measures
from services.matching.classify.words import edition
from services.matching.models import FittedModel, Label, Request, Taxonomy
from shared.clock import CIVIL_TIME
from shared.events.registry import Category
from shared.identifiers import new_id
from shared.messaging import Transaction

FITTING, NIGHTLY = "model-fitting", "model-renewal"
"""Kinds of timers; their subject is the community."""
NIGHT_HOUR = 3
HELD_OUT = 5
"""One label in so many is held out."""
FEWEST_HELD_OUT = 4
"""With fewer labels held out nothing can be said, and the model in force stays."""
KEPT = 128
"""The most models in memory, those used last; one of a taxonomy of 68 items takes four megabytes. Communities that were
taught the same share one."""

KEPT_FIRST = 4
"""For how many taxonomies, those fitted last, what was learned from them alone is kept to be used again."""

CATEGORIES = TypeAdapter(tuple[Category, ...])


class Reader(NamedTuple):
    """The model in force in a community; `name` is what its requests keep."""

    id: str
    name: str
    model: Model


class Fitted(NamedTuple):
    """A model that has just been fitted, and what the labels held out say of it and of the one in force."""

    weights: bytes
    measures: list[dict[str, Any]]
    is_better: bool


class _Work(NamedTuple):
    """What there is to learn in a community; `digest` is the same wherever it is the same."""

    taxonomy: queries.menu.CurrentTaxonomy
    topics: tuple[taught.Topic, ...]
    learned: tuple[taught.Label, ...]
    held_out: tuple[taught.Label, ...]
    digest: str


_lock = threading.Lock()
_models: OrderedDict[str, Model] = OrderedDict()
"""By the digest of what they learned from."""
_first: OrderedDict[str, Future[Fitted]] = OrderedDict()
"""What was fitted from taxonomies alone, by digest: many communities have the same one."""
_fits: dict[str, tuple[tuple[str, str | None], Future[Fitted]]] = {}
_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-fitting")


_READERS = (
    select(Taxonomy.community, FittedModel.id, FittedModel.name, FittedModel.lessons)
    .outerjoin(
        FittedModel,
        (col(FittedModel.community) == Taxonomy.community)
        & (col(FittedModel.taxonomy) == Taxonomy.id)
        & (col(FittedModel.version) == Taxonomy.version)
        & (col(FittedModel.status) == "in-force"),
    )
    .where(col(Taxonomy.community).in_(bindparam("communities", expanding=True)))
    .order_by(col(Taxonomy.version), col(Taxonomy.id))
)
"""Built once, and run past the session: it is asked three times a request."""


def readers(session: Session, communities: Collection[str]) -> dict[str, Reader]:
    """The model in force in each community that has one for its current taxonomy."""
    rows = session.connection().execute(_READERS, {"communities": communities})
    newest = {community: fitted for community, *fitted in rows}
    return {
        community: Reader(id, name, model)
        for community, (id, name, lessons) in newest.items()
        if id and (model := _model(session, id, lessons))
    }


def wish_for_model(tx: Transaction, community: str) -> None:
    """Have a model fitted as soon as can be."""
    tx.schedule(FITTING, community, community, tx.now(community))


def learn(tx: Transaction, request: Request, category: str | None, item: str | None, by: str) -> None:
    """Keep what a person says a request asks for; a model learns it by night. Every fifth one is held out, and stays so when
    it is corrected: no model that is judged by it has learned from it."""
    now = tx.now(request.community)
    label = tx.session.get(Label, request.id)
    if label is None:
        before = tx.session.exec(select(func.count()).where(Label.community == request.community)).one()
        held_out = before % HELD_OUT == HELD_OUT - 1
        label = Label(
            request=request.id,
            community=request.community,
            category=category,
            item=item,
            held_out=held_out,
            by=by,
            labelled_at=now,
        )
    label.category, label.item, label.by, label.labelled_at = category, item, by, now
    tx.session.add(label)
    tx.session.flush()
    tx.schedule(NIGHTLY, request.community, request.community, next_night(now))


def next_night(now: datetime) -> datetime:
    """The next time it is three o'clock at night in China."""
    there = now.astimezone(CIVIL_TIME)
    night = there.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night > there else night + timedelta(days=1)


def renew(tx: Transaction, community: str) -> bool:
    """Go on with a community's next model: set the fitting going; where it is done, put it in force or refuse it. True once
    there is another one in force."""
    work = _work(tx.session, community)
    if work is None:
        return False
    in_force = select(FittedModel).where(FittedModel.community == community, FittedModel.status == "in-force")
    before = tx.session.exec(in_force).first()
    is_first = before is None or (before.taxonomy, before.version) != (work.taxonomy.id, work.taxonomy.version)
    known = select(FittedModel.id).where(FittedModel.community == community, FittedModel.lessons == work.digest)
    if not is_first and tx.session.exec(known).first() is not None:
        return False  # it has been fitted and judged
    comparing = None if is_first or before is None else before
    fitted = _fitted(community, work, comparing, _model(tx.session, comparing.id, comparing.lessons) if comparing else None)
    if fitted is None:
        tx.schedule(FITTING, community, community, tx.now(community))
        return False
    _keep(tx, community, work, fitted, before)
    return fitted.is_better


def _keep(tx: Transaction, community: str, work: _Work, fitted: Fitted, before: FittedModel | None) -> None:
    last = tx.session.exec(select(func.max(FittedModel.number)).where(FittedModel.community == community)).one()
    number = (last or 0) + 1
    if fitted.is_better and before is not None:
        before.status, before.weights = "retired", None
        tx.session.add(before)
        tx.session.flush()
    tx.session.add(
        FittedModel(
            id=new_id(),
            community=community,
            number=number,
            name=f"{METHOD}/{work.taxonomy.name}/{work.taxonomy.version}" + (f"/{number}" if work.learned else ""),
            taxonomy=work.taxonomy.id,
            version=work.taxonomy.version,
            lessons=work.digest,
            labels=len(work.learned),
            held_out=len(work.held_out),
            measures=fitted.measures,
            status="in-force" if fitted.is_better else "refused",
            fitted_at=tx.now(community),
            weights=fitted.weights if fitted.is_better else None,
        )
    )
    tx.session.flush()


def _work(session: Session, community: str) -> _Work | None:
    taxonomy = queries.menu.current_taxonomies(session, [community]).get(community)
    if taxonomy is None:
        return None
    categories = session.exec(select(Taxonomy.categories).where(Taxonomy.id == taxonomy.id)).one()
    rows = session.execute(
        select(Label.request, Label.held_out, Request.text, Label.category, Label.item)  # type: ignore[call-overload]
        .join(Request, col(Request.id) == col(Label.request))
        .where(Label.community == community)
        .order_by(Label.request)
    ).all()
    lessons = [(held_out, taught.Label(text, category, item)) for _, held_out, text, category, item in rows]
    told = json.dumps([METHOD, edition(), taxonomy.version, categories, lessons], ensure_ascii=False)
    return _Work(
        taxonomy=taxonomy,
        topics=taught.topics_of_fact(CATEGORIES.validate_python(categories)),
        learned=tuple(label for held_out, label in lessons if not held_out),
        held_out=tuple(label for held_out, label in lessons if held_out),
        digest=hashlib.sha256(told.encode()).hexdigest(),
    )


def _fitted(community: str, work: _Work, comparing: FittedModel | None, current: Model | None) -> Fitted | None:
    """The new model, None while it is being fitted. Raises what the fitting raised; it is then begun anew the next time."""
    key = (work.digest, comparing.id if comparing else None)
    with _lock:
        wanted, future = _fits.get(community, (None, None))
        if future is None or wanted != key:
            _fits[community] = key, _begun(work, current)
            return None
        if not future.done():
            return None
        del _fits[community]
        if future.exception() is not None:
            _first.pop(work.digest, None)
    return future.result()


def _begun(work: _Work, current: Model | None) -> Future[Fitted]:
    """A fitting that was set going; the one of another community, where nobody has labelled anything and its taxonomy is the
    same."""
    if current is not None or work.learned or work.held_out:
        return _pool.submit(_fit, work, current)
    if work.digest not in _first:
        while len(_first) >= KEPT_FIRST:
            _first.popitem(last=False)
        _first[work.digest] = _pool.submit(_fit, work, None)
    return _first[work.digest]


def _fit(work: _Work, current: Model | None) -> Fitted:
    model = fit(work.topics, work.learned)
    if current is None:
        return Fitted(model.dump(), [{"of": "this"} | _measured(model, work.held_out)], True)
    new, old = _measured(model, work.held_out), _measured(current, work.held_out)
    enough = len(work.held_out) >= FEWEST_HELD_OUT
    is_better = enough and (new["accuracy"], new["sureness"]) > (old["accuracy"], old["sureness"])
    return Fitted(model.dump(), [{"of": "this"} | new, {"of": "before"} | old], is_better)


def _measured(model: Model, labels: Sequence[taught.Label]) -> dict[str, Any]:
    """The measures of some labelled texts, and `sureness`: the mean probability given to what is right (0 to 1)."""
    readings = model.read([label.text for label in labels])
    asking = [(reading, label) for reading, label in zip(readings, labels, strict=True) if label.category is not None]
    found = measures(finest([reading for reading, _ in asking], [label for _, label in asking])).as_dict()
    given = [
        reading.nothing
        if label.category is None
        else sum(choice.p for choice in reading.ranked if (choice.category, choice.item) == (label.category, label.item))
        for reading, label in zip(readings, labels, strict=True)
    ]
    return found | {"sureness": round(sum(given) / max(len(given), 1), 4)}


def _model(session: Session, id: str, lessons: str) -> Model | None:
    """A stored model, loaded once in this process; None for one that this version cannot read."""
    with _lock:
        if lessons in _models:
            _models.move_to_end(lessons)
            return _models[lessons]
    weights = session.exec(select(FittedModel.weights).where(FittedModel.id == id)).first()
    try:
        model = Model.load(weights) if weights else None
    except ValueError:
        model = None
    if model is not None:
        with _lock:
            _models[lessons] = model
            while len(_models) > KEPT:
                _models.popitem(last=False)
    return model
