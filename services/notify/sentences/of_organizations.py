"""What is said of organizations: how they join and leave, their agreements, activities and offers."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.rules import WITH_GUARANTOR, RecipientKind
from services.notify.sentences.bilingual import Text

STEPS: Mapping[str, Text] = {
    "application": Text("孵化申请", "Application"),
    "initial-assessment": Text("初期测评", "Initial assessment"),
    "incubation": Text("实施孵化", "Incubation"),
    "mid-term": Text("中期评估", "Mid-term assessment"),
    "conclusion": Text("孵化终结", "Conclusion"),
}
"""What the steps of the incubation are called."""

OF_ORGANIZATIONS: Mapping[tuple[str, RecipientKind], Text] = {
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
    ("org.suspended", "station"): Text(
        "{date}，{place}暂停了{organization}的服务。它还是{groups}临时协议的担保组织，这些协议目前仍然有效，请决定：恢复它，"
        "另找担保组织重新签订，还是终止这些协议。",
        "On {date} {organization} was suspended in {place}. It is the guarantor of {groups}, whose provisional agreements stay "
        "in force for now; please decide whether to reinstate it, to sign anew with another guarantor, or to end them.",
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
        "{date}，{organization}在{place}的孵化进入了{step}，辛苦了！",
        "On {date} the incubation of {organization} in {place} went on to {step}. Well done!",
    ),
    ("incubation.returned", "organization"): Text(
        "{date}，{organization}在{place}的孵化退回到了{step}，请和服务站一起看看还差什么。",
        "On {date} the incubation of {organization} in {place} went back to {step}; please look with the station at what is "
        "still missing.",
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
        "{date}，{place}与{organization}的服务协议到期终止，没有续签：没有别的协议涵盖的服务已从菜单撤下，手上的需求会另找组织接办。要继续合作，请重新签订。",
        "On {date} the service agreement between {place} and {organization} expired without a renewal: what no other "
        "agreement covers is off the menu, and other organizations are sought for its requests. To go on together, please sign "
        "a new one.",
    ),
    (WITH_GUARANTOR, "organization"): Text(
        "{date}，为{organization}担保的{guarantor}在{place}已没有有效的服务协议，临时协议随之终止，请先不要再承接服务。"
        "请与服务站商量，另找担保组织重新签订。",
        "On {date} {guarantor}, the guarantor of {organization} in {place}, had no agreement in force any more, and the "
        "provisional agreement ended with that. Please take on no more services for now, and speak with the station about "
        "another guarantor.",
    ),
    (WITH_GUARANTOR, "station"): Text(
        "{date}，{guarantor}在{place}已没有有效的服务协议，不能再为{organization}担保，"
        "{organization}的临时协议随之终止：没有别的协议涵盖的服务已从菜单撤下，手上的需求会另找组织接办。要让它继续服务，请另找担保组织，重新签订临时协议。",
        "On {date} {guarantor} had no agreement in force in {place} any more and can no longer answer for {organization}; its "
        "provisional agreement ended with that: what no other agreement covers is off the menu, and other organizations are "
        "sought for its requests. For it to go on serving, please find another guarantor and sign a new one.",
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
}
