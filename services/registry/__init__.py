"""registry: who is there and what is on offer.

Owns communities with their compounds and clocks, the taxonomy, organizations (their incubation, green channel, hubs and
clubs), service agreements, offers (the menu), activities, experts, the talent pool, and the issuing of tokens.

Hears `satisfaction.changed`, for the stars on the menu.

Tells what becomes of each of them, and of nobody by name: the facts of `shared/events/registry.py`.
"""
