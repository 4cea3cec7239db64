"""Query parameters that several lists take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

Filter = Annotated[str | None, Query(max_length=80)]
InCommunity = Annotated[str, Query(max_length=80, description="The id of the community.")]
