"""Draws verdicts: a line for each gate, below it what failed, what is unclear and what passed."""

import sys
import textwrap
from collections.abc import Sequence

from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable
from mlxkit.gates.override import Override
from mlxkit.gates.verdict import Outcome, Verdict, shown

_MARKS = {
    "fail": ("✗", "red"),
    "inconclusive": ("?", "yellow"),
    "pass": ("✓", "green"),
    "skipped": ("-", "dim"),
}
_WORDS = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive", "skipped": "skipped"}
_WIDEST = 60
"""How many characters the bar of `--explain` may have."""


def show(outcomes: Sequence[Outcome], overrides: Sequence[Override], *, explain: bool) -> None:
    """Print all verdicts."""
    through = {one.gate: one for one in overrides}
    for outcome in outcomes:
        _show_gate(outcome)
        for one in sorted(outcome.verdicts, key=lambda one: list(_MARKS).index(one.verdict)):
            _show_verdict(one, _widest(outcome), explain=explain)
        if outcome.gate in through:
            told = through[outcome.gate]
            doubt = f" (does not count: {told.doubt})" if told.doubt else ""
            _wrapped(
                f"let through by {told.name} on {told.when[:10]}: {told.reason}{doubt}", "  ! "
            )


def _show_gate(outcome: Outcome) -> None:
    counts = [
        f"{number} {_WORDS[word]}"
        for word in ("pass", "fail", "inconclusive", "skipped")
        if (number := sum(one.verdict == word for one in outcome.verdicts))
    ]
    word, style = ("passed", "green") if outcome.passed else ("failed", "red")
    if all(one.verdict == "skipped" for one in outcome.verdicts):
        word, style = "no rule applies", "dim"
    name = terminal.styled(printable(outcome.gate), "bold")
    terminal.write(f"{name}: {terminal.styled(word, style)} ({', '.join(counts)})")


def _show_verdict(one: Verdict, widest: int, *, explain: bool) -> None:
    mark, style = _MARKS[one.verdict]
    _wrapped(one.why, f"  {mark} {one.rule.ljust(widest)}  ", style)
    if not explain:
        return
    space = " " * (widest + 6)
    numbers = [("value", one.value), ("threshold", one.threshold), ("baseline", one.baseline)]
    told = [f"{name} {shown(value)}" for name, value in numbers if value is not None]
    if told:
        _wrapped(", ".join(told), space)
    _show_figures(one, space)
    for place, md5 in one.evidence.items():
        commit, _, path = place.rpartition(":")
        _wrapped(f"{md5[:12]}  {commit[:12] + ':' if commit else ''}{path}", space)


def _show_figures(one: Verdict, space: str) -> None:
    """Draw each figure as a bar, as long as its part of the largest."""
    if not one.figures:
        return
    largest = max(abs(value) for value in one.figures.values())
    longest = max(len(printable(name)) for name in one.figures)
    room = max(0, min(_WIDEST, terminal.width(sys.stdout) - len(space) - longest - 14))
    for name, value in one.figures.items():
        length = round(abs(value) / largest * room) if largest else 0
        bar = "█" * length if value >= 0 else "▒" * length
        line = f"{space}{printable(name).ljust(longest)}  {shown(value):>10}  {bar}"
        terminal.write(line.rstrip())


def _widest(outcome: Outcome) -> int:
    return max((len(one.rule) for one in outcome.verdicts), default=0)


def _wrapped(text: str, start: str, style: str = "") -> None:
    """Print a text behind its start, further lines below the text."""
    columns = terminal.width(sys.stdout) if sys.stdout.isatty() else 10_000
    lines = textwrap.wrap(
        printable(text), max(columns - len(start), 20), break_on_hyphens=False
    ) or [""]
    terminal.write(_coloured(start, style) + lines[0])
    for line in lines[1:]:
        terminal.write(" " * len(start) + line)


def _coloured(start: str, style: str) -> str:
    """Colour the mark, the third character."""
    return f"{start[:2]}{terminal.styled(start[2], style)}{start[3:]}" if style else start
