"""The sample community (`deploy/sample/`), read into typed values. A mistake in a file is a `SampleError` that names it and
the line.

Nothing here talks to a service: `deploy/season/` plays with what is read here.
"""

from deploy.sample_community.files import SampleError
from deploy.sample_community.loading import SAMPLE_FOLDER, load_sample
from deploy.sample_community.values import (
    Activity,
    Category,
    ClaimWishes,
    Expert,
    Item,
    Offer,
    Organization,
    Project,
    Quality,
    Request,
    Sample,
    Talent,
)

__all__ = [
    "SAMPLE_FOLDER",
    "Activity",
    "Category",
    "ClaimWishes",
    "Expert",
    "Item",
    "Offer",
    "Organization",
    "Project",
    "Quality",
    "Request",
    "Sample",
    "SampleError",
    "Talent",
    "load_sample",
]
