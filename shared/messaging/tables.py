"""The kit's own tables. Every service's database has them, made by the kit's own migrations."""

from __future__ import annotations

import sqlalchemy as sa

from shared.database import JSON, NAMING, UTCDateTime

metadata = sa.MetaData(naming_convention=NAMING)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("stream", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("community", sa.String, nullable=False),
    sa.Column("time", sa.String, nullable=False),
    sa.Column("traceparent", sa.String, nullable=False),
    sa.Column("dataschema", sa.String, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("entry_id", sa.String),
    sa.UniqueConstraint("stream", "source", "subject", "sequence"),
)
"""Every fact told, and the stream entry it became (`entry_id`, None until it is sent)."""
sa.Index(
    "ix_outbox_unsent",
    outbox.c.created_at,
    sqlite_where=outbox.c.entry_id.is_(None),
    postgresql_where=outbox.c.entry_id.is_(None),
)
sa.Index("ix_outbox_community", outbox.c.community)

subject_sequences = sa.Table(
    "subject_sequences",
    metadata,
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)
"""The last sequence given to each subject."""

trimmed = sa.Table(
    "trimmed",
    metadata,
    sa.Column("stream", sa.String, primary_key=True),
    sa.Column("before", sa.String, nullable=False),
)
"""The entry id before which this service itself trimmed a stream: what is missing there is not lost."""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer", sa.String, primary_key=True),
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("handled_at", UTCDateTime, nullable=False),
)
"""Every fact that took effect here, written in the transaction of the effect."""
sa.Index("ix_inbox_handled_at", inbox.c.handled_at)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("consumer", sa.String, nullable=False),
    sa.Column("stream", sa.String, nullable=False),
    sa.Column("entry_id", sa.String, nullable=False),
    sa.Column("source", sa.String),
    sa.Column("fact_id", sa.String),
    sa.Column("type", sa.String),
    sa.Column("community", sa.String),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("traceback", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("fields", JSON, nullable=False),
    sa.Column("died_at", UTCDateTime, nullable=False),
    sa.Column("replayed_at", UTCDateTime),
    sa.Column("set_aside_at", UTCDateTime),
    sa.Column("set_aside_by", sa.String),
    sa.Column("set_aside_because", sa.String),
    sa.UniqueConstraint("consumer", "stream", "entry_id"),
)
"""Every entry that could not be handled, whole, with its cause; and by whom and why it was set aside, where nothing can be made
of it."""

replays = sa.Table(
    "replays",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("letter", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
)
"""Every replay of a dead letter, and what became of it; `cause` is why it is dead again, empty where it is not."""

timers = sa.Table(
    "timers",
    metadata,
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("community", sa.String, nullable=False),
    sa.Column("due_at", UTCDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", UTCDateTime),
    sa.Column("last_error", sa.String),
)
"""What is to happen when a community's clock reaches `due_at`. Gone once it has happened. One that failed keeps why, and is
tried again at `next_attempt_at`, by the machine's clock."""
_FRESH, _FAILED = timers.c.next_attempt_at.is_(None), timers.c.next_attempt_at.is_not(None)
sa.Index("ix_timers_due", timers.c.due_at, sqlite_where=_FRESH, postgresql_where=_FRESH)
sa.Index("ix_timers_community_due", timers.c.community, timers.c.due_at, sqlite_where=_FRESH, postgresql_where=_FRESH)
sa.Index("ix_timers_failed", timers.c.next_attempt_at, sqlite_where=_FAILED, postgresql_where=_FAILED)

clocks = sa.Table(
    "clocks",
    metadata,
    sa.Column("community", sa.String, primary_key=True),
    sa.Column("ahead_seconds", sa.Integer, nullable=False),
)
"""How far the clock of a rehearsal community is ahead of the machine's. A clock never moved has no row."""

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("result", sa.Text),
    sa.Column("created_at", UTCDateTime, nullable=False),
)
"""What a POST with an Idempotency-Key answered, written in the transaction of its effect."""
