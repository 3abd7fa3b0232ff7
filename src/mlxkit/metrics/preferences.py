"""What `mlx.yaml` says of metrics: which direction is good."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line, load

DIRECTIONS = ("higher", "lower")


@dataclass(frozen=True, slots=True)
class Preference:
    """What is known of a metric: the direction that is good, and its unit."""

    better: str | None = None
    unit: str = ""


def load_preferences(root: str) -> dict[str, Preference]:
    """Read `metrics` of the project's `mlx.yaml`; without the file nothing is preferred.

    Raises ProjectError, with file and line, for what is not a preference.
    """
    path = os.path.join(root, "mlx.yaml")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    shown = os.path.relpath(path)
    data = load(text, shown) or {}
    if not isinstance(data, Mapping):
        raise ProjectError("is not a mapping", where=shown)
    metrics = data.get("metrics") or {}
    if not isinstance(metrics, Mapping):
        raise _wrong(text, shown, ("metrics",), "`metrics` is not a mapping of names")
    return {str(name): _preference(text, shown, name, told) for name, told in metrics.items()}


def preference_of(name: str, known: Mapping[str, Preference]) -> Preference:
    """Return the preference for a dotted name: its own, else that of its last part."""
    return known.get(name) or known.get(name.rsplit(".", 1)[-1]) or Preference()


def _preference(text: str, shown: str, name: Any, told: Any) -> Preference:
    path = ("metrics", str(name))
    if not isinstance(told, Mapping):
        raise _wrong(text, shown, path, f"metric '{name}' is not a mapping")
    unknown = set(told) - {"better", "unit"}
    if unknown:
        raise _wrong(text, shown, path, f"metric '{name}' has an unknown key '{min(unknown)}'")
    better = told.get("better")
    if better is not None and better not in DIRECTIONS:
        raise _wrong(text, shown, path, f"`better` of metric '{name}' is neither higher nor lower")
    return Preference(better, str(told.get("unit", "")))


def _wrong(text: str, shown: str, path: tuple[str, ...], message: str) -> ProjectError:
    line = key_line(text, path)
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint="write it as: accuracy: {better: higher}",
    )
