"""Find the referrals of a request, and the organizations and claims of a community, without going through those of all communities."""

from __future__ import annotations

from alembic import op

revision: str = "matching_0008"
down_revision: str | None = "matching_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_claims_community", "claims", ["community"])
    op.create_index("ix_organizations_community", "organizations", ["community"])
    op.create_index("ix_referrals_request", "referrals", ["request"])


def downgrade() -> None:
    op.drop_index("ix_referrals_request", table_name="referrals")
    op.drop_index("ix_organizations_community", table_name="organizations")
    op.drop_index("ix_claims_community", table_name="claims")
