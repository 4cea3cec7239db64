"""What people read: the sentences (`texts`), and how a notice becomes one of them (`rendering`)."""

from services.notify.sentences.rendering import Names, render
from services.notify.sentences.texts import SENTENCES, Text

__all__ = ["SENTENCES", "Names", "Text", "render"]
