"""What is wrong in an `mlx.yaml`, for people: where, what it should be, the nearest right key."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line
from mlxkit.settings.base import TAG, brief

_RULE = 3
"""How deep a rule is in the file: gates, name, number."""
Place = tuple[str | int, ...]
_LOOKED_AT = 20
"""Errors whose lines are looked up, each by reading the file: one may have any number."""
_TYPES = {
    "bool_type": "is neither true nor false",
    "dict_type": "is not a mapping",
    "finite_number": "is not a finite number",
    "float_type": "is not a number",
    "int_type": "is not a whole number",
    "list_type": "is not a list",
    "missing": "is missing",
    "model_type": "is not a mapping",
    "string_too_short": "is empty",
    "string_type": "is not a text",
    "too_short": "is empty",
}
_LIMITS = {
    "greater_than_equal": ("is less than {}", "ge"),
    "greater_than": ("is not more than {}", "gt"),
    "less_than": ("is not less than {}", "lt"),
    "less_than_equal": ("is more than {}", "le"),
}
_WRITE = {
    "models": "models: {census: {intended_use: TEXT, limits: [TEXT], owner: NAME}}",
    "metrics": "metrics: {accuracy: {better: higher}}",
    "runs": "runs: {max_file_size: 1M}",
    "cost": "cost: {currency: EUR, cpu_hour: 0.05, gpu_hour: 2}",
    "verify": 'verify: {tolerance: {"metrics/*.json": 1.0e-6}}',
    "leaderboard": "leaderboard: {metric: accuracy, test: data/test.csv, uses: 50}",
    "attest": "attest: {allowed_signers: .mlx-signers}",
    "gates": 'gates: {test: [{threshold: {metric: "metrics.json:accuracy", min: 0.9}}]}',
}


def explain(
    error: ValidationError, text: str, shown: str, schema: Mapping[str, Any]
) -> ProjectError:
    """Return the first of the errors in the file's order, with the number of the others."""
    every = [(_place(one["loc"]), one) for one in error.errors()]
    # A misspelt key explains why the right one is missing, so it comes first.
    misspelt = [one for one in every if one[1]["type"] in ("extra_forbidden", "union_tag_invalid")]
    looked_at = (misspelt or every)[:_LOOKED_AT]
    lines = [_line(text, place) or 0 for place, _ in looked_at]
    line, first = min((line, index) for index, line in enumerate(lines))
    place, detail = looked_at[first]
    message, hint = _told(place, detail, schema)
    if len(every) > 1:
        message += f" (and {len(every) - 1} more)"
    return ProjectError(message, where=f"{shown}:{line}" if line else shown, hint=hint or None)


def path_of(place: Sequence[str | int]) -> str:
    """Return a place in the file as people write it: `gates.test[2].threshold.min`."""
    parts = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in place)
    return "".join(parts).removeprefix(".")


def _place(loc: Sequence[str | int]) -> Place:
    named = loc[:-1] if loc and loc[-1] == "[key]" else loc
    return tuple(one for one in named if isinstance(one, int) or not one.startswith(TAG))


def _told(place: Place, detail: Any, schema: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong, and a hint."""
    kind, context, value = detail["type"], detail.get("ctx") or {}, brief(detail["input"])
    write = _example(place)
    if not place:
        return "is not a mapping", "write it as: metrics: {accuracy: {better: higher}}"
    named = f"`{path_of(place)}`"
    if kind in ("extra_forbidden", "invalid_key"):
        above = f"`{path_of(place[:-1])}` has an" if len(place) > 1 else "there is an"
        known = sorted({key for one in _nodes(schema, place[:-1]) for key in one["properties"]})
        return f"{above} unknown key '{place[-1]}'", _nearest(str(place[-1]), known)
    if kind == "union_tag_invalid":
        name = context["tag"].removeprefix(TAG)
        known = [one.strip(" '").removeprefix(TAG) for one in context["expected_tags"].split(",")]
        return f"{named}: there is no rule '{name}'", _nearest(name, known)
    if kind == "union_tag_not_found":
        return f"{named} is not one rule: a mapping of a single key", write
    if kind == "literal_error":
        wanted = context["expected"].replace("'", "")
        return f"{named} is neither {wanted.replace(' or ', ' nor ')}: {value}", write
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"{named} {words.format(_plain(context[key]))}: {value}", write
    said = _TYPES.get(kind) or detail["msg"]
    if kind == "float_type" and type(detail["input"]) is int:
        said = "is too large a number"
    alone = kind in ("missing", "mlx") or isinstance(detail["input"], (dict, list, type(None)))
    return f"{named} {said}" + ("" if alone else f": {value}"), write


def _example(place: Place) -> str:
    """Return how a section is written; inside of a rule that tells nothing."""
    known = _WRITE.get(str(place[0])) if place else None
    return f"write it as: {known}" if known and (place[0] != "gates" or len(place) <= _RULE) else ""


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"


def _nodes(schema: Mapping[str, Any], place: Place) -> list[Mapping[str, Any]]:
    """Return the parts of a JSON Schema with keys of their own that a place may be held to."""
    found = list(_resolved(schema, schema))
    for part in place:
        found = [one for node in found for inner in _below(node, part)
                 for one in _resolved(inner, schema)]  # fmt: skip
    return [node for node in found if "properties" in node]


def _below(node: Mapping[str, Any], part: str | int) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, int):
        inner = node.get("items")
    else:
        inner = (node.get("properties") or {}).get(part, node.get("additionalProperties"))
    if isinstance(inner, Mapping):
        yield inner


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _resolved(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    for several in ("anyOf", "oneOf", "allOf"):
        for one in node.get(several, ()):
            yield from _resolved(one, schema)
    yield node


def _line(text: str, place: Place) -> int | None:
    """Return the line of a place, or of the nearest above it that the file has."""
    while place:
        line = key_line(text, place)
        if line is not None:
            return line
        place = place[:-1]
    return None


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
