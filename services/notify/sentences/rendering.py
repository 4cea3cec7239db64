"""A notice as it is read: its sentence, with the names and the day that belong in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date

from services.notify.rules import RecipientKind
from services.notify.sentences.bilingual import Text
from services.notify.sentences.texts import SENTENCES
from shared.clock import CIVIL_TIME


@dataclass(frozen=True, slots=True)
class Names:
    """The names a sentence may need, None where one is not known or not concerned."""

    place: Text | None = None
    organization: Text | None = None
    offer: Text | None = None
    item: Text | None = None
    project: Text | None = None
    step: Text | None = None
    guarantor: Text | None = None
    groups: Sequence[Text] = ()


def render(kind: str, recipient_kind: RecipientKind, occurred_at: datetime, now: datetime, names: Names) -> Text:
    """The sentence of a notice, read at `now` on the community's clock. Raises KeyError where there is none for this kind
    and recipient."""
    template = SENTENCES[kind, recipient_kind]
    local = occurred_at.astimezone(CIVIL_TIME)
    this_year = local.year == now.astimezone(CIVIL_TIME).year
    unnamed = Text("贵组织", "your organization") if recipient_kind == "organization" else Text("一家组织", "an organization")
    place = names.place or Text("社区", "the community")
    organization = names.organization or unnamed
    return Text(
        zh=template.zh.format(
            date=format_date(local, "M月d日" if this_year else "y年M月d日", locale="zh_CN"),
            place=place.zh,
            organization=organization.zh,
            offer=f"服务“{names.offer.zh}”" if names.offer else "一项服务",
            need=f"“{names.item.zh}”需求" if names.item else "需求",
            project=f"项目“{names.project.zh}”" if names.project else "一个项目",
            step=f"“{names.step.zh}”这一步" if names.step else "另一步",
            guarantor=names.guarantor.zh if names.guarantor else "担保组织",
            groups="、".join(group.zh for group in names.groups) or "一些团队",
        ),
        en=template.en.format(
            date=format_date(local, "d MMMM" if this_year else "d MMMM y", locale="en"),
            place=place.en,
            organization=organization.en,
            offer=f"offer “{names.offer.en}”" if names.offer else "offer",
            need=f"request ({names.item.en})" if names.item else "request",
            project=f"the project “{names.project.en}”" if names.project else "a project",
            step=f"the step “{names.step.en}”" if names.step else "another step",
            guarantor=names.guarantor.en if names.guarantor else "the guarantor",
            groups=", ".join(group.en for group in names.groups) or "some groups",
        ),
    )
