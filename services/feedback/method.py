"""The published method of satisfaction in words and numbers, which are those the rules compute with; the names of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from services.feedback import rules
from services.feedback.views import BilingualText, Criterion, Method, Source
from shared.events.feedback import SatisfactionKind
from shared.events.registry import OrganizationClass

CLASSES: Mapping[OrganizationClass, BilingualText] = {
    "public-welfare": BilingualText(zh="公益类", en="Public welfare"),
    "harmony": BilingualText(zh="和谐类", en="Harmony"),
    "culture": BilingualText(zh="文娱类", en="Culture and leisure"),
    "emergency": BilingualText(zh="应急类", en="Emergency"),
    "mutual-aid": BilingualText(zh="互助类", en="Mutual aid"),
}
"""The five classes of organizations."""

CRITERIA = {
    "results": BilingualText(
        zh="服务成效：居民的问题是不是真的解决了", en="Results: whether the residents' needs were really met"
    ),
    "reliability": BilingualText(
        zh="守时守信：说到做到，按约定的时间和标准来", en="Reliability: as promised, on time and to standard"
    ),
    "care": BilingualText(zh="服务态度：对人有耐心、有温度", en="Care: patience and warmth towards people"),
    "conduct": BilingualText(
        zh="规范运作：收费、用款和大型活动公开透明", en="Conduct: fees, funds and large events are open to everybody"
    ),
}

METHOD = Method(
    weights=dict(rules.WEIGHTS),
    prior_mean=rules.PRIOR_MEAN,
    prior_strength=rules.PRIOR_STRENGTH,
    prior_deviation=rules.PRIOR_DEVIATION,
    interval="normal approximation of the posterior mean, cut off at 0 and 100",
    confidence=0.95,
    ratings_floor=rules.RATINGS_FLOOR,
    scores_of_stars={stars: rules.score_of_stars(stars) for stars in range(1, 6)},
    criteria=[Criterion(id=id, weight=weight, zh=CRITERIA[id].zh, en=CRITERIA[id].en) for id, weight in rules.CRITERIA.items()],
    subjects=sorted(get_args(SatisfactionKind)),
    seasonal=sorted(rules.SEASONAL),
    formula=(
        "For each party with n scores x of mean a, prior mean p, strength k and deviation d: "
        "m = (k p + sum x) / (k + n); v = (k d^2 + sum (x - a)^2 + k n / (k + n) (a - p)^2) / (k + n). "
        "Over the parties that have spoken, with weights w: score = sum w m / sum w; "
        "interval = score +- 1.96 sqrt(sum w^2 v / (k + n)) / sum w; stars = score / 20."
    ),
    description=BilingualText(
        zh=(
            "居民、专家和服务站三方各自评价：居民的一颗到五颗星记作0、25、50、75、100分，专家和服务站直接打0到100分。"
            "每一方先取平均，并且当作此前已有4次70分的评价一起平均，这样一两个人的好恶不会左右结果；"
            "评价越多，这4次的影响越小。再把已经评价的各方按居民50%、专家25%、服务站25%的权重合成满意度，"
            "同时给出95%的可信区间。少于五位居民评价时，不公布分数和星级，以免看出是谁打的分。"
            "每一次真正完成的服务，居民可以评价一次。"
            "评估机构由服务站、专家和居民三方组成：每位成员先按公布的标准打分，打完才能看到别人的分数；"
            "与被评组织有利害关系的专家回避。公布结果时，服务站和专家的分数计入满意度，"
            "居民一方则以真正接受过服务的居民的评价为准。"
        ),
        en=(
            "Residents, experts and the station each evaluate. A resident's one to five stars count as 0, 25, 50, 75 "
            "or 100; experts and the station give 0 to 100. Each party's scores are averaged together with four "
            "imagined evaluations of 70, so that one or two voices do not decide; the more evaluations there are, the "
            "less those four matter. The parties that have spoken are then combined with the weights 50 % residents, "
            "25 % experts and 25 % station, and a 95 % interval is given. Below five residents' ratings neither score "
            "nor stars are published, so that nobody can tell who gave what. Each service really received can be "
            "rated once by its resident. In the evaluation body station, experts and residents score by the published "
            "criteria, each before seeing the others' scores, and an expert with an interest in the organization stays out. "
            "When the findings are published, the scores of station and experts count for the satisfaction; the residents' "
            "voice in it is that of those who were really served."
        ),
    ),
    sources=[
        Source(
            used_for="shrinkage (Bayesian average, empirical Bayes)",
            reference=("Efron, B. and Morris, C. (1977). Stein's paradox in statistics. Scientific American 236(5), 119-127."),
        ),
        Source(
            used_for="variance and interval (normal model with conjugate prior, normal approximation)",
            reference=("Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd edition, section 3.3. Chapman & Hall/CRC."),
        ),
    ],
)
