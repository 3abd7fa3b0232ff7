"""`threshold: {metric, min, max}`: a metric against fixed numbers."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context, find
from mlxkit.gates.verdict import Verdict, Word, exact, shown


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the metric to the least and the most that pass; raises Unjudged."""
    found = find(context.subject, settings["metric"])
    verdicts = []
    for limit, sign in ((settings["min"], 1), (settings["max"], -1)):
        if limit is None:
            continue
        good = sign * (exact(found.value) - exact(limit)) >= 0
        relation = (">=" if good else "<") if sign > 0 else ("<=" if good else ">")
        why = f"{found.key} {shown(found.value, limit)} {relation} {shown(limit, found.value)}"
        word: Word = "pass" if good else "fail"
        told = Verdict("threshold", word, why, found.key, found.value, limit)
        verdicts.append(told._replace(evidence=found.evidence))
    return verdicts
