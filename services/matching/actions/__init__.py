"""Verbs: every action writes rows and tells facts in the given transaction, and never commits."""

from services.matching.actions import merging, models, reading, referrals, requests

__all__ = ["merging", "models", "reading", "referrals", "requests"]
