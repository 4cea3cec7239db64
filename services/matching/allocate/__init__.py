"""Who carries which need: the best allocation among the claims that stand, proved.

**Instance**, plain JSON: `{"needs": N or [ids], "organizations": [{"id", "capacity"}], "arcs": {"need": […], "organization":
[…], "score": […]}, "options": {…}}`, arcs in columns and by position from 0, scores whole numbers; or the same as arrays
(`need`, `organization`, `score`, `capacity`; `needs` and `options`, a JSON text, where wanted). Only along an arc is anything
allocated; of several arcs between the same two the best counts.

**Objective**, in this order: (1) as many needs served as can be; (2) the largest worth, which is the sum of the scores and of
the terms of fairness; (3) the largest sum of tie numbers, which the seed gives each pair. It is solved exactly, over the whole
instance, and the same instance gives the same result everywhere.

**Options**: `seed` (0); `pins` and `forbidden`, each [need, organization]; the terms of fairness `first_project_bonus`,
`load_cost`, `small_organization_bonus` (0: there are none unless they are asked for), `small_organization_capacity` (1),
`fairness_cap` (0.02). So a file without options is solved for the needs served, then the sum of the scores, and nothing else.

**Result**: `assignment` (an organization's position or null, per need), `served`, `objective` (the plain sum of the scores),
`certificate` (`prices` by organization, `dual`, `primal`, `gap`: in 1/`unit` of a point, without the `serving` that each need
served counts; `ties`: the same for the tie numbers), `fairness` (null without its terms; else `scale` in sixteenths, `lost`,
the `plain` optimum, and the allocation `beyond` the cap), `report`, `seconds` by phase. `check` proves it from both alone.
"""

from services.matching.allocate.checking import Refuted, check
from services.matching.allocate.flow import load_library
from services.matching.allocate.instances import Instance, Terms, read, read_arrays
from services.matching.allocate.refusals import Unsolvable
from services.matching.allocate.solving import solve

__all__ = ["Instance", "Refuted", "Terms", "Unsolvable", "check", "load_library", "read", "read_arrays", "solve"]
