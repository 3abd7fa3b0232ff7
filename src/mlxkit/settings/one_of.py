"""What mappings with several keys share of which one must be given."""

from typing import Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from mlxkit.settings.base import Part


class Limited(Part):
    """A mapping that needs at least one of its `limits`; `min` may not be above `max`."""

    limits: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, key) is None for key in self.limits):
            raise PydanticCustomError(
                "mlx", "says nothing: give {keys}", {"keys": " or ".join(self.limits)}
            )
        least, most = getattr(self, "min", None), getattr(self, "max", None)
        if least is not None and most is not None and least > most:
            raise PydanticCustomError("mlx", "has a min above its max: nothing passes")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Let editors know it, too."""
        found = handler(schema)
        given = [
            {"required": [key], "properties": {key: {"not": {"type": "null"}}}}
            for key in cls.limits
        ]
        handler.resolve_ref_schema(found)["anyOf"] = given
        return found
