"""The documents that come from the code are in step with it."""

from deploy.documents import PATH, events_document


def test_the_events_document_is_in_step_with_the_facts() -> None:
    assert PATH.read_text() == events_document(), "write it again: python -m deploy.documents"
