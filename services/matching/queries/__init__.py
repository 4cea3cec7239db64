"""Reads: every query takes a session, and gives rows, values or views."""

from services.matching.queries import figures, menu, referrals, requests

__all__ = ["figures", "menu", "referrals", "requests"]
