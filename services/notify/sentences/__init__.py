"""What people read: the sentences (`texts`, from `of_organizations`, `of_requests` and `of_projects`), and how a notice becomes
one of them (`rendering`)."""

from services.notify.sentences.bilingual import Text
from services.notify.sentences.of_organizations import STEPS
from services.notify.sentences.rendering import Names, render
from services.notify.sentences.texts import SENTENCES

__all__ = ["SENTENCES", "STEPS", "Names", "Text", "render"]
