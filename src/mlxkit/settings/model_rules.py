"""The rules of gates about the model as a file, and about how it came to be."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Name, Part, Size
from mlxkit.settings.one_of import Limited

Above = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


_NEVER = (
    *("builtins", "os", "posix", "nt", "subprocess", "sys", "shutil", "importlib", "pickle"),
    *("runpy", "pty", "code", "codeop", "ctypes", "socket", "operator", "timeit", "pdb"),
)
"""Modules whose members do more than hold numbers."""


def _types(names: list[str]) -> list[str]:
    for name in names:
        if "." not in name or name.partition(".")[0] in _NEVER:
            raise PydanticCustomError("mlx", "must not list {name}", {"name": name})
    return names


Types = Annotated[list[Name], AfterValidator(_types)]


class Feeding(Part):
    """A model, and how it is called on recorded inputs."""

    model: Name
    """The model's file."""
    inputs: Name
    """A Parquet or CSV file with one input per row."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns that the model takes, in its order; all but `leave_out` by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that the model does not take: an id, the label."""
    rows: Count = 1
    """How many rows each call gets."""
    call: Literal["predict", "predict_proba", "decision_function", "transform"] | None = None
    """What is called; by default `predict_proba` where there is one, else `predict`."""
    within: Above = 60.0
    """How many seconds everything may take."""
    limit: Size = 4 << 30
    """The largest address space of its process."""
    types: Types = Field(default=[])
    """Types that a skops file may hold besides those known to be safe."""


class Latency(Limited, Feeding):
    """How long a call of the model takes, in milliseconds."""

    limits = ("p50_ms", "p95_ms", "p99_ms")

    p50_ms: Above | None = None
    p95_ms: Above | None = None
    p99_ms: Above | None = None
    warm_up: Annotated[int, Field(ge=0)] = 10
    """How many first calls are not counted."""
    repeats: Annotated[int, Field(ge=10)] = 200
    """How many calls are counted; fewer if `within` ends before."""


class Size_(Part):
    """How large a file or folder is, as it is recorded."""

    path: Name
    max: Size


class Memory(Feeding):
    """How much memory the model takes, loaded and called once, in MiB beyond its libraries."""

    rows: Count = 1000
    max_mib: Above


class Reproducible(Part):
    """Whether the records agree, are committed, and can be reproduced."""

    verify: bool = True
    """`mlx verify` finds no problem."""
    committed: bool = True
    """`mlx.yaml`, the files that declare stages and those that stages read are committed."""
    rebuild: bool = False
    """`mlx verify --rebuild`: all stages, run again elsewhere, give the same."""


class Security(Part):
    """Whether a model's file is safe to load, and who attested it."""

    path: Name
    formats: Annotated[
        list[Literal["skops", "onnx", "safetensors", "lightgbm", "xgboost"]], Field(min_length=1)
    ] = Field(default=["skops", "onnx", "safetensors", "lightgbm", "xgboost"])
    """The accepted formats; the file's content tells which one it has."""
    attested_by: Annotated[list[Name], Field(min_length=1)] | None = None
    """Names in the file of allowed signers; one of them must have attested it."""
    types: Types = Field(default=[])
    """Types that a skops file may hold besides those known to be safe."""


class Approval(Part):
    """Approvals of exactly this commit and its data."""

    by: Annotated[list[Name], Field(min_length=1, alias="from")]
    """E-mail addresses, or (unless `signed`) names, as they are in the audit log."""
    least: Count = 1
    """How many different people must approve."""
    not_author: bool = False
    """The commit's author and committer do not count."""
    signed: bool = False
    """Only approvals with a good signature count."""

    @model_validator(mode="after")
    def _names_who_can_sign(self) -> Self:
        name = next((one for one in self.by if "@" not in one), None)
        if self.signed and name is not None:
            raise PydanticCustomError(
                "mlx",
                "says `signed`, which needs addresses in `from`: nobody signs the name {name}",
                {"name": name},
            )
        return self


MODEL_RULES: dict[str, type[Part]] = {
    "latency": Latency,
    "size": Size_,
    "memory": Memory,
    "reproducible": Reproducible,
    "security": Security,
    "approval": Approval,
}
