"""`memory: {model, inputs, max_mib}`: how much memory the saved model takes to load and call."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context
from mlxkit.gates.models.feeding import ask_model
from mlxkit.gates.verdict import Verdict, Word, shown


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the resident memory that was added, at its peak; raises Unjudged, MlxError."""
    asked = ask_model("memory", settings, context)
    value, limit = round(asked.answer["added"] / (1 << 20), 1), settings["max_mib"]
    word: Word = "pass" if value <= limit else "fail"
    relation = "<=" if word == "pass" else ">"
    called = f" and called on {settings['rows']} rows" if asked.answer["called"] else ""
    why = (
        f"{settings['model']}: loaded{called} it takes "
        f"{shown(value, limit)} MiB {relation} {shown(limit, value)} MiB"
    )
    return [Verdict("memory", word, why, settings["model"], value, limit, evidence=asked.evidence)]
