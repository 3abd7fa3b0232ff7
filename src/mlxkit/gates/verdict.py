"""What a rule says, with the figures that led to it, as plain data."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Word = Literal["pass", "fail", "inconclusive", "skipped"]


class Verdict(NamedTuple):
    """One rule's answer about one thing (`what`).

    `value` was held to `threshold`, or to `baseline` with the threshold in between. `evidence` has
    the md5 of each file that was read, by `REV:path`, or by path where it is what is judged.
    `figures` are numbers that `--explain` draws. An inconclusive one counts as failed unless
    `accepted`.
    """

    rule: str
    verdict: Word
    why: str
    what: str = ""
    value: float | None = None
    threshold: float | None = None
    baseline: float | None = None
    figures: Mapping[str, float] = {}
    evidence: Mapping[str, str] = {}
    accepted: bool = False

    @property
    def passes(self) -> bool:
        """Tell whether a gate may pass with it."""
        return self.verdict in ("pass", "skipped") or (
            self.verdict == "inconclusive" and self.accepted
        )


class Outcome(NamedTuple):
    """A gate's verdicts, in the order of its rules."""

    gate: str
    verdicts: Sequence[Verdict]

    @property
    def passed(self) -> bool:
        """Tell whether every rule lets it pass; a gate without verdicts does not."""
        return bool(self.verdicts) and all(one.passes for one in self.verdicts)


class Unjudged(Exception):
    """Something that a rule needs is missing or is not what it must be: the rule fails.

    `evidence` has what was read of it.
    """

    def __init__(self, why: str, evidence: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.evidence = dict(evidence or {})


def document(gate: str, one: Verdict) -> dict[str, Any]:
    """Return a verdict as plain JSON."""
    told = one._asdict()
    return {
        "gate": gate,
        **told,
        "figures": dict(one.figures),
        "evidence": dict(one.evidence),
    }


def exact(value: float) -> Decimal:
    """Return a number as it is written, so that 0.3 - 0.2 is 0.1: ties are ties."""
    return Decimal(repr(value))


def shown(value: float, beside: float | None = None) -> str:
    """Return a number for people; in full where it would look the same as the one `beside`."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    brief = f"{value:.6g}"
    if beside is not None and beside != value and brief == f"{beside:.6g}":
        return repr(value)
    return brief


def finite(value: Any) -> str:
    """Say why a value is no number that can be judged; empty where it is one."""
    if isinstance(value, bool):
        return f"is no number but {str(value).lower()}"
    if isinstance(value, str):
        return f"is no number but a text: {value[:40]!r}"
    if value is None:
        return "is no number but empty"
    if not isinstance(value, (int, float)):
        groups = "a group" if isinstance(value, Mapping) else str(value)[:40]
        return f"is no number but {'a list' if isinstance(value, (list, tuple)) else groups}"
    try:
        number = float(value)
    except OverflowError:
        return "is too large a number"
    if math.isnan(number):
        return "is NaN"
    return "is infinite" if math.isinf(number) else ""
