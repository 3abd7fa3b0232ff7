"""`schema: {path, schema}`: a table against a schema of pandera, all of it before it says no."""

from collections.abc import Mapping
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Context
from mlxkit.gates.verdict import Unjudged, Verdict

_SHOWN = 20
"""Only so many failures are verdicts of their own."""


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Validate a recorded table; raises Unjudged, MlxError where it is not here."""
    subject, path, file = context.subject, settings["path"], settings["schema_"]
    table, schema = subject.data(path), subject.data(file)
    evidence = {subject.key(path): table.md5, subject.key(file): schema.md5}
    try:
        from mlxkit.gates.pandera_schema import read_frame, validate
        from mlxkit.gates.schema_file import load_schema
    except ImportError:
        raise MlxError(
            "this gate has a schema, which needs pandas, pyarrow and pandera",
            hint="run: pip install 'mlxkit[gates]'",
        ) from None
    try:
        known = load_schema(schema, file)
        failures = validate(known, read_frame(table, path))
    except Unjudged as error:
        raise Unjudged(error.why, evidence) from None
    if not failures:
        why = f"{subject.place(path)} fits {file}"
        return [Verdict("schema", "pass", why, path, evidence=evidence)]
    found = [
        Verdict("schema", "fail", f"{subject.place(path)}: {one.why}", one.column or path,
                float(one.times) if one.times else None, evidence=evidence)
        for one in failures[:_SHOWN]
    ]  # fmt: skip
    left = len(failures) - len(found)
    if left:
        why = f"{subject.place(path)}: {left} more failures of {file}"
        found.append(Verdict("schema", "fail", why, path, evidence=evidence))
    return found
