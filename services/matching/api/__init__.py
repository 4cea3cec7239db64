"""The HTTP interface of matching."""

from services.matching.api import figures, meetings, projects, referrals, requests

routers = [part.router for part in (requests, referrals, projects, meetings, figures)]
