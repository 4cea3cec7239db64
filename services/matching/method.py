"""The published method: how requests are read and organizations are ranked."""

from __future__ import annotations

from services.matching import classify, duplicates, gathering, rank, weighing
from services.matching.rank.scoring import NEAR, SHORTLIST, STANDING
from services.matching.rules import TIME_TO_ANSWER
from services.matching.views import BilingualText, FairnessTerms, Method, ProjectKindView

METHOD = Method(
    classifier=classify.METHOD,
    threshold=classify.THRESHOLD,
    weights=dict(rank.WEIGHTS),
    fees=rank.FEES,
    satisfaction_prior=rank.SATISFACTION_PRIOR,
    unrated=rank.UNRATED,
    near_meters=NEAR,
    standing=STANDING,
    shortlist=SHORTLIST,
    turn_capacity=rank.TURN_CAPACITY,
    most_candidates=rank.MOST_CANDIDATES,
    parts={
        "fit": BilingualText(
            zh="对口：需求被读作该服务项目的把握（0到1）；由服务站读的，按1算。",
            en="Fit: the confidence (0 to 1) with which the request was read as this item; 1 where the station read it.",
        ),
        "satisfaction": BilingualText(
            zh="满意度：该组织满意度的平均值和区间下限取中间，除以100——评价的人越多，区间越窄，越不吃亏；居民评价不足五人时按unrated算。",
            en="Satisfaction: halfway between the organization's mean satisfaction and the lower end of its interval, divided "
            "by 100: the more residents rate, the narrower the interval; below five residents' ratings `unrated`.",
        ),
        "distance": BilingualText(
            zh="远近：1除以（1加上到居民小区的米数除以near_meters）；不知道在哪里的，按一半算。",
            en="Distance: 1 / (1 + meters to the resident's compound / near_meters); one half where a place is not known.",
        ),
        "fee": BilingualText(zh="收费：免费、低偿、有偿各有定值。", en="Fee: one value each for free, low and paid."),
        "load": BilingualText(
            zh="忙闲：每周接待量里还空着的比例，按最近七天（不含今天）转给这项服务的需求算。",
            en="Load: the share of the weekly capacity that is free, by the requests of the last seven days without today's.",
        ),
        "awards": BilingualText(
            zh="机会均等：1除以（1加上该组织最近九十天承接的项目数）。",
            en="Awards: 1 / (1 + projects that the organization was given in the last ninety days): others get their chance.",
        ),
        "price": BilingualText(
            zh="余力：1减去该组织一个名额在上次认领大会上的价格（占最高得分的比例）；大会上抢手的，平时给它留些余力。",
            en="Price: 1 - what one more place with the organization was worth at the last claim meeting, as a share of the "
            "highest score: what projects need most is spared.",
        ),
        "turn": BilingualText(
            zh="轮流：由需求文字、组织名称和服务名称算出的u（0到1），取u的（10除以每周接待量）次方。"
            "接待量大的机会多，条件相近的组织轮流承接。",
            en="Turn: u^(turn_capacity / weekly capacity), u (0 to 1) a hash of the request's words, the "
            "organization's name and the offer's title. More capacity gives more turns, and organizations that are "
            "otherwise alike take turns.",
        ),
    },
    conditions=[BilingualText(zh=reason.zh, en=reason.en) for reason in rank.CONDITIONS.values()],
    reading=BilingualText(
        zh="线性模型读字词片段（TF-IDF），从社区公布的分类名称和例句学习；程序里另带两份近义、相关词表，"
        "和几十句寒暄、广告，用来认出什么也没要求的话。把握经过校准，低于门槛的、什么也没要求的，都不猜，"
        "由服务站看过原文后选定服务项目。",
        en="A linear model on character n-grams (TF-IDF), taught by the names and phrases of the community's published "
        "taxonomy, with two lists of related words built into the program, and some fifty sentences of small talk and "
        "advertising, by which it knows what asks for nothing. Its confidence is calibrated. Below the threshold, and "
        "where nothing seems to be asked for, nothing is guessed: the station reads the request and chooses its item.",
    ),
    ties=BilingualText(
        zh="符合条件的服务超过shortlist项的，先取standing（满意度和收费）最高的那些来比，这些都问过了或排满了，再往后看；每个组织只取得分最高的一项服务；"
        "得分相同的，按组织名称、服务名称排序。",
        en="Where more than `shortlist` offers meet the conditions, those of the best `standing` (satisfaction and fee) are "
        "compared; where all of these have been asked or are full, further ones are. Each organization stands with its best "
        "offer; equal scores go by organization name, then offer title.",
    ),
    days_to_answer=TIME_TO_ANSWER["routine"].days,
    hours_to_answer={urgency: time.total_seconds() / 3600 for urgency, time in TIME_TO_ANSWER.items()},
    near_duplicate=duplicates.ALIKE,
    near_duplicate_in_compound=duplicates.ALIKE_IN_COMPOUND,
    project_kinds={
        kind: ProjectKindView(name=name, categories=list(categories)) for kind, (name, categories) in gathering.KINDS.items()
    },
    claim_weights=weighing.WEIGHTS,
    claim_fairness=FairnessTerms(),
    claiming=BilingualText(
        zh="认领大会：只在铃响时仍有效的认领之间分配，没有认领的，谁也不给。先让有组织承接的项目最多，再让总分最高；"
        "一项认领的得分由对口（协议覆盖项目服务项目的比例）、满意度、意愿次序（1、1/2、1/3……）按公布的权重相加；"
        "还按大会公告时公布的公平规则：每个组织的第一个项目加分，必要时也让项目多的组织让一让、给小组织加分；"
        "公平规则让总分减少的，不超过公布的上限，超过就按十六分之一逐级减弱。"
        "仍相同的，由大会公告时公布的种子决定。每个组织承接的项目不超过它自己说明的数量。求解的题目和结果逐字公布，"
        "并附证明：谁都可以只凭这两个文件验算，没有更好的分法。",
        en="At a claim meeting, projects go to claims that stand at the bell and to nobody else: first so that "
        "as many as can be are carried, then so that the sum of the claims' points is the largest. A claim's points are the "
        "weighted sum of fit (the share of the project's items that the organization's agreements cover), satisfaction, and "
        "the place in its order of wishes (1, 1/2, 1/3, ...). By the rules of fairness published with the meeting an "
        "organization's first project brings more and, where the meeting says so, a further one less, and one of a small "
        "organization more; where that would cost more of the points than the published cap, it is scaled down by "
        "sixteenths. What is still equal the seed settles, published with the meeting. No organization carries more than it "
        "said it can. What was solved and what came out is published in full, with a certificate: from these two files "
        "alone anybody can prove that there is no better allocation.",
    ),
)
