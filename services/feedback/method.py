"""The published method of satisfaction, in words and numbers. The numbers are those the rules compute with."""

from __future__ import annotations

from services.feedback import rules
from services.feedback.views import BilingualText, Method, Source

METHOD = Method(
    weights=dict(rules.WEIGHTS),
    prior_mean=rules.PRIOR_MEAN,
    prior_strength=rules.PRIOR_STRENGTH,
    prior_deviation=rules.PRIOR_DEVIATION,
    interval="normal approximation of the posterior mean, cut off at 0 and 100",
    confidence=0.95,
    ratings_floor=rules.RATINGS_FLOOR,
    scores_of_stars={stars: rules.score_of_stars(stars) for stars in range(1, 6)},
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
        ),
        en=(
            "Residents, experts and the station each evaluate. A resident's one to five stars count as 0, 25, 50, 75 "
            "or 100; experts and the station give 0 to 100. Each party's scores are averaged together with four "
            "imagined evaluations of 70, so that one or two voices do not decide; the more evaluations there are, the "
            "less those four matter. The parties that have spoken are then combined with the weights 50 % residents, "
            "25 % experts and 25 % station, and a 95 % interval is given. Below five residents' ratings neither score "
            "nor stars are published, so that nobody can tell who gave what. Each service really received can be "
            "rated once by its resident."
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
