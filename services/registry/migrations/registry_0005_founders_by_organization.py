"""The talents of an organization are found without going through all talents' links."""

from collections.abc import Sequence

from alembic import op

revision: str = "registry_0005"
down_revision: str | None = "registry_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index("ix_talent_links_organization", "talent_links", ["organization"])


def downgrade() -> None:
    op.drop_index("ix_talent_links_organization", "talent_links")
