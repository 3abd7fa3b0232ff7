"""The rules of gates: what each may say; `mlxkit.gates.rules` holds what each does."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import TAG, Key, Name, Part, Positive
from mlxkit.settings.limited import Limited
from mlxkit.settings.model_rules import MODEL_RULES

Better = Literal["higher", "lower"]


def _metric(value: str) -> str:
    file, colon, key = value.rpartition(":")
    if not key or (colon and not file):
        raise PydanticCustomError("mlx", "is not the name of a metric: {value}", {"value": value})
    return value


def _pattern(value: str) -> str:
    if ":" not in value:
        raise PydanticCustomError("mlx", "does not name files: FILES:KEY")
    return value


Metric = Annotated[str, AfterValidator(_metric), Field(min_length=1)]
"""`FILE:dotted.key`, or a dotted key alone where one metrics file has it."""


class Threshold(Limited):
    """A metric against fixed numbers."""

    limits = ("min", "max")

    metric: Metric
    min: float | None = None
    """The least that passes."""
    max: float | None = None
    """The most that passes."""


class Base(Part):
    """A metric against the same metric of another revision."""

    metric: Metric
    against: Name
    """A revision; `mlx gate --base REV` takes its place."""
    lose: Positive = 0.0
    """How much worse it may be."""
    better: Better | None = None
    """The direction that is good, where `metrics` does not say it."""


class MetricAt(Part):
    """A metric of another revision."""

    metric: Metric
    at: Name
    """A revision, for example the tag of what is deployed."""


def _form(value: Any) -> str:
    """Tell the forms of a baseline apart."""
    if isinstance(value, str):
        return f"{TAG}metric"
    return f"{TAG}at" if isinstance(value, (dict, MetricAt)) else f"{TAG}number"


Other = Annotated[
    Annotated[float, Tag(f"{TAG}number")]
    | Annotated[Metric, Tag(f"{TAG}metric")]
    | Annotated[MetricAt, Tag(f"{TAG}at")],
    Discriminator(_form),
]


class Baseline(Part):
    """A metric against others that must exist: a trivial model, people, what is live."""

    metric: Metric
    over: Annotated[dict[Key, Other], Field(min_length=1)]
    """What it must beat, by name: a number, a metric, or a metric of another revision."""
    by: Positive = 0.0
    """By how much at least."""
    better: Better | None = None


class Slices(Limited):
    """A metric of each slice of the data, in a metrics file nested as GROUP: SLICE: METRIC."""

    limits = ("worst", "gap")

    file: Name
    metric: Metric
    worst: float | None = None
    """The worst value that a slice may have."""
    gap: Positive | None = None
    """The largest difference between the slices of a group."""
    least_rows: Annotated[int, Field(ge=0)] = 0
    """Smaller slices are not judged."""
    rows: Name = "rows"
    """The name of the number of rows in the file."""
    groups: list[Name] | None = None
    """Only these groups; all of the file's by default."""
    leave_out: list[Name] = Field(default=[])
    """Slices that are not judged, as GROUP=SLICE: those in which the metric has no meaning."""
    better: Better | None = None


class Imbalance(Part):
    """Accuracy against the share of the largest class; another rule must judge another metric."""

    accuracy: Metric
    majority: Metric
    by: Positive = 0.0
    """By how much accuracy must be higher, at least."""


class Seeds(Limited):
    """A metric over runs with several seeds, each in a metrics file of its own."""

    limits = ("against", "min", "max", "spread")

    metric: Annotated[Metric, AfterValidator(_pattern)]
    """The file is a pattern: `metrics/seeds/*.json:pr_auc`."""
    against: Name | None = None
    """A revision with the same metrics; `mlx gate --base REV` takes its place."""
    lose: Positive = 0.0
    """How much worse the mean may be than that of `against`."""
    min: float | None = None
    """The least that the mean must be."""
    max: float | None = None
    """The most that the mean may be."""
    spread: Positive | None = None
    """The largest standard deviation."""
    least: Annotated[int, Field(ge=2)] = 3
    """How many seeds there must be."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """How sure the intervals are."""
    inconclusive: Literal["fail", "pass"] = "fail"
    """What an interval that holds the limit counts as."""
    better: Better | None = None


RULES: dict[str, type[Part]] = {
    "threshold": Threshold,
    "base": Base,
    "baseline": Baseline,
    "slices": Slices,
    "imbalance": Imbalance,
    "seeds": Seeds,
    **MODEL_RULES,
}
"""By the key that a rule has in the file."""
