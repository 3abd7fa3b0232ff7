"""`base: {metric, against, lose}`: a metric against the same metric of another revision."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context, find, value_in
from mlxkit.gates.verdict import Verdict, exact, shown


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Let the metric be worse by no more than `lose`; raises Unjudged."""
    found = find(context.subject, settings["metric"])
    base = context.against(settings)
    other = value_in(base, found.file, found.key)
    better = context.better(settings, found.key)
    lost = -better * (exact(found.value) - exact(other.value))
    good = lost <= exact(settings["lose"])
    change = float(exact(found.value) - exact(other.value))
    moved = f"{change:+.6g}" if change else "unchanged"
    why = (
        f"{found.key} {shown(found.value, other.value)}, {base.name} has "
        f"{shown(other.value, found.value)}: {moved}, may lose {shown(settings['lose'])}"
    )
    limit = float(exact(other.value) - better * exact(settings["lose"]))
    return [
        Verdict(
            rule="base",
            verdict="pass" if good else "fail",
            why=why,
            what=found.key,
            value=found.value,
            threshold=limit,
            baseline=other.value,
            evidence={**found.evidence, **other.evidence},
        )
    ]
