"""What of a metrics file is a metric: numbers and texts by name, nested as they are."""

from collections.abc import Mapping
from typing import Any


def keep_metrics(value: Any) -> Any:
    """Return what of `value` is a metric: numbers and texts, nested in mappings, no lists.

    As DVC does; None where nothing is.
    """
    if isinstance(value, (int, float, str)):
        return value
    if not isinstance(value, Mapping):
        return None
    kept = {key: keep_metrics(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not None and item != {}}


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name: `{"a": {"b": 1}}` gives `{"a.b": 1}`."""
    if not isinstance(values, Mapping):
        return {prefix: values} if prefix else {"": values}
    found: dict[str, Any] = {}
    for key, item in values.items():
        found.update(flatten(item, f"{prefix}.{key}" if prefix else str(key)))
    return found
