"""What `mlx.yaml` says of prices: `cost: {currency: EUR, cpu_hour: 0.05, gpu_hour: 2}`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.settings.load import section


class Prices(NamedTuple):
    """Prices in `currency`; of an hour of one processor, one GPU, one GiB of memory; of a GiB."""

    currency: str = ""
    cpu_hour: float = 0.0
    gpu_hour: float = 0.0
    memory_gib_hour: float = 0.0
    read_gib: float = 0.0
    written_gib: float = 0.0


def load_prices(root: str) -> Prices | None:
    """Read `cost` of the project's `mlx.yaml`; None where nothing is said of it.

    Raises ProjectError, with file and line, for what is not a price.
    """
    return prices_of(section(root, "cost"))


def prices_of(told: Mapping[str, Any] | None) -> Prices | None:
    """Return what a section `cost` says, once it is known to be right."""
    return None if told is None else Prices(**{**told, "currency": told["currency"] or ""})
