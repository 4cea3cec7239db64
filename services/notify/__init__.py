"""Notify: tells people in sentences what happened to what is theirs, and the world what is public.

It owns the notices in everybody's inbox and the public feed. It hears every fact. It tells nothing of its own; public
facts it tells again, unchanged, on the feed.
"""
