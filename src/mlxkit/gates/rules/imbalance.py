"""`imbalance: {accuracy, majority, by}`: accuracy says little where one class is frequent."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context, find
from mlxkit.gates.verdict import Verdict, exact, shown

_RULES = ("threshold", "base", "baseline", "slices", "seeds", "noise")


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold accuracy to the majority's share, and the gate to another metric; raises Unjudged."""
    accuracy = find(context.subject, settings["accuracy"])
    majority = find(context.subject, settings["majority"])
    gain = exact(accuracy.value) - exact(majority.value)
    by = settings["by"]
    good = gain >= exact(by) if by else gain > 0
    a, b = shown(accuracy.value, majority.value), shown(majority.value, accuracy.value)
    wanted = f"at least {shown(by)} more is wanted" if by else "it must be more"
    beats = Verdict(
        "imbalance", "pass" if good else "fail",
        f"accuracy {a}, the largest class has {b}: {wanted}",
        accuracy.key, accuracy.value, float(exact(majority.value) + exact(by)), majority.value,
        evidence={**accuracy.evidence, **majority.evidence},
    )  # fmt: skip
    return [beats, _not_alone(accuracy.key, majority.key, context)]


def _not_alone(accuracy: str, majority: str, context: Context) -> Verdict:
    """Fail a gate that asks for nothing but accuracy."""
    # Accuracy is no other metric because it is that of another file, or nested otherwise.
    same = (_last(accuracy), _last(majority))
    others = sorted(
        {
            key
            for rule in context.gate
            for kind, settings in rule.items()
            if kind in _RULES and _last(key := settings["metric"].rpartition(":")[2]) not in same
        }
    )
    if others:
        why = f"accuracy is not the only metric: {', '.join(others)}"
        return Verdict("imbalance", "pass", why, "other metrics")
    why = "accuracy is the only metric that this gate judges: add a rule for another"
    return Verdict("imbalance", "fail", why, "other metrics")


def _last(key: str) -> str:
    return key.rpartition(".")[2]
