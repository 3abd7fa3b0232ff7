"""What all models of `mlx.yaml` share: nothing unknown, nothing converted, no infinite numbers."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B?"


class Part(BaseModel):
    """A mapping of the file; a key that is not known is an error, and so is a wrong type."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _bytes(value: Any) -> int:
    found = re.fullmatch(_SIZE, str(value).strip())
    if found is None or isinstance(value, bool):
        raise PydanticCustomError("mlx", "is not a size: {value}", {"value": repr(value)})
    return int(float(found[1]) * _UNITS[found[2]])


def _name(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("mlx", "is empty")
    return value.strip()


def _mapping(value: Any) -> Any:
    """An empty section, `metrics:` and nothing below it, says nothing."""
    return {} if value is None else value


Size = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_SIZE}$"}]}
    ),
]
"""Bytes, or a number with K, M or G."""
Name = Annotated[str, AfterValidator(_name), Field(min_length=1)]
Key = Annotated[str, BeforeValidator(str)]
"""A name that the user chose, as a key: YAML reads `404:` as a number."""
TAG = "@"
"""Marks, in the place of an error, a member of a union: it is no key of the file."""
Positive = Annotated[float, Field(ge=0)]
Section = BeforeValidator(_mapping)
