"""Tokens."""

from __future__ import annotations

from sqlmodel import Session

from services.registry.models import Organization
from services.registry.queries.found import find_community
from services.registry.views.tokens import TokenHolder, TokenTerms
from shared.access import Caller
from shared.identifiers import new_id
from shared.problems import Forbidden, Invalid, NotFound


def token_holder(session: Session, caller: Caller, terms: TokenTerms) -> TokenHolder:
    """Whom a token would stand for. Raises Forbidden where the caller may not issue it, NotFound for an unknown
    community or organization, Invalid where the parts do not fit together."""
    if caller.role == "station" and terms.role not in ("organization", "expert"):
        raise Forbidden(f"A station issues tokens of organizations and experts; {terms.role!r} tokens are the operator's.")
    if terms.role == "operator" and terms.community is not None:
        raise Invalid("community", "An operator belongs to no community; leave it out.", "community-unexpected")
    community = None if terms.role == "operator" else terms.community or caller.community
    if terms.role == "organization":
        if terms.organization is None:
            raise Invalid("organization", "A token of role 'organization' names its organization.", "organization-missing")
        organization = session.get(Organization, terms.organization)
        if organization is None:
            raise NotFound("organization", terms.organization, "organization")
        community = community or organization.community
        if organization.community != community:
            raise Invalid(
                "organization",
                f"The organization {organization.id!r} does not belong to the community {community!r}.",
                "organization-elsewhere",
            )
    elif terms.organization is not None:
        raise Invalid("organization", f"A token of role {terms.role!r} names no organization.", "organization-unexpected")
    elif terms.role in ("station", "expert") and community is None:
        raise Invalid("community", f"A token of role {terms.role!r} names its community.", "community-missing")
    if community is not None:
        find_community(session, community, "community")
        caller.belongs_to(community)
    # Whoever evaluates is told apart by it: without one, all experts of a community would be one evaluator.
    subject = terms.subject or (new_id() if terms.role in ("expert", "station") else None)
    return TokenHolder(role=terms.role, community=community, organization=terms.organization, subject=subject)
