"""registry: who is there and what is on offer.

Owns communities with their compounds, the taxonomy, organizations, service agreements, offers (the menu), and the
issuing of tokens.

Hears `satisfaction.changed`, for the stars on the menu.

Tells `community.opened`, `taxonomy.published`, `org.applied`, `org.registered`, `org.changed`, `agreement.signed`,
`agreement.ended`, `offer.published`, `offer.changed`, `offer.withdrawn`.
"""
