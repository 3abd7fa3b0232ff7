"""The rules of gates about the model as a file, and about how it came to be."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Name, Part, Size
from mlxkit.settings.limited import Limited

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
    """A Parquet or CSV file with a row an input."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns that the model takes, in its order; all but `leave_out` by default."""
    leave_out: list[Name] = Field(default=[])
    """Columns that the model does not take: an id, the label."""
    rows: Count = 1
    """How many rows a call gets."""
    call: Literal["predict", "predict_proba", "decision_function", "transform"] | None = None
    """What is called; by default `predict_proba` where there is one, else `predict`."""
    within: Above = 60.0
    """How many seconds all of it may take."""
    limit: Size = 4 << 30
    """How much address space its process may have."""
    types: Types = Field(default=[])
    """Further types that a skops file may hold, beside those that are known to be safe."""


class Latency(Limited, Feeding):
    """How long a call of the model takes, in milliseconds."""

    limits = ("p50_ms", "p95_ms", "p99_ms")

    p50_ms: Above | None = None
    p95_ms: Above | None = None
    p99_ms: Above | None = None
    warm_up: Annotated[int, Field(ge=0)] = 10
    """Calls that are not counted, first."""
    repeats: Annotated[int, Field(ge=10)] = 200
    """Calls that are counted, on rows one after the other; fewer where `within` ends before."""


class Size_(Part):
    """How large a file or folder is, as it is recorded."""

    path: Name
    max: Size


class Memory(Feeding):
    """How much memory the model takes, loaded and called once: MiB beyond its libraries."""

    rows: Count = 1000
    max_mib: Above


class Reproducible(Part):
    """Whether what is recorded fits together, is committed, and comes out again."""

    verify: bool = True
    """What `mlx verify` finds."""
    committed: bool = True
    """No file that Git tracks differs from what is committed."""
    rebuild: bool = False
    """What `mlx verify --rebuild` finds: all stages run again, elsewhere."""


class Security(Part):
    """Whether a model's file may be loaded at all, and who vouches for it."""

    path: Name
    formats: Annotated[
        list[Literal["skops", "onnx", "safetensors", "lightgbm", "xgboost"]], Field(min_length=1)
    ] = Field(default=["skops", "onnx", "safetensors", "lightgbm", "xgboost"])
    """Formats that are accepted; which one it is, its content tells."""
    attested_by: Annotated[list[Name], Field(min_length=1)] | None = None
    """Allowed signers, as the file of allowed signers names them; one of them attested it."""
    types: Types = Field(default=[])
    """Further types that a skops file may hold, beside those that are known to be safe."""


class Approval(Part):
    """Who of some people approved exactly this."""

    by: Annotated[list[Name], Field(min_length=1, alias="from")]
    """E-mail addresses, or names, as they are in the audit log."""
    least: Count = 1
    """How many different people."""
    not_author: bool = False
    """The commit's author does not count."""
    signed: bool = False
    """Only approvals with a good signature count."""


MODEL_RULES: dict[str, type[Part]] = {
    "latency": Latency,
    "size": Size_,
    "memory": Memory,
    "reproducible": Reproducible,
    "security": Security,
    "approval": Approval,
}
