"""The sentences people read, in Chinese and English.

In the templates stand `{date}` (in the community's local time, with the year where it is not this one), `{place}` (the
compound where one is concerned, else the community), `{organization}`, `{offer}`, `{need}` and `{project}`. Where a name is
not known yet, general words take its place; a sentence is right either way.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.rules import AGAIN, NOT_UNDERSTOOD, NOTHING_FITS, UNSERVED, URGENT, RecipientKind
from services.notify.sentences.bilingual import Text
from services.notify.sentences.of_projects import OF_PROJECTS

SENTENCES: Mapping[tuple[str, RecipientKind], Text] = {
    ("community.opened", "station"): Text(
        "{date}，{place}的服务超市开张了：居民可以提出需求，社会组织可以申请加入。",
        "On {date} the service supermarket of {place} opened: residents may make requests, and organizations may "
        "apply to join.",
    ),
    ("org.applied", "station"): Text(
        "{date}，{organization}申请加入{place}，请审核。",
        "On {date} {organization} applied to join {place}; please look at the application.",
    ),
    ("org.registered", "organization"): Text(
        "欢迎！{date}，{organization}已在{place}登记。签订服务协议后，就可以发布服务了。",
        "Welcome! On {date} {organization} was registered in {place}. Once a service agreement is signed, you can "
        "publish offers.",
    ),
    ("org.incubating", "organization"): Text(
        "{date}，{place}接下了{organization}的孵化，服务站会一步一步陪着你们走到登记。",
        "On {date} {place} took {organization} into incubation; the station goes with you step by step, up to registration.",
    ),
    ("org.suspended", "organization"): Text(
        "{date}，{place}暂停了{organization}的服务，菜单上的服务先收了起来。请与服务站联系，一起把问题解决好。",
        "On {date} {place} suspended {organization}, and its offers are off the menu for now. Please speak with the station, "
        "so that it can be put right.",
    ),
    ("org.reinstated", "organization"): Text(
        "{date}，{place}恢复了{organization}的服务，菜单上的服务又回来了。欢迎回来！",
        "On {date} {place} reinstated {organization}; its offers are on the menu again. Welcome back!",
    ),
    ("org.left", "station"): Text(
        "{date}，{organization}退出了{place}的服务超市，它的协议随之终止。",
        "On {date} {organization} left the service supermarket of {place}; its agreements ended with it.",
    ),
    ("org.left", "organization"): Text(
        "{date}，{organization}退出了{place}的服务超市，协议随之终止。感谢一路同行，以后随时可以再申请。",
        "On {date} {organization} left the service supermarket of {place}, and its agreements ended with that. Thank you for "
        "the way together; you can apply again at any time.",
    ),
    ("org.rejected", "organization"): Text(
        "{date}，{place}这次没有通过{organization}的申请。准备好了可以再申请，服务站愿意帮忙。",
        "On {date} {place} could not accept {organization} this time. You can apply again when you are ready, and the station "
        "will gladly help.",
    ),
    ("org.withdrawn", "station"): Text(
        "{date}，{organization}撤回了加入{place}的申请。",
        "On {date} {organization} withdrew its application to join {place}.",
    ),
    ("incubation.applied", "station"): Text(
        "{date}，{organization}在{place}提出了孵化申请，请按标准评分。",
        "On {date} {organization} applied to be incubated in {place}; please score the application by the criteria.",
    ),
    ("incubation.advanced", "organization"): Text(
        "{date}，{organization}在{place}的孵化进入了下一步，辛苦了！",
        "On {date} the incubation of {organization} in {place} went on to its next step. Well done!",
    ),
    ("incubation.returned", "organization"): Text(
        "{date}，{organization}在{place}的孵化退回到了前面的一步，请和服务站一起看看还差什么。",
        "On {date} the incubation of {organization} in {place} went back to an earlier step; please look with the station at "
        "what is still missing.",
    ),
    ("green-channel.opened", "organization"): Text(
        "{date}，{place}为{organization}开了绿色通道：还差的登记条件，服务站会一项一项去协调。",
        "On {date} {place} opened a green channel for {organization}: the station will see to each standard that is still "
        "missing, one by one.",
    ),
    ("green-channel.completed", "organization"): Text(
        "{date}，{organization}在{place}还差的登记条件都齐了，祝贺！",
        "On {date} {organization} came to meet every registration standard in {place}. Congratulations!",
    ),
    ("agreement.signed", "organization"): Text(
        "{date}，{place}与{organization}签订了服务协议，协议内的服务项目现在可以发布了。",
        "On {date} {place} and {organization} signed a service agreement; you can now publish offers for what it covers.",
    ),
    ("agreement.renewed", "organization"): Text(
        "{date}，{place}与{organization}续签了服务协议，协议内的服务可以接着做。",
        "On {date} {place} and {organization} renewed their service agreement; what it covers can go on.",
    ),
    ("agreement.expiring", "organization"): Text(
        "{date}提醒：{place}与{organization}的服务协议三十天之内就要到期，想继续服务，请早些来续签。",
        "A reminder of {date}: the service agreement between {place} and {organization} ends within thirty days. To go on "
        "serving, please have it renewed in good time.",
    ),
    ("agreement.expiring", "station"): Text(
        "{date}提醒：{place}与{organization}的服务协议三十天之内就要到期，请商量续签。",
        "A reminder of {date}: the service agreement between {place} and {organization} ends within thirty days; please talk "
        "about its renewal.",
    ),
    ("agreement.ended", "organization"): Text(
        "{date}，{place}与{organization}的服务协议终止了，请不要再承接协议内的服务。",
        "On {date} the service agreement between {place} and {organization} came to its end; please take on no more "
        "services under it.",
    ),
    ("agreement.ended", "station"): Text(
        "{date}，{place}与{organization}的服务协议到期终止，没有续签：协议内的服务已下菜单，手上的需求转给了别的组织。要继续合作，请重新签订。",
        "On {date} the service agreement between {place} and {organization} expired without a renewal: what it covered is off "
        "the menu, and the requests were handed on. To go on together, please sign a new one.",
    ),
    ("talent.linked", "organization"): Text(
        "{date}，{place}人才库里的一位伙伴和{organization}走到了一起。",
        "On {date} somebody of the talent pool of {place} came together with {organization}.",
    ),
    ("talent.unlinked", "organization"): Text(
        "{date}，{place}人才库里的一位伙伴不再与{organization}同行；如果登记有误，请告诉服务站。",
        "Since {date} somebody of the talent pool of {place} is with {organization} no longer; please tell the station if that "
        "is a mistake.",
    ),
    ("activity.announced", "station"): Text(
        "{date}，{organization}在{place}预告了一场活动。",
        "On {date} {organization} announced an activity in {place}.",
    ),
    ("activity.held", "station"): Text(
        "{date}，{organization}报告在{place}办完了一场活动。",
        "On {date} {organization} reported that it held an activity in {place}.",
    ),
    ("activity.corrected", "station"): Text(
        "{date}，{organization}在{place}办的一场活动更正了人数，请留意。",
        "On {date} the number of people was corrected whom an activity of {organization} in {place} reached; please take note.",
    ),
    ("activity.cancelled", "station"): Text(
        "{date}，{organization}在{place}预告的一场活动取消了。",
        "On {date} an activity that {organization} had announced in {place} was cancelled.",
    ),
    ("activity.cancelled", "organization"): Text(
        "{date}，贵组织在{place}预告的一场活动取消了，原因写在活动里；有疑问请与服务站联系。",
        "On {date} an activity that you had announced in {place} was cancelled; the activity says why. Please ask the station "
        "if anything is unclear.",
    ),
    ("offer.published", "organization"): Text(
        "{date}，贵组织的{offer}上了{place}的服务菜单，居民现在可以选用。",
        "On {date} your {offer} went on the menu of {place}; residents can choose it now.",
    ),
    ("offer.withdrawn", "organization"): Text(
        "{date}，贵组织的{offer}从{place}的服务菜单上撤下了。",
        "On {date} your {offer} was taken off the menu of {place}.",
    ),
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
        "{date}，服务站把您在{place}提出的{need}办结了；您还可以打开专属链接评分。如果其实没有办好，请告诉服务站。",
        "On {date} the station closed your {need} in {place}, which was reported as done. You can still rate it over your "
        "personal link; if it is not done after all, please tell the station.",
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
    **OF_PROJECTS,
}
"""What is said of each kind of notice to each kind of recipient."""
