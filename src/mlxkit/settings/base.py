"""What all models of `mlx.yaml` share: nothing unknown, nothing converted, no infinite numbers."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_LONGEST = 60
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = r"\s*(\d{1,15}(?:\.\d+)?)\s*([KMG]?)i?B?\s*"


class Part(BaseModel):
    """A mapping of the file; a key that is not known is an error, and so is a wrong type."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def brief(value: Any) -> str:
    """Return a value of the file as people know it, of one line and short."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    told = repr(value) if isinstance(value, (str, list, dict)) else str(value)
    return told if len(told) <= _LONGEST else told[:_LONGEST] + "..."


def _bytes(value: Any) -> int:
    found = re.fullmatch(_SIZE, str(value))
    if found is None or isinstance(value, bool):
        raise PydanticCustomError("mlx", "is not a size: {value}", {"value": brief(value)})
    return int(float(found[1]) * _UNITS[found[2]])


def _name(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("mlx", "is empty")
    return value.strip()


def _text(value: Any) -> Any:
    """Take a number for the text that it is written as; nothing else is one."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError("mlx", "is no text: write it in quotes")
    return str(value)


def _mapping(value: Any) -> Any:
    """An empty section, `metrics:` and nothing below it, says nothing."""
    return {} if value is None else value


class _Section:
    """Takes nothing for an empty mapping, and tells editors so."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_mapping, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "null"}]}


Size = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_SIZE}$"}]}
    ),
]
"""Bytes, or a number with K, M or G."""
Name = Annotated[
    str, AfterValidator(_name), Field(min_length=1, json_schema_extra={"pattern": r"\S"})
]
Key = Annotated[str, BeforeValidator(_text)]
"""A name that the user chose, as a key: YAML reads `404:` as a number."""
TAG = "<kind>"
"""Marks, in the place of an error, a member of a union: it is no key of the file."""
Text = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"], "default": ""})
]
"""Any text; a number is one, too."""
Positive = Annotated[float, Field(ge=0)]
Section = _Section()
