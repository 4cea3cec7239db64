"""What people read: the sentences (`texts`, and `of_projects`), and how a notice becomes one of them (`rendering`)."""

from services.notify.sentences.bilingual import Text
from services.notify.sentences.rendering import Names, render
from services.notify.sentences.texts import SENTENCES

__all__ = ["SENTENCES", "Names", "Text", "render"]
