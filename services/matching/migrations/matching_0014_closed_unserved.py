"""A request that goes to no organization may be closed, unserved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.migrations import MigrationError

revision: str = "matching_0014"
down_revision: str | None = "matching_0013"
branch_labels = None
depends_on = None

ORGANIZATION, SERVED_AT, SERVED = "ck_requests_organization", "ck_requests_served_at", "ck_requests_served"


def upgrade() -> None:
    with op.batch_alter_table("requests", schema=None) as batch_op:
        for name in (ORGANIZATION, SERVED_AT):
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.create_check_constraint(
            batch_op.f(ORGANIZATION),
            "(status NOT IN ('matched', 'accepted') AND served_at IS NULL) OR organization IS NOT NULL",
        )
        batch_op.create_check_constraint(batch_op.f(SERVED_AT), "status NOT IN ('served', 'disputed') OR served_at IS NOT NULL")
        batch_op.create_check_constraint(batch_op.f(SERVED), "served_at IS NULL OR status IN ('served', 'disputed', 'closed')")


def downgrade() -> None:
    """Raises MigrationError where a request was closed unserved: the version before has no status for it, and whatever it were
    called instead would be untrue."""
    unserved = sa.text("SELECT count(*) FROM requests WHERE status = 'closed' AND served_at IS NULL")
    if count := op.get_bind().execute(unserved).scalar_one():
        raise MigrationError(
            f"{count} request(s) were closed unserved, which the version before cannot keep; nothing was changed. Stay on this "
            "version, or put back a backup from before."
        )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        for name in (ORGANIZATION, SERVED_AT, SERVED):
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.create_check_constraint(
            batch_op.f(ORGANIZATION),
            "status NOT IN ('matched', 'accepted', 'served', 'disputed', 'closed') OR organization IS NOT NULL",
        )
        batch_op.create_check_constraint(
            batch_op.f(SERVED_AT), "(status IN ('served', 'disputed', 'closed')) = (served_at IS NOT NULL)"
        )
