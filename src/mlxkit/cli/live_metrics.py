"""The metrics of running stages, below their lines in the live view."""

import sys
import threading
import time
from contextlib import suppress

from mlxkit.cli.curves import curve_lines
from mlxkit.core.errors import ProjectError
from mlxkit.live.series import Series, Watch
from mlxkit.live.watched import sources
from mlxkit.metrics.preferences import Preference, load_preferences
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage

EVERY = 0.3
"""Seconds between two looks at the files of a stage."""
_INDENT = 4
_MOST_LINES = 3


class LiveMetrics:
    """What the files of each running stage say, looked at a few times a second."""

    def __init__(self, session: Session) -> None:
        self._declared = session.declared
        self._known: dict[str, Preference] = {}
        with suppress(ProjectError, OSError):  # not what this command is about
            self._known = load_preferences(session.root)
        self._watched: dict[str, _Watched] = {}

    def started(self, name: str, stage: Stage) -> None:
        """Watch the stage from now on; files that are there already are not its own."""
        found = sources(stage, self._declared)
        self._watched[name] = _Watched(Watch(found))

    def lines(self, name: str, running: int, width: int, height: int) -> list[str]:
        """Return the lines below a running stage's."""
        watched = self._watched.get(name)
        if watched is None:
            return []
        # Whatever runs must stay visible: a live view is cut at the terminal's lower edge.
        room = max(0, (height - 2) // running - 1)
        return self._drawn(watched.recent(), width, min(_MOST_LINES, room))

    def ended(self, name: str, width: int, height: int, *, written: bool) -> list[str]:
        """Return what stays of a stage's metrics: curves, if there are any, in a line.

        `written`: its files are as it left them; after a failure they have been put away.
        """
        watched = self._watched.pop(name, None)
        if watched is None:
            return []
        curves = [one for one in (watched.now() if written else watched.seen) if one.moves]
        return self._drawn(curves, width, 1)

    def _drawn(self, series: list[Series], width: int, lines: int) -> list[str]:
        drawn = curve_lines(
            series, self._known, width=width - _INDENT, lines=lines, stream=sys.stderr
        )
        return [" " * _INDENT + one for one in drawn]


class _Watched:
    """The files of one stage; the view is drawn in a thread, the run's end told in another."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._looked = 0.0
        self._lock = threading.Lock()
        self.seen: list[Series] = []

    def recent(self) -> list[Series]:
        with self._lock:
            if time.monotonic() - self._looked >= EVERY:
                self._look()
            return self.seen

    def now(self) -> list[Series]:
        with self._lock:
            self._look()
            return self.seen

    def _look(self) -> None:
        self.seen = self._watch.look()
        self._looked = time.monotonic()
