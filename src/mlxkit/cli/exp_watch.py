"""`mlx exp show --watch`: experiments while they run; on a terminal in place, else line by line."""

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from mlxkit.cli import terminal
from mlxkit.cli.curves import curve_lines, value_text
from mlxkit.cli.exp_run_show import value_labels
from mlxkit.cli.terminal import printable, styled
from mlxkit.core.interrupts import uninterrupted
from mlxkit.experiments.watching import Experiments, Running
from mlxkit.live.series import order, plain_name
from mlxkit.metrics.preferences import Preference, load_preferences, preference_of
from mlxkit.pipeline.session import Session

_EVERY = 0.3
_INDENT = 4
_MOST_LINES = 3


def watch(session: Session, *, as_json: bool) -> bool:
    """Show what runs until nothing does; tell whether anything ran. Raises KeyboardInterrupt."""
    experiments = Experiments(session.root, session.declared)
    known = load_preferences(session.root)
    if as_json or not terminal.is_live(sys.stdout):
        return _follow(experiments, known, as_json=as_json)
    screen = _Screen(known)
    try:
        while experiments.at_work():
            screen.draw(experiments.look(), time.time())
            time.sleep(_EVERY)
    finally:
        screen.erase()
    return screen.drawn_once


def _follow(experiments: Experiments, known: Mapping[str, Preference], *, as_json: bool) -> bool:
    """Write a line each time that an experiment says something new."""
    said: dict[str, Any] = {}
    while experiments.at_work():
        for one in experiments.look():
            told = document(one)
            if not one.series and one.name in said:
                continue  # it is ready, and its place is being removed
            if repr(said.get(one.name)) != repr(told):  # NaN is not equal to itself
                said[one.name] = told
                text = json.dumps(told, default=str) if as_json else _line(one, known)
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
        time.sleep(_EVERY)
    return bool(said)


def document(one: Running) -> dict[str, Any]:
    """Return an experiment that runs, for other programs; numbers that JSON lacks are texts."""
    return {
        "name": one.name,
        "params": one.values,
        "stages": list(one.stages),
        "metrics": {metric.name: _plain(metric.value) for metric in one.series},
    }


def _plain(value: float | str) -> float | str:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _line(one: Running, known: Mapping[str, Preference]) -> str:
    shown = [
        f"{printable(metric.name)}="
        + value_text(metric.value, preference_of(plain_name(metric.name), known))
        for metric in order(one.series, known)
    ]
    return "  ".join([one.name, _doing(one), *shown])


def _doing(one: Running) -> str:
    if not one.began:
        return "getting ready"
    return printable(", ".join(one.stages)) or "-"


def _cut(line: str, width: int) -> str:
    return set_cell_size(line, width) if cell_len(line) > width else line


class _Screen:
    """The lower part of a terminal, drawn again and again."""

    def __init__(self, known: Mapping[str, Preference]) -> None:
        self._known = known
        self._lines = 0
        self.drawn_once = False

    def draw(self, running: Sequence[Running], now: float) -> None:
        width = terminal.width(sys.stdout) - 1
        shown = [_cut(line, width) for line in self._block(running, width, now)]
        count = f"{terminal.counted(len(running), 'experiment')} running"
        text = "".join(f"{line}\n" for line in shown) + styled(count, "dim") + "\n"
        with uninterrupted():  # a half of it could not be erased
            self.erase()
            sys.stdout.write(text)
            sys.stdout.flush()
            self._lines = len(shown) + 1
        self.drawn_once = self.drawn_once or bool(running)

    def erase(self) -> None:
        if self._lines:
            sys.stdout.write(f"\r\033[{self._lines}A\033[J")
            sys.stdout.flush()
            self._lines = 0

    def _block(self, running: Sequence[Running], width: int, now: float) -> list[str]:
        height = terminal.height(sys.stdout) - 2
        room = max(0, height // max(1, len(running)) - 1)
        longest = max((len(one.name) for one in running), default=0)
        labels = value_labels([one.values for one in running])
        lines = []
        for one, label in zip(running, labels, strict=True):
            took = terminal.duration(max(0.0, now - one.began)) if one.began else ""
            lines.append(f"{one.name:<{longest}} {took:>9}  {label}  {_doing(one)}")
            drawn = curve_lines(
                one.series,
                self._known,
                width=width - _INDENT,
                lines=min(_MOST_LINES, room),
                stream=sys.stdout,
            )
            lines += [" " * _INDENT + text for text in drawn]
        return lines[:height]
