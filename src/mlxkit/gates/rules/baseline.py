"""`baseline: {metric, over, by}`: a metric against others that must exist."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context, Found, find
from mlxkit.gates.verdict import Unjudged, Verdict, exact, shown


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the metric to each of the baselines; raises Unjudged where the metric itself is not."""
    found = find(context.subject, settings["metric"])
    better = context.better(settings, found.key)
    return [
        _against(name, other, found, better, settings["by"], context)
        for name, other in settings["over"].items()
    ]


def _against(
    name: str, told: Any, found: Found, better: int, by: float, context: Context
) -> Verdict:
    verdict = Verdict("baseline", "fail", "", name, found.value, evidence=found.evidence)
    try:
        value, evidence = _value(told, context)
    except Unjudged as error:
        seen = {**found.evidence, **error.evidence}
        return verdict._replace(why=f"baseline {name}: {error.why}", evidence=seen)
    gain = better * (exact(found.value) - exact(value))
    # A baseline must be beaten: to be as good is not enough where no margin is asked for.
    good = gain >= exact(by) if by else gain > 0
    more = "more" if better > 0 else "less"
    wanted = f"at least {shown(by)} {more} is wanted" if by else "it must be better"
    ours, theirs = shown(found.value, value), shown(value, found.value)
    return verdict._replace(
        verdict="pass" if good else "fail",
        why=f"{found.key} {ours}, {name} has {theirs}: {wanted}",
        threshold=float(exact(value) + better * exact(by)),
        baseline=value,
        evidence={**found.evidence, **evidence},
    )


def _value(told: Any, context: Context) -> tuple[float, Mapping[str, str]]:
    if isinstance(told, str):
        other = find(context.subject, told)
    elif isinstance(told, Mapping):
        other = find(context.at(told["at"]), told["metric"])
    else:
        return told, {}
    return other.value, other.evidence
