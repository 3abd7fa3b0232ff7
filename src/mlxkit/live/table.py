"""A table that grows: the rows of a CSV or TSV file that were written since it was last read."""

import csv
import os
from typing import IO

from mlxkit.live.history import History

CHUNK = 1 << 18
"""As much is read at once; of a longer piece, its end."""
_KNOWN = 64
"""So many bytes before the place where reading goes on must still be what they were."""
STEPS = frozenset(
    {"step", "steps", "global_step", "epoch", "epochs", "iter", "iters", "iteration", "iterations"}
    | {"batch", "round", "rounds", "tree", "trees", "time", "timestamp", "date", "index"}
)
"""Names that count or date the rows."""


class Table:
    """The columns of numbers in one file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._start_anew()

    def _start_anew(self, identity: tuple[int, int] | None = None) -> None:
        self._identity = identity
        self._offset = 0
        self._known = b""
        self._header: list[str] = []
        self._columns: dict[str, History] = {}
        self._last: dict[str, float] = {}
        self._counter: float | None = None  # the last value of the first column
        self._rising = True

    def look(self) -> None:
        """Read the lines that are new; a last one without an end is left for the next time."""
        with open(self._path, "rb") as file:
            stat = os.fstat(file.fileno())
            identity = (stat.st_dev, stat.st_ino)
            if identity != self._identity or not self._goes_on(file, stat.st_size):
                self._start_anew(identity)
            if not self._header and not self._read_header(file):
                return
            self._read_rows(file, stat.st_size)

    def series(self) -> dict[str, tuple[float, History]]:
        """Return the newest value and the history of each column, where rows are steps."""
        if not self._counted():
            return {}
        return {name: (self._last[name], one) for name, one in self._columns.items()}

    def _goes_on(self, file: IO[bytes], size: int) -> bool:
        """Tell whether what was read is still there: a rewritten file may be no shorter."""
        if size < self._offset:
            return False
        file.seek(self._offset - len(self._known))
        return file.read(len(self._known)) == self._known

    def _read_header(self, file: IO[bytes]) -> bool:
        file.seek(0)
        line = file.readline(CHUNK)
        if not line.endswith(b"\n"):
            return False
        self._header = self._cells(line)
        self._advance(len(line), line)
        return True

    def _read_rows(self, file: IO[bytes], size: int) -> None:
        start, cut = self._offset, False
        if size - start > CHUNK:
            start, cut = size - CHUNK, True
        file.seek(start)
        data = file.read(CHUNK)
        begin = data.find(b"\n") + 1 if cut else 0
        end = data.rfind(b"\n") + 1
        if end <= begin:
            return
        for line in data[begin:end].splitlines():
            self._take(self._cells(line))
        self._advance(start + end, data[:end])

    def _advance(self, offset: int, data: bytes) -> None:
        self._offset, self._known = offset, data[-_KNOWN:]

    def _cells(self, line: bytes) -> list[str]:
        text = line.decode("utf-8", "replace").strip("\r\n").removeprefix("\ufeff")
        delimiter = "\t" if self._path.lower().endswith(".tsv") else ","
        try:
            return next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:  # a cell of more than 128 kB
            return []

    def _take(self, cells: list[str]) -> None:
        if len(cells) != len(self._header):
            return
        for place, (name, cell) in enumerate(zip(self._header, cells, strict=True)):
            value = number(cell)
            if place == 0:
                self._count(value)
            if value is not None and not is_step(name):
                self._columns.setdefault(name, History()).add(value)
                self._last[name] = value

    def _count(self, value: float | None) -> None:
        before, self._counter = self._counter, value
        whole = value is not None and value.is_integer()
        if not whole or (before is not None and value is not None and value <= before):
            self._rising = False

    def _counted(self) -> bool:
        """Tell whether rows are steps: a column says so by its name, or the first one counts."""
        if any(is_step(name) for name in self._header):
            return True
        if self._rising and self._header:
            self._columns.pop(self._header[0], None)
        return self._rising


def is_step(name: str) -> bool:
    """Tell whether a name is that of a counter or a time; an index often has none."""
    return not name.strip() or name.strip().lower() in STEPS


def number(value: object) -> float | None:
    """Return a number as a float, one that is too large as infinite; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if str(value)[0] != "-" else float("-inf")
    except ValueError:
        return None
