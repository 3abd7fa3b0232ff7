"""The rules of gates: what each may say; `mlxkit.gates.rules` holds what each does."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import TAG, Key, Name, Part, Positive, brief
from mlxkit.settings.model_rules import MODEL_RULES
from mlxkit.settings.one_of import Limited

Better = Literal["higher", "lower"]


_METRIC = r"(.+:)?[^:]*[^:\s][^:]*"
_METRICS = r".+:[^:]*[^:\s][^:]*"


def _metric(value: str) -> str:
    if re.fullmatch(_METRIC, value) is None:
        told = {"value": brief(value)}
        raise PydanticCustomError("mlx", "is not the name of a metric: {value}", told)
    return value


def _metrics(value: str) -> str:
    if re.fullmatch(_METRICS, value) is None:
        raise PydanticCustomError("mlx", "does not name files: FILES:KEY")
    return value


Metric = Annotated[
    str, AfterValidator(_metric), Field(json_schema_extra={"pattern": f"^{_METRIC}$"})
]
"""`FILE:dotted.key`, or a dotted key alone where one metrics file has it."""


class Threshold(Limited):
    """A metric against fixed numbers."""

    limits = ("min", "max")

    metric: Metric
    min: float | None = None
    """The smallest value that passes."""
    max: float | None = None
    """The largest value that passes."""


class Base(Part):
    """A metric against the same metric of another revision."""

    metric: Metric
    against: Name
    """A revision; `mlx gate --base REV` replaces it."""
    lose: Positive = 0.0
    """How much worse it may be."""
    better: Better | None = None
    """The good direction; by default that of `metrics`, else of common names."""


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
    """A metric against baselines: a trivial model, people, the deployed model."""

    metric: Metric
    over: Annotated[dict[Key, Other], Field(min_length=1)]
    """What it must beat, by name: a number, a metric, or a metric of another revision."""
    by: Positive = 0.0
    """The smallest lead that passes."""
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
    """The key of the number of rows in the file."""
    groups: list[Name] | None = None
    """The groups to judge; all of the file's by default."""
    leave_out: list[Name] = Field(default=[])
    """Slices in which the metric has no meaning, as GROUP=SLICE; not judged."""
    better: Better | None = None


class Imbalance(Part):
    """Accuracy against the share of the largest class; another rule must judge another metric."""

    accuracy: Metric
    majority: Metric
    by: Positive = 0.0
    """The smallest lead of accuracy that passes."""


class Seeds(Limited):
    """A metric over runs with several seeds, each in a metrics file of its own."""

    limits = ("against", "min", "max", "spread")

    metric: Annotated[
        str, AfterValidator(_metrics), Field(json_schema_extra={"pattern": f"^{_METRICS}$"})
    ]
    """The file is a pattern: `metrics/seeds/*.json:pr_auc`."""
    against: Name | None = None
    """A revision with the same metrics; `mlx gate --base REV` replaces it."""
    lose: Positive = 0.0
    """How much worse the mean may be than that of `against`."""
    min: float | None = None
    """The smallest mean that passes."""
    max: float | None = None
    """The largest mean that passes."""
    spread: Positive | None = None
    """The largest standard deviation."""
    least: Annotated[int, Field(ge=2)] = 3
    """How many seeds there must be."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """The confidence level of intervals."""
    inconclusive: Literal["fail", "pass"] = "fail"
    """What an interval that contains the limit counts as."""
    better: Better | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.lose and self.against is None:
            raise PydanticCustomError("mlx", "says `lose`, which goes with `against`")
        return self


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
