"""What a command says when it cannot do what was asked."""


class CommandError(Exception):
    """The command cannot do this; the message says why and what to do."""
