"""`leaderboard` of `mlx.yaml`: what is ranked by which metric, measured on which test set."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Key, Name, Part, Section, brief

_DIGEST = r"[0-9a-f]{4,32}(\.dir)?"


def _digest(value: str) -> str:
    if not re.fullmatch(_DIGEST, value):
        raise PydanticCustomError("mlx", "is not a digest: {value}", {"value": brief(value)})
    return value


Digest = Annotated[
    str, AfterValidator(_digest), Field(json_schema_extra={"pattern": f"^{_DIGEST}$"})
]
Files = Annotated[dict[Key, Name], Section]


class Leaderboard(Part):
    """What `mlx leaderboard` ranks."""

    metric: Name | None = None
    """The metric to rank by; a dotted name for a nested one."""
    test: Name | None = None
    """The path of the test set."""
    digest: Digest | None = None
    """The frozen version of the test set, or its beginning; without it, that of HEAD."""
    models: Files = Field(default={})
    """The metrics file of each model that competes."""
    baselines: Files = Field(default={})
    """The metrics file of each baseline that a model must beat."""
    deployed: Name | None = None
    """The stage whose assignment tags (`name#stage#3`) say what is deployed."""
    uses: Annotated[int, Field(ge=1)] = 50
    """How many models may be measured on one version of the test set."""
