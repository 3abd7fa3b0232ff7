"""What `mlx.yaml` says of prices: `cost: {currency: EUR, cpu_hour: 0.05, gpu_hour: 2}`."""

import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line, load


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
    path = os.path.join(root, "mlx.yaml")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    shown = os.path.relpath(path)
    document = load(data, shown) or {}
    text = data.decode("utf-8")
    if not isinstance(document, Mapping):
        raise ProjectError("is not a mapping", where=shown)
    if document.get("cost") is None:
        return None
    told = document["cost"]
    if not isinstance(told, Mapping):
        raise _wrong(text, shown, (), "`cost` is not a mapping of prices")
    unknown = [str(key) for key in told if key not in Prices._fields]
    if unknown:
        known = ", ".join(Prices._fields)
        raise _wrong(
            text,
            shown,
            (unknown[0],),
            f"`cost` has an unknown key '{unknown[0]}'",
            f"known: {known}",
        )
    return Prices(**{str(key): _checked(text, shown, key, value) for key, value in told.items()})


def _checked(text: str, shown: str, key: str, value: Any) -> Any:
    if key == "currency":
        if not isinstance(value, str) or not value.strip():
            raise _wrong(text, shown, (key,), f"`cost.currency` is not a name: {value!r}")
        return value.strip()
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or value < 0:
        raise _wrong(text, shown, (key,), f"`cost.{key}` is not a price: {value!r}")
    return float(value)


def _wrong(
    text: str, shown: str, path: tuple[str, ...], message: str, hint: str = ""
) -> ProjectError:
    line = key_line(text, ("cost", *path))
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint=hint or "write it as: cost: {currency: EUR, cpu_hour: 0.05, gpu_hour: 2}",
    )
