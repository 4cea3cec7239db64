"""What several routes take in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

CommunityId = Annotated[str, Query(min_length=1, max_length=100, description="The community's id.")]
