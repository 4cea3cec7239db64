"""The sample community (`deploy/sample/`), read into typed values. A mistake in a file is a `SampleError` that names it and
the line.

Nothing here talks to a service: `deploy/season/` plays with what is read here.
"""

from deploy.sample_community.files import SampleError
from deploy.sample_community.loading import SAMPLE_FOLDER, load_sample
from deploy.sample_community.values import (
    Activity,
    Attempt,
    Category,
    ClaimWishes,
    Expert,
    GreenChannel,
    Incubation,
    Item,
    Offer,
    Organization,
    Project,
    Quality,
    Request,
    Sample,
    Talent,
    Term,
)

__all__ = [
    "SAMPLE_FOLDER",
    "Activity",
    "Attempt",
    "Category",
    "ClaimWishes",
    "Expert",
    "GreenChannel",
    "Incubation",
    "Item",
    "Offer",
    "Organization",
    "Project",
    "Quality",
    "Request",
    "Sample",
    "SampleError",
    "Talent",
    "Term",
    "load_sample",
]
