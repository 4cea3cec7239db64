"""The projects into which requests are gathered, and how organizations claim them."""

from __future__ import annotations

from datetime import date, datetime

from shared.events.base import Fact, Part
from shared.events.registry import FeeMode
from shared.events.words import ProjectKind, ProjectStatus, WithdrawnBecause


class Claim(Part):
    """An organization's claim of a project: its place in the organization's order of wishes (1 is the dearest), and how many
    projects the organization can carry in all."""

    organization: str
    wish: int
    capacity: int


class ProjectState(Fact, about="project"):
    """A project: residents' requests of one of ten types, gathered to be claimed by one organization. `requests` are those
    inside, `beneficiaries` the residents who asked, each once if known; once delivered, those who do not dispute it. `budget`
    and `price` are in yuan with two decimals. `claims` are those that stand; `organization` is who it is assigned to.
    `overdue`: the deadline has passed undelivered. `uncovered`: its organization may not carry it any more. `relieved` is who
    had it before it was reopened, `merged_into` the project that took its requests over."""

    project: str
    kind: ProjectKind
    title_zh: str
    title_en: str
    scope_zh: str
    scope_en: str
    category: str | None
    items: tuple[str, ...]
    requests: tuple[str, ...]
    beneficiaries: int
    fee_mode: FeeMode
    price: str | None
    budget: str | None
    deadline: date | None
    status: ProjectStatus
    meeting: str | None
    claims: tuple[Claim, ...]
    organization: str | None
    delivered_at: datetime | None
    overdue: bool = False
    relieved: str | None = None
    merged_into: str | None = None
    uncovered: bool = False


class ProjectProposed(ProjectState, type="fenghe.project.proposed.v1"):
    """Requests were gathered into a project, which the station looks through before it opens it."""


class ProjectChanged(ProjectState, type="fenghe.project.changed.v1"):
    """The project's description, its requests or its meeting changed; of a delivered one, how many it reached."""


class ProjectOpened(ProjectState, type="fenghe.project.opened.v1", public=True):
    """The project was published: it may be put before a claim meeting."""


class ProjectClaimed(ProjectState, type="fenghe.project.claimed.v1"):
    """An organization claimed the project."""


class ClaimWithdrawal(Part):
    """Whose claim was withdrawn, and why: the organization did it itself, or may not carry the project any more, because it
    left the community, is suspended, or has no agreement in force for the project."""

    organization: str
    because: WithdrawnBecause


class ProjectClaimWithdrawn(ProjectState, type="fenghe.project.claim-withdrawn.v1"):
    """A claim was withdrawn before the bell, by its organization, or because that may not carry the project any more:
    `withdrawn`. Where the meeting was called off, `called_off` is the organization whose claim ended with it."""

    withdrawn: ClaimWithdrawal | None = None
    called_off: str | None = None


class ProjectAssigned(ProjectState, type="fenghe.project.assigned.v1", public=True):
    """The result of the claim meeting was confirmed: the project is this organization's."""


class ProjectDelivered(ProjectState, type="fenghe.project.delivered.v1", public=True):
    """The organization reported the project's work done; the residents inside may rate it."""


class ProjectOverdue(ProjectState, type="fenghe.project.overdue.v1"):
    """The project's deadline has passed, and it was not delivered."""


class ProjectUncovered(ProjectState, type="fenghe.project.uncovered.v1"):
    """The organization to which the project is assigned has no agreement in force for it any more, or was suspended; the
    station decides what becomes of it. `project.changed` follows where it may carry the project again."""


class ProjectEvaluated(ProjectState, type="fenghe.project.evaluated.v1", public=True):
    """The evaluation body published its findings about the delivered project."""


class ProjectClosed(ProjectState, type="fenghe.project.closed.v1", public=True):
    """The project came to its end: done, dismissed, unclaimed, or merged into another."""


class ProjectReopened(ProjectState, type="fenghe.project.reopened.v1", public=True):
    """The project is open again for a claim meeting."""
