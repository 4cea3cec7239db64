"""Webhooks: public facts are sent to addresses of other systems, by the Standard Webhooks specification
(https://www.standardwebhooks.com), in the order of the feed for each subject, until they are taken or three days are over.

| file | what it does |
|---|---|
| `rules.py` | the life cycle of a subscription, the schedule of retries, what an answer means |
| `targets.py` | which addresses may be called at all |
| `signing.py` | secrets, signatures, the message |
| `sending.py` | one request, to an address that was looked at, bounded in every way |
| `wire.py` | HTTP/1.1 as far as that needs it |
| `actions.py`, `queries.py`, `views.py`, `api.py` | the subscriptions, their log, replay, over HTTP |
| `work.py` | what is due, who sees to it, what became of it: rows |
| `desk.py` | many couriers' rows in one transaction |
| `couriers.py` | the replica's part of the work, side by side |
"""
