"""The rules of gates about data, noise and cost: what each may say."""

import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Key, Name, Part, Positive
from mlxkit.settings.one_of import Limited
from mlxkit.settings.rules import Better, Metric

Share = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=0)]
Confidence = Annotated[float, Field(ge=0.5, lt=1)]


def _value(value: Any) -> Any:
    if not isinstance(value, (str, bool, int)) and not (
        isinstance(value, float) and math.isfinite(value)
    ):
        raise PydanticCustomError("mlx", "is neither a text nor a number, true or false")
    return value


Value = Annotated[
    Any,
    AfterValidator(_value),
    WithJsonSchema({"type": ["string", "number", "boolean"], "default": 1}),
]
"""What a cell of a table may be."""
_OF_CLASSES = ("accuracy", "balanced_accuracy", "f1", "precision", "recall")


class Count(Limited):
    """How many rows there may be."""

    limits = ("min", "max")

    min: Rows | None = None
    max: Rows | None = None


class Range(Limited):
    """The smallest and largest number that a column may have."""

    limits = ("min", "max")

    min: float | None = None
    max: float | None = None


class ShareRange(Limited):
    """A share between these, both included."""

    limits = ("min", "max")

    min: Share | None = None
    max: Share | None = None


class Label(Part):
    """How many rows have one value of a column."""

    column: Name
    value: Value = 1
    """The value whose share is checked."""
    share: ShareRange


class Duplicates(Part):
    """How many rows repeat an earlier one."""

    max: Share = 0.0
    """The largest share of such rows."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns to compare; all by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns to ignore, such as row numbers."""


class Data(Limited):
    """What a table must be like. An empty table always fails."""

    limits = ("rows", "nulls", "ranges", "label", "duplicates")

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    rows: Count | None = None
    nulls: Annotated[dict[Key, Share], Field(min_length=1)] | None = None
    """The largest share of empty cells (NaN too) by column; `*` is every other column."""
    ranges: Annotated[dict[Key, Range], Field(min_length=1)] | None = None
    """The allowed range of numbers, by column."""
    label: Label | None = None
    duplicates: Duplicates | None = None


class Schema(Part):
    """A table against a schema of pandera."""

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    schema_: Annotated[Name, Field(alias="schema")]
    """A YAML file in Git, as pandera's `to_yaml` writes it."""


class Overlap(Part):
    """Test rows that the training data has too."""

    train: Name
    test: Name
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns that identify a row; all by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns to ignore, such as row numbers."""
    max: Share = 0.0
    """The largest share of test rows."""


class Shift(Part):
    """The columns of a table against the last version that this gate accepted: effect sizes."""

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    against: Name | None = None
    """A revision; `mlx gate --base REV` replaces it. The last accepted version by default."""
    first: Literal["fail", "pass"] = "fail"
    """The verdict if no version was accepted yet."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns to compare; all by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that are not compared, such as ids."""
    psi: Positive = 0.2
    """The largest population stability index of a column of numbers."""
    wasserstein: Positive = 0.1
    """The largest Wasserstein distance of one, in standard deviations of the earlier version."""
    variation: Share = 0.1
    """The largest total variation distance of a column of other values."""
    bins: Annotated[int, Field(ge=2, le=1000)] = 10
    """The number of bins of the index: quantiles of the earlier version."""


class Noise(Limited):
    """A metric over recorded predictions against others of the same rows, by paired bootstrap."""

    limits = ("against", "other")

    metric: Literal[
        "accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc",
        "average_precision", "log_loss", "brier", "mae", "rmse", "r2",
    ]  # fmt: skip
    predictions: Name
    """A recorded table with a row for each case."""
    against: Name | None = None
    """A revision with the same table; `mlx gate --base REV` replaces it."""
    other: Name | None = None
    """Another model's table; of the same revision unless `against` is given."""
    id: Name | None = None
    """The column that identifies a row; without it, rows match by position."""
    label: Name = "label"
    score: Name = "score"
    """The column of predictions: scores of `positive`, classes or numbers, as the metric needs."""
    positive: Value = 1
    """The positive label."""
    threshold: float | None = None
    """For metrics of classes: scores from here on mean `positive`; else they are classes."""
    want: Literal["no worse", "better"] = "no worse"
    lose: Positive = 0.0
    """How much worse it may be, for `no worse`."""
    by: Positive = 0.0
    """How much better it must be, for `better`."""
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    confidence: Confidence = 0.95
    inconclusive: Literal["fail", "pass"] = "fail"
    """What an interval that contains the limit counts as."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key, mode in (("lose", "no worse"), ("by", "better")):
            if getattr(self, key) and self.want != mode:
                raise PydanticCustomError("mlx", "says `{key}`, which goes with `want: {mode}`",
                                          {"key": key, "mode": mode})  # fmt: skip
        if self.threshold is not None and self.metric not in _OF_CLASSES:
            raise PydanticCustomError("mlx", "says `threshold`, which goes with metrics of classes")
        return self


_PERCENT = r"\s*(\d{1,9}(?:\.\d+)?)\s*%\s*"


def _portion(value: Any) -> Any:
    """Read 40% as 0.4."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(_PERCENT, value)
    if found is None:
        raise PydanticCustomError("mlx", "is no share: write 40% or 0.4")
    return float(found[1]) / 100


Portion = Annotated[
    Positive,
    BeforeValidator(_portion),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0},
                   {"type": "string", "pattern": f"^{_PERCENT}$"}]}
    ),
]  # fmt: skip


class Gain(Part):
    """What the runs behind a version cost, against what it gained."""

    metric: Metric
    against: Name
    """A revision; `mlx gate --base REV` replaces it."""
    more: Portion
    """How much the cost may grow if the gain is below `for`, such as 40%."""
    for_: Annotated[Positive, Field(alias="for")]
    """The gain that justifies any cost."""
    measure: Literal["seconds", "cpu_seconds", "gpu_seconds", "memory_gib_hours", "price"] = (
        "seconds"
    )
    """The measure of cost; `price` needs `cost` in this file."""
    stages: Annotated[list[Name], Field(min_length=1)] | None = None
    """Only runs of these stages; all of the pipeline's by default."""
    better: Better | None = None


DATA_RULES: dict[str, type[Part]] = {
    "data": Data,
    "schema": Schema,
    "overlap": Overlap,
    "shift": Shift,
    "noise": Noise,
    "cost": Gain,
}
"""By the key that a rule has in the file."""
