"""Notify: tells people in sentences what happened to what is theirs, and the world what is public.

It owns the notices in everybody's inbox, the public feed, and the webhooks of other systems with their deliveries. It hears
every fact. It tells how webhooks stand and which deliveries failed; public facts it tells again, unchanged, on the feed.
"""
