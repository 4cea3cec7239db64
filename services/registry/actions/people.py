"""Experts and the talent pool. Who somebody is stays in their row, and is deleted when they leave."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from services.registry import rules
from services.registry.actions.rows import assign, check_community, different, hold, known_categories
from services.registry.models import Expert, Organization, Talent, TalentLink
from services.registry.queries.people import talent_links, talent_view
from services.registry.views.people import (
    ExpertChanges,
    ExpertTerms,
    ExpertView,
    TalentChanges,
    TalentLinkTerms,
    TalentTerms,
    TalentView,
)
from shared.access import Caller
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound


def enrol_expert(tx: Transaction, caller: Caller, terms: ExpertTerms) -> ExpertView:
    """Enrol an expert; tells expert.enrolled. Raises Invalid for a category or an organization that is not there."""
    check_community(tx, caller, terms.community)
    expert = Expert(
        id=new_id(),
        community=terms.community,
        name=terms.name,
        contact=terms.contact,
        categories=known_categories(tx, terms.community, terms.categories, "categories"),
        conflicts=_known_organizations(tx, terms.community, terms.conflicts),
        status=follow(rules.EXPERT, "expert", "new", "enrol"),
        enrolled_at=tx.now(terms.community),
    )
    tx.session.add(expert)
    tx.tell(facts.ExpertEnrolled.from_row(expert))
    return _expert_view(expert)


def change_expert(tx: Transaction, caller: Caller, expert_id: str, changes: ExpertChanges) -> ExpertView:
    """Change an expert; tells expert.changed where categories or conflicts are different. Raises what enrol_expert does, and
    Conflict for one who left."""
    expert = _hold_expert(tx, caller, expert_id)
    expert.status = follow(rules.EXPERT, "expert", expert.status, "change")
    wanted = changes.model_dump(exclude_unset=True)
    if "categories" in wanted:
        wanted["categories"] = known_categories(tx, expert.community, wanted["categories"], "categories")
    if "conflicts" in wanted:
        wanted["conflicts"] = _known_organizations(tx, expert.community, wanted["conflicts"])
    changed = different(expert, wanted)
    assign(expert, changed)
    # A name or a contact is nobody's business outside the station.
    if changed.keys() & {"categories", "conflicts"}:
        tx.tell(facts.ExpertChanged.from_row(expert))
    return _expert_view(expert)


def let_expert_go(tx: Transaction, caller: Caller, expert_id: str) -> ExpertView:
    """Let an expert leave; name and contact are deleted. Tells expert.left. Raises Conflict for one who left."""
    expert = _hold_expert(tx, caller, expert_id)
    expert.status = follow(rules.EXPERT, "expert", expert.status, "leave")
    expert.left_at, expert.name, expert.contact = tx.now(expert.community), None, None
    tx.tell(facts.ExpertLeft.from_row(expert))
    return _expert_view(expert)


def enrol_talent(tx: Transaction, caller: Caller, terms: TalentTerms) -> TalentView:
    """Take somebody into the talent pool; tells talent.enrolled. Raises Invalid for a skill that is no category."""
    check_community(tx, caller, terms.community)
    talent = Talent(
        id=new_id(),
        community=terms.community,
        name=terms.name,
        contact=terms.contact,
        skills=known_categories(tx, terms.community, terms.skills, "skills"),
        status=follow(rules.TALENT, "talent", "new", "enrol"),
        enrolled_at=tx.now(terms.community),
    )
    tx.session.add(talent)
    _tell_talent(tx, facts.TalentEnrolled, talent)
    return talent_view(tx.session, talent)


def change_talent(tx: Transaction, caller: Caller, talent_id: str, changes: TalentChanges) -> TalentView:
    """Change somebody in the talent pool; tells talent.changed where the skills are different. Raises Invalid for a skill that
    is no category, Conflict for one who left."""
    talent = _hold_talent(tx, caller, talent_id)
    talent.status = follow(rules.TALENT, "talent", talent.status, "change")
    wanted = changes.model_dump(exclude_unset=True)
    if "skills" in wanted:
        wanted["skills"] = known_categories(tx, talent.community, wanted["skills"], "skills")
    changed = different(talent, wanted)
    assign(talent, changed)
    # A name or a contact is nobody's business outside the station.
    if "skills" in changed:
        _tell_talent(tx, facts.TalentChanged, talent)
    return talent_view(tx.session, talent)


def link_talent(tx: Transaction, caller: Caller, talent_id: str, terms: TalentLinkTerms) -> TalentView:
    """Let a talent join, lead or found an organization; tells talent.linked. Raises Invalid for an organization elsewhere,
    Conflict for one that is gone, for the founding of one that was not formed around talents, and where it is so already."""
    talent = _hold_talent(tx, caller, talent_id)
    talent.status = follow(rules.TALENT, "talent", talent.status, "link")
    organization = tx.session.get(Organization, terms.organization)
    if organization is None or organization.community != talent.community:
        raise NotFound("organization", terms.organization, "organization")
    if organization.status not in rules.NAMED:
        detail = "Nobody comes together with an organization that is gone."
        raise Conflict(f"organization-{organization.status}", detail, "organization")
    if terms.how == "founded" and organization.origin != "formed":
        detail = f"This organization's origin is {organization.origin!r}; talents found one that is formed around them."
        raise Conflict("organization-not-formed", detail, "how")
    link = (talent.id, organization.id, terms.how)
    if tx.session.get(TalentLink, link):
        raise Conflict("link-exists", f"This talent {terms.how} this organization already.", "how")
    tx.session.add(
        TalentLink(talent=talent.id, organization=organization.id, how=terms.how, linked_at=tx.now(talent.community))
    )
    tx.session.flush()
    _tell_talent(tx, facts.TalentLinked, talent, organization=organization.id, how=terms.how)
    return talent_view(tx.session, talent)


def unlink_talent(tx: Transaction, caller: Caller, talent_id: str, terms: TalentLinkTerms) -> TalentView:
    """Let a talent be with an organization no longer in one of the three ways; tells talent.unlinked. Raises Invalid where it
    is not so (`link-unknown`), Conflict (`founder-missing`) for the only founder of a registered organization that was formed
    around talents."""
    talent = _hold_talent(tx, caller, talent_id)
    talent.status = follow(rules.TALENT, "talent", talent.status, "unlink")
    link = tx.session.get(TalentLink, (talent.id, terms.organization, terms.how))
    if link is None:
        raise Invalid("organization", f"This talent has not {terms.how} this organization.", "link-unknown")
    organization = hold(tx, Organization, "organization", terms.organization, "organization")
    founders = select(TalentLink.talent).where(TalentLink.organization == organization.id, TalentLink.how == "founded")
    formed = organization.origin == "formed" and organization.status in ("registered", "suspended")
    if terms.how == "founded" and formed and len(tx.session.exec(founders).all()) == 1:
        detail = "This organization is formed around talents, and no other founded it; say first who else did."
        raise Conflict("founder-missing", detail, "how")
    tx.session.delete(link)
    tx.session.flush()
    _tell_talent(tx, facts.TalentUnlinked, talent, organization=organization.id, how=terms.how)
    return talent_view(tx.session, talent)


def let_talent_go(tx: Transaction, caller: Caller, talent_id: str) -> TalentView:
    """Let somebody leave the talent pool; name and contact are deleted. Tells talent.left. Raises Conflict."""
    talent = _hold_talent(tx, caller, talent_id)
    talent.status = follow(rules.TALENT, "talent", talent.status, "leave")
    talent.left_at, talent.name, talent.contact = tx.now(talent.community), None, None
    _tell_talent(tx, facts.TalentLeft, talent)
    return talent_view(tx.session, talent)


def _hold_expert(tx: Transaction, caller: Caller, id: str) -> Expert:
    expert = hold(tx, Expert, "expert", id)
    caller.belongs_to(expert.community)
    return expert


def _hold_talent(tx: Transaction, caller: Caller, id: str) -> Talent:
    talent = hold(tx, Talent, "talent", id)
    caller.belongs_to(talent.community)
    return talent


def _expert_view(expert: Expert) -> ExpertView:
    return ExpertView.model_validate(expert, from_attributes=True)


def _tell_talent(tx: Transaction, fact: type[facts.TalentState], talent: Talent, **last: str) -> None:
    links = [{"organization": link.organization, "how": link.how} for link in talent_links(tx.session, [talent.id])[talent.id]]
    last = last or (links[-1] if links else {})
    named = {"organization": None, "how": None} | last
    tx.tell(fact.from_row(talent, links=links, **named))


def _known_organizations(tx: Transaction, community: str, ids: Sequence[str]) -> list[str]:
    here = select(Organization.id).where(Organization.community == community, col(Organization.id).in_(ids))
    known = set(tx.session.exec(here))
    for id in ids:
        if id not in known:
            raise Invalid("conflicts", f"This community has no organization {id!r}.", "organization-unknown")
    return list(dict.fromkeys(ids))
