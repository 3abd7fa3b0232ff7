"""A gate's rules, one after the other."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from mlxkit.gates.bench import Bench
from mlxkit.gates.occasion import why_skipped
from mlxkit.gates.verdict import Outcome, Unjudged, Verdict

Settings = Mapping[str, Any]
Rule = Mapping[str, Settings]
_NAMES = ("metric", "accuracy", "path", "model", "train")
"""Keys of a rule's settings that say what it is about, in the order in which they do."""


def evaluate(gate: str, rules: Sequence[Rule], bench: Bench) -> Outcome:
    """Return the verdicts of all rules; what a rule cannot decide fails, with the reason.

    Raises MlxError where there is nothing to judge yet: data that are not here, files that are
    not what is recorded.
    """
    of_gate = bench._replace(gate=rules, name=gate)
    return Outcome(gate, [one for rule in rules for one in check(rule, of_gate)])


def check(rule: Rule, bench: Bench) -> list[Verdict]:
    """Return the verdicts of one rule; raises MlxError as `evaluate` does."""
    ((kind, settings),) = rule.items()
    what = str(next((settings[key] for key in _NAMES if settings.get(key)), "")).rpartition(":")[2]
    try:
        skipped = why_skipped(settings.get("when"), bench)
        if skipped:
            return [Verdict(kind, "skipped", skipped, what)]
        found: list[Verdict] = import_module(f"mlxkit.gates.rules.{kind}").check(settings, bench)
    except Unjudged as error:
        return [Verdict(kind, "fail", error.why, what, evidence=error.evidence)]
    return found
