"""Subjects of the feed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "notify_0003"
down_revision: str | None = "notify_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("feed_facts", sa.Column("subject", sa.String()))
    of_the_fact = "json_extract(event, '$.subject')" if op.get_bind().dialect.name == "sqlite" else "event->>'subject'"
    op.execute(f"UPDATE feed_facts SET subject = {of_the_fact}")  # noqa: S608 (a constant)
    with op.batch_alter_table("feed_facts") as batch_op:
        batch_op.alter_column("subject", nullable=False)
        batch_op.create_index("ix_feed_facts_subject", ["subject", "position"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("feed_facts") as batch_op:
        batch_op.drop_index("ix_feed_facts_subject")
        batch_op.drop_column("subject")
