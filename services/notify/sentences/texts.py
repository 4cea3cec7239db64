"""The sentences people read, in Chinese and English.

In the templates stand `{date}` (in the community's local time, with the year where it is not this one), `{place}` (the
compound where one is concerned, else the community), `{organization}`, `{offer}`, `{need}`, `{project}`, `{step}` (of an
incubation), `{guarantor}` and `{groups}` (for which one answers). Where a name is not known yet, general words take its
place; a sentence is right either way.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.rules import RecipientKind
from services.notify.sentences.bilingual import Text
from services.notify.sentences.of_organizations import OF_ORGANIZATIONS
from services.notify.sentences.of_projects import OF_PROJECTS
from services.notify.sentences.of_requests import OF_REQUESTS

SENTENCES: Mapping[tuple[str, RecipientKind], Text] = {
    **OF_ORGANIZATIONS,
    **OF_REQUESTS,
    **OF_PROJECTS,
    ("community.opened", "station"): Text(
        "{date}，{place}的服务超市开张了：居民可以提出需求，社会组织可以申请加入。",
        "On {date} the service supermarket of {place} opened: residents may make requests, and organizations may "
        "apply to join.",
    ),
    ("body.appointed", "station"): Text(
        "{date}，{place}的评估机构成立了，服务站、专家和居民三方都在其中，可以开始评估了。",
        "On {date} the evaluation body of {place} was appointed, with station, experts and residents; it can begin its work.",
    ),
    ("body.ended", "station"): Text(
        "{date}，{place}评估机构的任期结束了。需要继续评估的话，请成立新一届。",
        "On {date} the term of the evaluation body of {place} ended; please appoint the next one if evaluating is to go on.",
    ),
    ("evaluation-session.opened", "organization"): Text(
        "{date}，{place}的评估机构开始评估{organization}的服务，服务站、专家和居民三方各自打分。",
        "On {date} the evaluation body of {place} began to evaluate the work of {organization}; station, experts and residents "
        "each give their scores.",
    ),
    ("evaluation-session.published", "organization"): Text(
        "{date}，{place}的评估机构公布了对{organization}的评估结果，请查看。感谢你们为居民做的事。",
        "On {date} the evaluation body of {place} published its findings about {organization}; please read them. Thank you for "
        "what you do for the residents.",
    ),
    ("evaluation-session.published", "station"): Text(
        "{date}，{place}的评估机构公布了对{organization}的评估结果。",
        "On {date} the evaluation body of {place} published its findings about {organization}.",
    ),
    ("evaluation-session.cancelled", "organization"): Text(
        "{date}，{place}的评估机构取消了对{organization}的这次评估，没有得出结果。",
        "On {date} the evaluation body of {place} called off its evaluation of {organization}; there are no findings.",
    ),
    ("webhook.disabled", "station"): Text(
        "{date}，{place}的一个数据推送（webhook）因接收方一直收不到而停用，没有丢失任何内容。请联系使用它的系统，修好后恢复推送。",
        "On {date} a webhook of {place} was disabled, for its receiver takes nothing; nothing is lost. Please speak with those "
        "whose system it is, and resume it once that is mended.",
    ),
}
"""What is said of each kind of notice to each kind of recipient."""
