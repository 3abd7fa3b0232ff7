"""What is known of metrics: which direction is good, and the unit; `mlx.yaml` comes first."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlxkit.metrics.directions import usual_direction
from mlxkit.settings.load import section


@dataclass(frozen=True, slots=True)
class Preference:
    """What is known of a metric: the direction that is good, and its unit."""

    better: str | None = None
    unit: str = ""


def load_preferences(root: str) -> dict[str, Preference]:
    """Read `metrics` of the project's `mlx.yaml`; without the file nothing is preferred.

    Raises ProjectError, with file and line, for what is not a preference.
    """
    return {name: Preference(**told) for name, told in section(root, "metrics").items()}


def preference_of(name: str, known: Mapping[str, Preference]) -> Preference:
    """Return the preference for a dotted name: its own, else that of its last part.

    A direction that `mlx.yaml` does not tell is that of the usual names, `directions.py`.
    """
    told = known.get(name) or known.get(name.rsplit(".", 1)[-1]) or Preference()
    if told.better is not None:
        return told
    return Preference(usual_direction(name), told.unit)
