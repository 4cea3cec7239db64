"""Reads: every query takes a session, and gives rows, values or views."""

from services.matching.queries import figures, meetings, menu, projects, ranking, reading, referrals, requests

__all__ = ["figures", "meetings", "menu", "projects", "ranking", "reading", "referrals", "requests"]
