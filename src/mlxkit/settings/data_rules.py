"""The rules of gates about data, noise and cost: what each may say."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Key, Name, Part, Positive
from mlxkit.settings.limited import Limited
from mlxkit.settings.rules import Better, Metric

Share = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=0)]
Confidence = Annotated[float, Field(ge=0.5, lt=1)]
Value = str | bool | int | float


class Count(Limited):
    """How many rows there may be."""

    limits = ("min", "max")

    min: Rows | None = None
    max: Rows | None = None


class Range(Limited):
    """Between what the numbers of a column must lie, both included."""

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
    """The value whose share is meant."""
    share: ShareRange


class Duplicates(Part):
    """How many rows repeat an earlier one."""

    max: Share = 0.0
    """The largest share of such rows."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """Only these columns are looked at; all by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that are not looked at, such as a row's number."""


class Data(Limited):
    """What a table must be like. A table without rows never is."""

    limits = ("rows", "nulls", "ranges", "label", "duplicates")

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    rows: Count | None = None
    nulls: Annotated[dict[Key, Share], Field(min_length=1)] | None = None
    """The largest share of empty cells by column; NaN is one. `*` are all columns not named."""
    ranges: Annotated[dict[Key, Range], Field(min_length=1)] | None = None
    """By column."""
    label: Label | None = None
    duplicates: Duplicates | None = None


class Schema(Part):
    """A table against a schema of pandera."""

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    schema_: Annotated[Name, Field(alias="schema")]
    """A YAML file in Git, as pandera's `to_yaml` writes it."""


class Overlap(Part):
    """Rows of the test data that the training data has, too."""

    train: Name
    test: Name
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """What tells a row; all columns by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that are not looked at, such as a row's number."""
    max: Share = 0.0
    """The largest share of the test's rows."""


class Shift(Part):
    """The columns of a table against the last version that this gate accepted: effect sizes."""

    path: Name
    """A recorded table: Parquet, CSV, TSV or JSON Lines."""
    against: Name | None = None
    """A revision; `mlx gate --base REV` takes its place. The last accepted by default."""
    first: Literal["fail", "pass"] = "fail"
    """What it counts as where no version was accepted yet."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """Only these; all by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that are not compared, such as ids."""
    psi: Positive = 0.2
    """The largest population stability index of a column of numbers."""
    wasserstein: Positive = 0.1
    """The largest Wasserstein distance of one, in standard deviations of the earlier version."""
    variation: Share = 0.1
    """The largest total variation distance of a column of other values."""
    bins: Annotated[int, Field(ge=2, le=1000)] = 10
    """How many bins the index has, quantiles of the earlier version."""


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
    """A revision with the same table; `mlx gate --base REV` takes its place."""
    other: Name | None = None
    """Another model's table, of the same revision where `against` is not given."""
    id: Name | None = None
    """The column that names a row; without, rows are compared in their order."""
    label: Name = "label"
    score: Name = "score"
    """The column of predictions: scores of `positive`, classes or numbers, as the metric needs."""
    positive: Value = 1
    """The label that scores are of."""
    threshold: float | None = None
    """Scores from here on are of `positive`; for metrics of classes. Without, they are classes."""
    want: Literal["no worse", "better"] = "no worse"
    lose: Positive = 0.0
    """How much worse it may be, for `no worse`."""
    by: Positive = 0.0
    """How much better it must be, for `better`."""
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    confidence: Confidence = 0.95
    inconclusive: Literal["fail", "pass"] = "fail"
    """What an interval on both sides of the limit counts as."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key, mode in (("lose", "no worse"), ("by", "better")):
            if getattr(self, key) and self.want != mode:
                raise PydanticCustomError("mlx", "`{key}` goes with `want: {mode}`",
                                          {"key": key, "mode": mode})  # fmt: skip
        return self


def _portion(value: Any) -> Any:
    """Read 40% as 0.4."""
    if not isinstance(value, str):
        return value
    try:
        found = float(value.strip().removesuffix("%")) / 100
    except ValueError:
        found = -1.0
    if not value.strip().endswith("%") or not 0 <= found < float("inf"):
        raise PydanticCustomError("mlx", "is no share: write 40% or 0.4")
    return found


Portion = Annotated[
    Positive,
    BeforeValidator(_portion),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0},
                   {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"}]}
    ),
]  # fmt: skip


class Gain(Part):
    """What the runs behind a version cost, against what was gained by it."""

    metric: Metric
    against: Name
    """A revision; `mlx gate --base REV` takes its place."""
    more: Portion
    """By how much the cost may grow where less is gained than `for`: 40%."""
    for_: Annotated[Positive, Field(alias="for")]
    """From which gain on any cost is right."""
    measure: Literal["seconds", "cpu_seconds", "gpu_seconds", "memory_gib_hours", "price"] = (
        "seconds"
    )
    """What cost is: time, or what `cost` in this file makes of it."""
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
