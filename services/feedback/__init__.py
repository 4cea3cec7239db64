"""Feedback: what residents, the station and experts say of a service, and the satisfaction that follows from it.

It owns evaluations, residents' ratings, the sums the satisfaction is computed from, the evaluation body (评估机构) and its
sessions. It hears communities, taxonomies, organizations, agreements, experts, offers, activities, projects and the course of
requests, of which it counts the outcomes. It tells `evaluation.recorded`, `satisfaction.changed`, `body.appointed`,
`body.changed`, `body.ended` and `evaluation-session.opened`, `.published`, `.cancelled`.
"""
