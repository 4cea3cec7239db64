"""What is said of requests, and of the referrals that put them before organizations."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.rules import AGAIN, NOT_UNDERSTOOD, NOTHING_FITS, UNSERVED, URGENT, RecipientKind
from services.notify.sentences.bilingual import Text

OF_REQUESTS: Mapping[tuple[str, RecipientKind], Text] = {
    ("request.submitted", "resident"): Text(
        "您{date}在{place}提出的需求已经收到，我们正在为您找合适的组织。",
        "We have received the request you made in {place} on {date}, and are looking for an organization that can help you.",
    ),
    ("request.submitted", "station"): Text(
        "{date}，{place}有居民提出了一项新的需求，正在寻找合适的组织。",
        "On {date} a resident of {place} made a new request; an organization that can help is being looked for.",
    ),
    ("request.matched", "resident"): Text(
        "您在{place}提出的{need}有回音了：{date}找到了能办的组织，先请{organization}来接。",
        "There is news of your {need} in {place}: on {date} we found who can help, and {organization} is asked first.",
    ),
    ("request.unmatched", "resident"): Text(
        "您在{place}提出的{need}，到{date}还没有组织能接下来。我们一直记着，一有合适的组织就告诉您。",
        "As of {date} no organization can take on your {need} in {place} yet. We have not forgotten it, and will "
        "tell you as soon as one can.",
    ),
    ("request.unmatched", "station"): Text(
        "{date}，{place}的一项{need}暂时没有组织能接，请考虑引入新的服务或为它立项。",
        "On {date} no organization could take on a {need} from {place}; please consider a new offer or a project for it.",
    ),
    (NOT_UNDERSTOOD, "resident"): Text(
        "您{date}在{place}提出的需求，我们还没看明白，已请服务站的同事来看。",
        "We have not understood the request you made in {place} on {date} yet; we have asked a colleague at the service "
        "station to read it.",
    ),
    (NOT_UNDERSTOOD, "station"): Text(
        "{date}，{place}有一项需求没能自动归类，请查看原文并为它选一个服务项目。",
        "On {date} a request from {place} could not be sorted automatically; please read its words and choose a service "
        "item for it.",
    ),
    (URGENT["request.submitted"], "resident"): Text(
        "您{date}在{place}提出的紧急需求已经收到，服务站也会马上看到。有人有生命危险，请先拨打120、119或110，不要等我们。",
        "We have received the urgent request you made in {place} on {date}, and the station sees it at once. Where a life "
        "is in danger, call 120, 119 or 110 first, and do not wait for us.",
    ),
    (URGENT["request.submitted"], "station"): Text(
        "{date}，{place}有居民提出了一项紧急需求，请马上查看原文。",
        "On {date} a resident of {place} made an urgent request; please read its words at once.",
    ),
    (URGENT["request.unmatched"], "resident"): Text(
        "您{date}在{place}提出的紧急需求，没有转给别的组织，由服务站的同事来办。有人有生命危险，请先拨打120、119或110，不要等我们。",
        "The urgent request you made in {place} on {date} goes to no other organization: a colleague at the service station "
        "sees to it. Where a life is in danger, call 120, 119 or 110 first, and do not wait for us.",
    ),
    (URGENT["request.unmatched"], "station"): Text(
        "{date}，{place}的一项紧急需求没有转给任何组织，请马上查看原文，与居民联系。",
        "On {date} an urgent request from {place} was put before no organization; please read its words at once and get in "
        "touch with the resident.",
    ),
    ("request.accepted", "resident"): Text(
        "好消息：{date}，{organization}接下了您在{place}提出的{need}，会来为您服务。",
        "Good news: on {date} {organization} accepted your {need} in {place} and will help you with it.",
    ),
    ("request.merged", "resident"): Text(
        "{date}，{place}有邻居提了和您一样的需求，我们把它们合在一起办，您的一票照样算数；办到哪一步，都会告诉您。",
        "On {date} we put your {need} together with the same one from a neighbour in {place}. Yours counts as much as "
        "theirs, and we will tell you of every step.",
    ),
    ("request.supported", "resident"): Text(
        "{date}，{place}和您一样提出{need}的邻居，人数有了变化，办的时候会一并考虑。",
        "On {date} the number of neighbours in {place} who ask for the same as your {need} changed; all of them are "
        "kept in mind.",
    ),
    ("request.gathered", "resident"): Text(
        "您在{place}提出的{need}有了新办法：{date}，我们把它和同类需求合成一个项目，请组织来认领。",
        "There is a new way forward for your {need} in {place}: on {date} it became part of a project that organizations "
        "can claim.",
    ),
    (AGAIN["request.gathered"], "resident"): Text(
        "{date}，原来承接项目的组织不再承办，您在{place}提出的{need}还在项目里，我们重新请组织来认领。",
        "On {date} the organization that had the project with your {need} in {place} could do it no longer; it is open again.",
    ),
    (AGAIN["request.merged"], "resident"): Text(
        "{date}，您在{place}提出的{need}，原来接下的组织不再承办，我们连同邻居的同样需求一起另找组织，有了着落就告诉您。",
        "On {date} the organization that had accepted your {need} in {place} could do it no longer. Together with the same one "
        "from a neighbour we look for another, and tell you as soon as one accepts.",
    ),
    ("request.released", "resident"): Text(
        "{date}，您在{place}提出的{need}改为单独办理，我们会接着为您找合适的组织。",
        "Since {date} your {need} in {place} stands on its own again; we go on looking for an organization that can help you.",
    ),
    ("request.dispute-rejected", "resident"): Text(
        "您反映的{place}的{need}，服务站了解过了，{date}予以办结；理由写在您的专属链接里，欢迎随时来站里谈。",
        "The station has looked into what you told us about your {need} in {place}, and closed it on {date}. You find the "
        "reason over your personal link, and you are always welcome to talk to us.",
    ),
    ("request.dispute-rejected", "organization"): Text(
        "{date}，服务站了解了居民对{place}那项{need}的反映，认定贵组织已经办好，现予办结。",
        "On {date} the station looked into the complaint about a {need} in {place}, found that you had served it, and "
        "closed it.",
    ),
    ("request.served", "resident"): Text(
        "{date}，{organization}报告您在{place}提出的{need}已经办好。"
        "请打开您的专属链接评个分；如果没有办好，也请在那里告诉我们。",
        "On {date} {organization} reported that your {need} in {place} is done. Please rate it over your personal "
        "link; if it is not done, please tell us there.",
    ),
    ("request.disputed", "station"): Text(
        "{date}，{place}的居民反映{organization}承办的{need}没有办好，请了解情况。",
        "On {date} a resident of {place} told us that a {need} served by {organization} is not done; please look into it.",
    ),
    ("request.disputed", "organization"): Text(
        "{date}，{place}的居民反映贵组织承办的{need}没有办好，服务站会来了解情况。",
        "On {date} a resident of {place} told us that a {need} you served is not done; the station will look into it with you.",
    ),
    ("request.reopened", "resident"): Text(
        "您反映的情况核实了。{date}，您在{place}提出的{need}重新办理，我们会再请合适的组织来做。",
        "What you told us was confirmed: on {date} your {need} in {place} was opened again, and we are asking for help "
        "once more.",
    ),
    (NOTHING_FITS, "resident"): Text(
        "您{date}在{place}提出的需求，服务站看过了，眼下的服务里还没有对得上的。站里的同事会接着想办法，有了结果就告诉您。",
        "The station read the request you made in {place} on {date}: none of the present services fits it. Our colleagues "
        "there go on thinking about it, and tell you what comes of it.",
    ),
    ("request.closed", "resident"): Text(
        "{date}，服务站把您在{place}提出的{need}办结了；您还可以打开专属链接评分。如果其实没有办好，请告诉服务站，"
        "或者用这个链接再提一次。",
        "On {date} the station closed your {need} in {place}, which was reported as done. You can still rate it over your "
        "personal link; if it is not done after all, please tell the station, or ask again with that link.",
    ),
    (UNSERVED, "resident"): Text(
        "您在{place}提出的{need}，服务站看过以后，{date}予以办结；怎么办的、为什么，写在您的专属链接里，欢迎随时来站里谈。",
        "The station has looked into your {need} in {place}, and closed it on {date}. What was done, or why nothing could be, "
        "you find over your personal link; you are always welcome to talk to us.",
    ),
    ("request.closed", "organization"): Text(
        "{date}，贵组织承办的{place}居民的{need}已经办结，感谢付出。",
        "On {date} the {need} in {place} that you took on was closed. Thank you for your work.",
    ),
    ("request.withdrawn", "station"): Text(
        "{date}，{place}的居民撤回了一项{need}。",
        "On {date} a resident of {place} withdrew a {need}.",
    ),
    ("referral.made", "organization"): Text(
        "{date}，{place}有居民的{need}转到了贵组织，请尽快决定接还是不接。",
        "On {date} a {need} from a resident of {place} was put before you; please accept or decline it soon.",
    ),
    ("referral.declined", "station"): Text(
        "{date}，{organization}没有接下{place}的一项{need}；如果还有合适的组织，会接着转去。",
        "On {date} {organization} declined a {need} from {place}; it goes to the next suitable organization, if there is one.",
    ),
    ("referral.expired", "station"): Text(
        "{date}，{organization}没有按时答复{place}的一项{need}；如果还有合适的组织，会接着转去。",
        "On {date} {organization} had not answered in time about a {need} from {place}; it goes to the next suitable "
        "organization, if there is one.",
    ),
    ("referral.expired", "organization"): Text(
        "{date}，转到贵组织的{place}居民的{need}过了答复期限，不用再办了；忙不过来时，早点告诉我们就好。",
        "The time to answer about a {need} in {place} ran out on {date}, and there is nothing left for you to do. When you are "
        "too busy, just tell us early.",
    ),
    ("referral.handed-on", "station"): Text(
        "{date}，{organization}手上{place}的一项{need}转了出去；如果还有合适的组织，会由它接着办。",
        "On {date} a {need} from {place} was handed on from {organization}; it goes to another suitable organization, if there "
        "is one.",
    ),
    ("referral.handed-on", "organization"): Text(
        "{date}，转到贵组织的{place}居民的{need}已经转了出去，贵组织这边不用再办了。",
        "On {date} the {need} in {place} that was put before you was handed on; there is nothing left for you to do.",
    ),
    ("referral.withdrawn", "organization"): Text(
        "{date}，转到贵组织的{place}居民的{need}收回了，不用再办了，谢谢。",
        "On {date} the {need} in {place} that was put before you was taken back; there is nothing left to do. Thank you.",
    ),
}
