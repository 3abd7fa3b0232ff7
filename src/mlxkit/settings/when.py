"""When a rule of a gate applies: the key `when` that every rule may have."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Name
from mlxkit.settings.one_of import Limited

Names = Annotated[list[Name], Field(min_length=1)]


class When(Limited):
    """When a rule applies: if all conditions hold. Otherwise it is skipped."""

    limits = ("branches", "paths", "events")

    branches: Names | None = None
    """Patterns of branch names, such as `release/*`."""
    paths: Names | None = None
    """Patterns of paths; one of them changed since `against`."""
    against: Name | None = None
    """The revision that `paths` compares with; `mlx gate --base REV` replaces it."""
    events: Names | None = None
    """The event that started CI, such as `push` or `pull_request`; `local` outside CI."""

    @model_validator(mode="after")
    def _against_what(self) -> Self:
        if (self.paths is None) != (self.against is None):
            raise PydanticCustomError("mlx", "needs both or none of `paths` and `against`")
        return self
