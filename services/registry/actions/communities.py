"""Communities: opened, their clock moved, their taxonomy published."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, delete, insert, select

from services.registry import rules
from services.registry.actions.rows import hold
from services.registry.models import Category, Community, Compound, Item, Taxonomy
from services.registry.queries import communities as queries
from services.registry.views.communities import ClockSetting, CommunityTerms, CommunityView, TaxonomyTerms, TaxonomyView
from shared.access import Caller
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.messaging import Transaction, clocks
from shared.problems import Conflict, Invalid


def open_community(tx: Transaction, caller: Caller, terms: CommunityTerms) -> CommunityView:
    """Open a community with its compounds; tells community.opened. Raises Conflict for a slug that is taken, Invalid
    for a compound id given twice."""
    repeated = rules.first_duplicate(compound.id for compound in terms.compounds)
    if repeated:
        place, id = repeated
        raise Invalid(f"compounds.{place}.id", f"The compound id {id!r} is given twice.", "compound-duplicate")
    if tx.session.exec(select(Community.id).where(Community.slug == terms.slug)).first():
        raise Conflict("slug-taken", f"There is a community with the slug {terms.slug!r}; choose another.", "slug")
    id = new_id()
    community = Community(id=id, opened_at=tx.now(id), **terms.model_dump(exclude={"compounds"}))
    tx.session.add(community)
    tx.session.flush()
    compounds = [compound.model_dump() for compound in terms.compounds]
    tx.session.execute(
        insert(Compound),
        [{"community": id, "position": position, **compound} for position, compound in enumerate(compounds)],
    )
    tx.tell(facts.CommunityOpened.from_row(community, compounds=compounds, clock_ahead=0))
    return CommunityView(compounds=terms.compounds, clock_ahead=0, **community.model_dump())


def move_clock(tx: Transaction, caller: Caller, community_id: str, setting: ClockSetting) -> CommunityView:
    """Move the clock of a rehearsal community forward; tells community.clock-moved. Raises Conflict for a real community,
    Invalid for a moment that its clock has passed or that is years away."""
    community = hold(tx, Community, "community", community_id)
    if not community.rehearsal:
        raise Conflict("community-real", "People live by this community's clock; only a rehearsal community's can be moved.")
    ahead = rules.clock_ahead(tx.now(community.id), setting.to, clocks.ahead(tx.session, community.id))
    clocks.move(tx.session, {community.id: ahead})
    view = queries.community_view(tx.session, community)
    compounds = [compound.model_dump() for compound in view.compounds]
    tx.tell(facts.CommunityClockMoved.from_row(community, compounds=compounds, clock_ahead=ahead))
    return view


def publish_taxonomy(tx: Transaction, caller: Caller, community_id: str, terms: TaxonomyTerms) -> TaxonomyView:
    """Publish a community's taxonomy, or its next version; tells taxonomy.published. Raises Invalid for an id that
    stands twice among the categories or among the items."""
    hold(tx, Community, "community", community_id)
    caller.belongs_to(community_id)
    _check_ids_unique(terms)
    taxonomy = tx.session.exec(select(Taxonomy).where(Taxonomy.community == community_id)).first()
    if taxonomy is None:
        taxonomy = Taxonomy(id=new_id(), community=community_id, name="", version=0, published_at=tx.now(community_id))
        tx.session.add(taxonomy)
    taxonomy.name, taxonomy.version = terms.id, taxonomy.version + 1
    taxonomy.published_at = tx.now(community_id)
    tx.session.flush()
    tx.session.execute(delete(Item).where(col(Item.taxonomy) == taxonomy.id))
    tx.session.execute(delete(Category).where(col(Category.taxonomy) == taxonomy.id))
    categories = [_named(category) | {"items": [_named(item) for item in category.items]} for category in terms.categories]
    items = [item | {"category": category["id"]} for category in categories for item in category["items"]]
    own: dict[str, Any] = {"taxonomy": taxonomy.id}
    tx.session.execute(
        insert(Category),
        [
            own | {"position": position} | {name: value for name, value in category.items() if name != "items"}
            for position, category in enumerate(categories)
        ],
    )
    if items:
        tx.session.execute(insert(Item), [own | {"position": position} | item for position, item in enumerate(items)])
    tx.tell(facts.TaxonomyPublished.from_row(taxonomy, categories=categories))
    return TaxonomyView(id=terms.id, version=taxonomy.version, categories=terms.categories)


def _named(part: Any) -> dict[str, Any]:
    """A category or item of a taxonomy document, in the field names of tables and facts."""
    return {
        "id": part.id,
        "name_zh": part.name.zh,
        "name_en": part.name.en,
        "phrases_zh": part.phrases.zh,
        "phrases_en": part.phrases.en,
    }


def _check_ids_unique(terms: TaxonomyTerms) -> None:
    categories = [(f"categories.{place}", category) for place, category in enumerate(terms.categories)]
    items = [(f"{where}.items.{place}", item) for where, category in categories for place, item in enumerate(category.items)]
    for thing, parts in (("category", categories), ("item", items)):
        repeated = rules.first_duplicate(part.id for _, part in parts)
        if repeated:
            place, id = repeated
            raise Invalid(f"{parts[place][0]}.id", f"The {thing} id {id!r} stands twice.", f"{thing}-duplicate")
