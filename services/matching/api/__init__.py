"""The HTTP interface of matching."""

from services.matching.api import figures, meetings, projects, ranking, referrals, requests

routers = [part.router for part in (requests, referrals, ranking, projects, meetings, figures)]
