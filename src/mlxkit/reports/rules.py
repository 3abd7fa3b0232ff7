"""What became of the gates' rules: a change that passes may have changed what passes (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.reports.changes import RuleChange, Rules

ABOUT = ("file", "path", "model", "train", "metric", "accuracy")
"""Settings that say what a rule is about; a rule with another one is another rule."""

_Rule = Mapping[str, Mapping[str, Any]]


def rule_changes(old: Rules, new: Rules) -> list[RuleChange]:
    """Return the rules that are gone, those that say something else, and the new ones."""
    found = [
        one
        for gate in dict.fromkeys([*new, *old])
        for one in _changes(gate, old.get(gate, ()), new.get(gate, ()))
    ]
    return sorted(found, key=lambda one: (one.new is not None, one.old is None))


def _changes(gate: str, old: Sequence[_Rule], new: Sequence[_Rule]) -> list[RuleChange]:
    before = [one for one in old if one not in new]
    found = []
    for rule in new:
        if rule in old:
            continue
        kind, about, settings = _named(rule)
        earlier = next((one for one in before if _named(one)[:2] == (kind, about)), None)
        if earlier is not None:
            before.remove(earlier)
        found.append(RuleChange(gate, kind, about, earlier and earlier[kind], settings))
    return found + [RuleChange(gate, *_named(one), None) for one in before]


def _named(rule: _Rule) -> tuple[str, str, Mapping[str, Any]]:
    ((kind, settings),) = rule.items()
    about = [settings[key] for key in ABOUT if isinstance(settings.get(key), str)]
    return kind, ":".join(about), settings
