"""The HTTP interface of registry."""

from services.registry.api import activities, agreements, communities, incubations, offers, organizations, people, tokens

routers = [part.router for part in (communities, organizations, incubations, agreements, offers, activities, people, tokens)]
