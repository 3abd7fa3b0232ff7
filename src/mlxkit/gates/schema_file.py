"""A schema of pandera in a YAML file; nothing of it is run, and nothing in it may be ignored.

pandera passes over keys that it does not know, so that a check misspelt is none: here they are
errors, as is what would take away, fill in or forgive what the schema should find.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandera.pandas as pa
from pandera.io.pandas_io import deserialize_schema

from mlxkit.core.errors import MlxError
from mlxkit.core.yaml import load
from mlxkit.gates.context import Data
from mlxkit.gates.verdict import Unjudged

_HIDES = ("drop_invalid_rows", "add_missing_columns", "default", "raise_warning")
_BOTH = ("title", "description", "dtype", "checks", "name", "unique", "coerce",
         "report_duplicates", *_HIDES)  # fmt: skip
_TOP = (
    *("schema_type", "version", "api", "dataframe_library", "columns", "index", "multiindex"),
    *("metadata", "strict", "ordered", "unique_column_names"),
)
_COLUMN = ("nullable", "required", "regex")


def load_schema(data: Data, path: str) -> Any:
    """Return the schema of a YAML file; raises Unjudged for one that is none."""
    try:
        with open(data.path, "rb") as file:
            told = load(file.read(), path)
    except (OSError, MlxError) as error:
        raise Unjudged(f"schema {path} cannot be read: {error}") from None
    if not isinstance(told, Mapping) or not isinstance(told.get("columns"), (dict, list)):
        raise Unjudged(f"schema {path} names no columns: write it with pandera's to_yaml")
    for wrong in _wrong(told):
        raise Unjudged(f"schema {path} {wrong}")
    try:
        return deserialize_schema(told)
    except Exception as error:  # pandera raises whatever its parts do
        raise Unjudged(f"schema {path} is not valid: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:200]


def _wrong(told: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong in a schema."""
    columns = told["columns"]
    if not columns:
        yield "names no columns"
    yield from _unknown(told, "", (*_BOTH, *_TOP))
    parts = list(columns.items() if isinstance(columns, Mapping) else enumerate(columns))
    parts += enumerate(told.get("index") or ())
    known = {str(name) for name in pa.Check.CHECK_FUNCTION_REGISTRY}
    for name, part in parts:
        if not isinstance(part, Mapping):
            yield f"has no mapping for {name}"
            continue
        yield from _unknown(part, f" of {name}", (*_BOTH, *_COLUMN, *known))
        yield from _checks(part, known)
    yield from _checks(told, known)


def _unknown(part: Mapping[str, Any], where: str, known: Collection[str]) -> Iterator[str]:
    for key, value in part.items():
        if key not in known:
            yield f"has a key that pandera does not know{where}: {str(key)!r}"
        if key in _HIDES and value is not None and value is not False:
            yield f"says {key}{where}, which would hide what does not fit"


def _checks(part: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Look at the checks of a part, which are written in three ways."""
    told = part.get("checks")
    listed = list(told.items()) if isinstance(told, Mapping) else []
    listed += [("", one) for one in told] if isinstance(told, list) else []
    listed += [(key, value) for key, value in part.items() if key in known]
    for name, check in listed:
        options = check.get("options") if isinstance(check, Mapping) else None
        options = options if isinstance(options, Mapping) else {}
        chosen = options.get("check_name", name)
        if chosen not in known:
            yield f"has a check that pandera does not know: {str(chosen)!r}"
        if options.get("raise_warning"):
            yield "says raise_warning, which would hide what does not fit"
