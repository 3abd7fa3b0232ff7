"""`mlx.yaml` as one model. It costs a tenth of a second to import: `load.py` does so seldom."""

import warnings
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, create_model

from mlxkit.settings.base import TAG, Key, Name, Part, Positive, Section, Size, Text
from mlxkit.settings.cards import ModelCard
from mlxkit.settings.data_rules import DATA_RULES
from mlxkit.settings.leaderboard import Leaderboard
from mlxkit.settings.rules import RULES
from mlxkit.settings.when import When


class MetricSettings(Part):
    """Settings of a metric; a name also matches the last part of a nested one."""

    better: Literal["higher", "lower"] | None = None
    """The good direction."""
    unit: Text = ""


class Runs(Part):
    """Records of runs."""

    record: bool = True
    """Whether runs are recorded."""
    max_file_size: Size = 1 << 20
    """The largest untracked file that is kept in a record's snapshot."""


class Cost(Part):
    """What `mlx cost` multiplies with."""

    currency: Name | None = None
    cpu_hour: Positive = 0.0
    gpu_hour: Positive = 0.0
    memory_gib_hour: Positive = 0.0
    read_gib: Positive = 0.0
    written_gib: Positive = 0.0


class Verify(Part):
    """What `mlx verify --rebuild` accepts."""

    tolerance: Annotated[dict[Key, Positive], Section] = Field(default={})
    """How far numbers of a metrics file may differ, by patterns of its path."""


class Attest(Part):
    """Who may sign."""

    allowed_signers: Name
    """A file as ssh-keygen reads it, from the project's root."""


def _kind(item: Any) -> str | None:
    """Return the single key of a rule's item."""
    keys = item.model_fields_set if isinstance(item, Part) else item
    single = isinstance(keys, (dict, set, frozenset)) and len(keys) == 1
    return f"{TAG}{next(iter(keys))}" if single else None


def _items() -> Any:
    """Return the union of all rules, told apart by the single key of the item."""
    union: Any = None
    # There is no source to read docstrings from, and looking for it takes a fifth of the import.
    made: Any = {"use_attribute_docstrings": False}
    for kind, model in {**RULES, **DATA_RULES}.items():
        when: dict[str, Any] = {"when": (When | None, None)}
        full: Any = create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, __cls_kwargs__=made, **when
        )
        field: dict[str, Any] = {kind: (full, ...)}
        with warnings.catch_warnings():
            # `schema` is also the name of a method that pydantic had once.
            warnings.simplefilter("ignore", UserWarning)
            item: Any = create_model(
                f"{model.__name__}Rule", __base__=Part, __cls_kwargs__=made, **field
            )
        tagged = Annotated[item, Tag(f"{TAG}{kind}")]
        union = tagged if union is None else union | tagged
    return Annotated[union, Discriminator(_kind)]


if TYPE_CHECKING:
    Rule = Any
else:
    Rule = _items()

Gate = Annotated[list[Rule], Field(min_length=1)]


class Settings(Part):
    """What mlx knows of a project beyond dvc.yaml."""

    metrics: Annotated[dict[Key, MetricSettings], Section] = Field(default={})
    """Settings of metrics, by name."""
    runs: Annotated[Runs, Section] = Runs()
    cost: Cost | None = None
    verify: Annotated[Verify, Section] = Verify()
    attest: Attest | None = None
    leaderboard: Leaderboard | None = None
    gates: Annotated[dict[Key, Gate], Section] = Field(default={})
    """The rules of each gate, by its name."""
    models: Annotated[dict[Key, ModelCard], Section] = Field(default={})
    """What model cards say beyond what is recorded, by the model's name."""
