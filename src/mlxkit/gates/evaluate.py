"""A gate's rules, one after the other."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from mlxkit.gates.context import Context
from mlxkit.gates.verdict import Outcome, Unjudged, Verdict
from mlxkit.gates.when import why_skipped

Settings = Mapping[str, Any]
Rule = Mapping[str, Settings]
_NAMES = ("metric", "accuracy", "path", "model", "train")
"""Keys of a rule's settings that say what it is about, in the order in which they do."""


def evaluate(gate: str, rules: Sequence[Rule], context: Context) -> Outcome:
    """Return the verdicts of all rules; what a rule cannot decide fails, with the reason.

    Raises MlxError where there is nothing to judge yet: data that are not here, files that are
    not what is recorded.
    """
    of_gate = context._replace(gate=rules, name=gate)
    return Outcome(gate, [one for rule in rules for one in check(rule, of_gate)])


def check(rule: Rule, context: Context) -> list[Verdict]:
    """Return the verdicts of one rule; raises MlxError as `evaluate` does."""
    ((kind, settings),) = rule.items()
    what = str(next((settings[key] for key in _NAMES if settings.get(key)), "")).rpartition(":")[2]
    try:
        skipped = why_skipped(settings.get("when"), context)
        if skipped:
            return [Verdict(kind, "skipped", skipped, what)]
        found: list[Verdict] = import_module(f"mlxkit.gates.rules.{kind}").check(settings, context)
    except Unjudged as error:
        return [Verdict(kind, "fail", error.why, what, evidence=error.evidence)]
    if settings.get("against") is None:
        return found
    base = context.against(settings)
    return [
        one._replace(why=f"{one.why}; {base.name} is this very commit: nothing was compared")
        if context.is_itself(base, one.evidence)
        else one
        for one in found
    ]
