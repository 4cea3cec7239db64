"""Feedback: what residents, the station and experts say of a service, and the satisfaction that follows from it.

It owns evaluations, residents' ratings and the sums the satisfaction is computed from. It hears communities,
taxonomies, organizations, offers and the course of requests. It tells `evaluation.recorded` and `satisfaction.changed`.
"""
