"""Whether a change of a metric is for the better."""

import math
from collections.abc import Mapping

from mlxkit.metrics.difference import Change
from mlxkit.metrics.preferences import Preference, preference_of


def is_better(name: str, change: Change, known: Mapping[str, Preference]) -> bool | None:
    """Tell whether the new value is better; None where nobody can tell.

    That is: no number on one side, no change, or no direction that is known to be good.
    """
    diff = change.get("diff")
    direction = preference_of(name, known).better
    if diff is None or direction is None or math.isnan(diff) or diff == 0:
        return None
    return bool((diff > 0) == (direction == "higher"))
