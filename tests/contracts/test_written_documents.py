"""The documents that come from the code are in step with it."""

from deploy import access
from deploy.documents import ACCESS, PATH, USERS, events_document, redis_users
from deploy.services import load_all


def test_the_events_document_is_in_step_with_the_facts() -> None:
    assert PATH.read_text() == events_document(), "write it again: python -m deploy.documents"


def test_the_access_document_is_in_step_with_the_routes() -> None:
    assert ACCESS.read_text() == access.document(load_all()), "write it again: python -m deploy.documents"


def test_the_redis_users_are_in_step_with_what_the_services_write_and_hear() -> None:
    assert USERS.read_text() == redis_users(), "write it again: python -m deploy.documents"
