"""Values as they came, however many: old ones are averaged to keep memory small."""

from collections.abc import Iterable, Iterator

from mlxkit.live.spark import mean

LIMIT = 512


class History:
    """All values, oldest first, as at most `LIMIT` points."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._points: list[float] = []
        self._newest: list[float] = []  # not yet one point: fewer values than a point stands for
        self._each = 1
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        self._newest.append(value)
        if len(self._newest) < self._each:
            return
        self._points.append(mean(self._newest))
        self._newest = []
        if len(self._points) == LIMIT:
            self._points = [mean(self._points[at : at + 2]) for at in range(0, LIMIT, 2)]
            self._each *= 2

    def points(self) -> tuple[float, ...]:
        return (*self._points, *([mean(self._newest)] if self._newest else []))

    def __iter__(self) -> Iterator[float]:
        return iter(self.points())
