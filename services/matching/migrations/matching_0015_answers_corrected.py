"""What the station had answered to a question before it corrected the answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import JSON
from shared.migrations import MigrationError

revision: str = "matching_0015"
down_revision: str | None = "matching_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questions", sa.Column("earlier", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Raises MigrationError where an answer was corrected: what it had been would be lost."""
    corrected = sa.text("SELECT count(*) FROM questions WHERE CAST(earlier AS TEXT) <> '[]'")
    if count := op.get_bind().execute(corrected).scalar_one():
        raise MigrationError(
            f"{count} answer(s) were corrected, and the version before cannot keep what they had been; nothing was changed. Stay "
            "on this version, or put back a backup from before."
        )
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.drop_column("earlier")
