"""What rules with several limits share: one of them must be given."""

from typing import ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from mlxkit.settings.base import Part


class Limited(Part):
    """A rule that needs at least one of its limits."""

    limits: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, key) is None for key in self.limits):
            raise PydanticCustomError(
                "mlx",
                "says nothing to hold the metric to: give {keys}",
                {"keys": " or ".join(self.limits)},
            )
        return self
