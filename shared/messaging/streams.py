"""The names of the streams. Nothing but the kit builds one."""

FEED = "fenghe:feed"
"""The public facts of all services, told again by notify, for the world outside."""


def stream_of(teller: str) -> str:
    """The stream on which a service tells its facts."""
    return f"fenghe:{teller}"
