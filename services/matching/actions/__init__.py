"""Verbs: every action writes rows and tells facts in the given transaction, and never commits."""

from services.matching.actions import claims, meetings, merging, models, projects, ranking, reading, referrals, requests

__all__ = ["claims", "meetings", "merging", "models", "projects", "ranking", "reading", "referrals", "requests"]
