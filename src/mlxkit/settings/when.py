"""When a rule of a gate applies: the key `when` that every rule may have."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Name, Part

Names = Annotated[list[Name], Field(min_length=1)]


class When(Part):
    """A rule applies where all that is given fits; else it is skipped, and says why."""

    branches: Names | None = None
    """Patterns of branch names, as `release/*`."""
    paths: Names | None = None
    """Patterns of paths; one of them changed since `against`."""
    against: Name | None = None
    """The revision that `paths` compares with; `mlx gate --base REV` takes its place."""
    events: Names | None = None
    """What started the run, as CI names it: `push`, `pull_request`; `local` outside of CI."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.branches is None and self.paths is None and self.events is None:
            raise PydanticCustomError("mlx", "says nothing: give branches, paths or events")
        if (self.paths is None) != (self.against is None):
            raise PydanticCustomError("mlx", "needs both or none of `paths` and `against`")
        return self
