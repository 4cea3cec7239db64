"""The documents that come from the code are in step with it."""

from deploy import access
from deploy.documents import ACCESS, PATH, events_document
from deploy.services import load_all


def test_the_events_document_is_in_step_with_the_facts() -> None:
    assert PATH.read_text() == events_document(), "write it again: python -m deploy.documents"


def test_the_access_document_is_in_step_with_the_routes() -> None:
    assert ACCESS.read_text() == access.document(load_all()), "write it again: python -m deploy.documents"
