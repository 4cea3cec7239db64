"""The names of the streams. Nothing but the kit builds one."""

FEED = "fenghe:feed"
"""The public facts of all services, told again by notify, for the world outside."""


def epoch_of(stream: str) -> str:
    """The key whose absence says that a stream's server lost its data. In a cluster it stands in the stream's slot."""
    return f"{{{stream}}}:epoch"


def stream_of(teller: str) -> str:
    """The stream on which a service tells its facts."""
    return f"fenghe:{teller}"


def text(value: bytes | str) -> str:
    """A name or id as Redis gave it, as text."""
    return value.decode() if isinstance(value, bytes) else value
