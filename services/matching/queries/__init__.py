"""Reads: every query takes a session, and gives rows, values or views."""

from services.matching.queries import figures, menu, reading, referrals, requests

__all__ = ["figures", "menu", "reading", "referrals", "requests"]
