"""What is said of projects and claim meetings."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.rules import CALLED_OFF, CANNOT_CARRY, RecipientKind
from services.notify.sentences.bilingual import Text

OF_PROJECTS: Mapping[tuple[str, RecipientKind], Text] = {
    ("project.claimed", "station"): Text(
        "{date}，{place}的{project}有组织来认领了。",
        "On {date} an organization claimed {project} of {place}.",
    ),
    ("project.claim-withdrawn", "station"): Text(
        "{date}，{organization}撤回了对{place}{project}的认领。",
        "On {date} {organization} withdrew its claim of {project} of {place}.",
    ),
    ("project.claim-withdrawn", "organization"): Text(
        "{date}，贵组织对{place}{project}的认领已撤回。",
        "On {date} your claim of {project} of {place} was withdrawn.",
    ),
    (CANNOT_CARRY, "station"): Text(
        "{date}，{organization}已不能承接{place}的{project}，它的认领随之撤回，原因写在认领里。",
        "On {date} {organization} could no longer carry {project} of {place}, and its claim was withdrawn; the claim says why.",
    ),
    (CANNOT_CARRY, "organization"): Text(
        "{date}，贵组织对{place}{project}的认领被撤回：目前不能承接，原因写在认领里。铃响之前条件恢复了，可以重新认领；有疑问请与服务站联系。",
        "On {date} your claim of {project} of {place} was withdrawn, since you may not carry it at present; the claim says "
        "why. If that is put right before the bell you may claim it again; please ask the station if anything is unclear.",
    ),
    (CALLED_OFF, "organization"): Text(
        "{date}，{place}的认领大会取消了，贵组织对{project}的认领随之撤回；项目会安排到下一次大会，欢迎到时再来认领。",
        "On {date} the claim meeting of {place} was called off, and your claim of {project} withdrawn with it. The project is "
        "put before another meeting, where you are welcome to claim it again.",
    ),
    ("project.assigned", "organization"): Text(
        "恭喜！{date}，{place}的{project}由{organization}承接，请按期办好。",
        "Congratulations! On {date} {project} of {place} was assigned to you; please complete it by its deadline.",
    ),
    ("project.delivered", "station"): Text(
        "{date}，{organization}报告{place}的{project}已经办好，请组织评估。",
        "On {date} {organization} reported that {project} of {place} is done; please have it evaluated.",
    ),
    ("project.overdue", "station"): Text(
        "{date}，{place}的{project}过了期限还没有办好，请了解情况，决定是继续、重新开放还是结束。",
        "On {date} {project} of {place} passed its deadline undelivered; please decide whether it goes on, is reopened or "
        "is closed.",
    ),
    ("project.overdue", "organization"): Text(
        "{date}，贵组织承接的{place}的{project}过了期限，请尽快办好，有困难请告诉服务站。",
        "On {date} {project} of {place}, which you took on, passed its deadline. Please complete it soon, or tell the "
        "station what stands in the way.",
    ),
    ("project.uncovered", "station"): Text(
        "{date}，{organization}已不能承接{place}的{project}：没有涵盖它的有效服务协议，或者正被暂停服务。项目还在它手上，"
        "请决定：续签协议、恢复服务，还是收回项目另请组织认领；已经办好的，由服务站确认办结。",
        "Since {date} {organization} may not carry {project} of {place}: it has no agreement in force for it, or is suspended. "
        "The project is still in its hands; please decide whether to sign an agreement, to reinstate it, or to take the "
        "project back for others to claim. If the work is done, the station itself reports it.",
    ),
    ("project.uncovered", "organization"): Text(
        "{date}，贵组织承接的{place}的{project}目前没有有效的服务协议，或者贵组织正被暂停服务，请先停下来，尽快与服务站商量怎么办。",
        "Since {date} you may not carry {project} of {place}, which is yours: no agreement in force covers it, or you are "
        "suspended. Please let it rest, and speak with the station soon about what is to become of it.",
    ),
    ("project.evaluated", "organization"): Text(
        "{date}，贵组织承接的{place}的{project}有了评估结果。",
        "On {date} {project} of {place}, which you carried out, was evaluated.",
    ),
    ("project.closed", "organization"): Text(
        "{date}，贵组织承接的{place}的{project}结束了，感谢付出。",
        "On {date} {project} of {place}, which was yours, was closed. Thank you for your work.",
    ),
    ("project.reopened", "organization"): Text(
        "{date}，{place}的{project}不再由贵组织承接，将重新请组织认领。",
        "On {date} {project} of {place} was taken back from you and is open again to be claimed.",
    ),
    ("project.reopened", "station"): Text(
        "{date}，{place}的{project}重新开放了，可以安排到下一次认领大会。",
        "On {date} {project} of {place} was opened again; it can be put before the next claim meeting.",
    ),
    ("meeting.concluded", "organization"): Text(
        "{date}，{place}的认领大会有了结果，每项认领的结果和理由都已公布；有异议，请在公布的期限内提出。",
        "On {date} the claim meeting of {place} came to its result. What became of each claim, and why, is published; "
        "whoever objects may do so within the published period.",
    ),
    ("meeting.confirmed", "organization"): Text(
        "{date}，{place}认领大会的结果正式确认，感谢参与。",
        "On {date} the result of the claim meeting of {place} was confirmed. Thank you for taking part.",
    ),
    ("question.asked", "station"): Text(
        "{date}，有组织就{place}的{project}提问，请在大会前答复。",
        "On {date} an organization asked about {project} of {place}; please answer before the meeting.",
    ),
    ("question.answered", "organization"): Text(
        "{date}，贵组织就{place}的{project}提的问题有了答复。",
        "On {date} your question about {project} of {place} was answered.",
    ),
    ("question.corrected", "organization"): Text(
        "{date}，服务站更正了对贵组织就{place}的{project}所提问题的答复，原来的答复也还看得到，请留意。",
        "On {date} the station corrected its answer to your question about {project} of {place}; please take note. The answer "
        "before can still be read.",
    ),
    ("objection.raised", "station"): Text(
        "{date}，有组织对{place}的{project}的认领结果提出异议，请查明并答复。",
        "On {date} an organization objected to the result for {project} of {place}; please look into it and answer.",
    ),
    ("objection.upheld", "organization"): Text(
        "{date}，贵组织对{place}的{project}的异议成立，结果已按原有认领重新计算。",
        "On {date} your objection about {project} of {place} was upheld, and the claims were allocated anew.",
    ),
    ("objection.rejected", "organization"): Text(
        "{date}，服务站查明了贵组织对{place}的{project}的异议，未予支持，理由已写明。",
        "On {date} the station looked into your objection about {project} of {place} and did not uphold it; it says why.",
    ),
}
