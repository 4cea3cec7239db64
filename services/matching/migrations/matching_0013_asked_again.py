"""A request that was taken back from an organization, merged or read anew, may be put before it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.migrations import MigrationError

revision: str = "matching_0013"
down_revision: str | None = "matching_0012"
branch_labels = None
depends_on = None

ONCE, COLUMNS = "uq_referrals_request_organization", ["request", "organization"]
BEFORE, SINCE = sa.text("status <> 'handed-on'"), sa.text("status NOT IN ('handed-on', 'withdrawn')")


def upgrade() -> None:
    op.drop_index(ONCE, "referrals")
    op.create_index(ONCE, "referrals", COLUMNS, unique=True, sqlite_where=SINCE, postgresql_where=SINCE)


def downgrade() -> None:
    """Raises MigrationError where a request stood before an organization a second time."""
    twice = sa.text(
        "SELECT count(*) FROM (SELECT request FROM referrals WHERE status <> 'handed-on' "
        "GROUP BY request, organization HAVING count(*) > 1) AS asked"
    )
    if count := op.get_bind().execute(twice).scalar_one():
        raise MigrationError(
            f"An organization was asked for {count} request(s) again after they were taken back from it, which the version before "
            "cannot keep; nothing was changed. Stay on this version, or put back a backup from before."
        )
    op.drop_index(ONCE, "referrals")
    op.create_index(ONCE, "referrals", COLUMNS, unique=True, sqlite_where=BEFORE, postgresql_where=BEFORE)
