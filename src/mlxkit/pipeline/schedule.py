"""Decides what may run at the same time. Pure."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.spec import Needs, Stage


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to share: `jobs` stages at once, cores, bytes of memory, GPUs."""

    jobs: int
    cpus: float
    memory: int
    gpus: float


def fits(wanted: Needs, running: Sequence[Needs], machine: Machine) -> bool:
    """Tell whether a stage may start beside those that run.

    A stage that asks for more than the machine has runs beside none that asks for the same.
    """
    if not running:
        return True
    if len(running) >= machine.jobs or wanted.exclusive or any(one.exclusive for one in running):
        return False
    together = [*running, wanted]
    return (
        _within(machine.cpus, wanted.cpus, sum(one.cpus for one in together))
        and _within(machine.memory, wanted.memory, sum(one.memory for one in together))
        and _within(machine.gpus, wanted.gpus, sum(one.gpus for one in together))
    )


def _within(limit: float, wanted: float, together: float) -> bool:
    return wanted == 0 or together <= limit


def blockers(order: Sequence[Stage], graph: Graph) -> dict[str, set[str]]:
    """Return, for each stage, the earlier ones in `order` that it must come after.

    These are its neighbours in the graph (also against the arrow: `-s b a` runs b first) and
    those that write a path which it writes too.
    """
    place = {stage.key: index for index, stage in enumerate(order)}
    found: dict[str, set[str]] = {}
    for stage in order:
        near = [*graph.needs[stage.key], *graph.feeds[stage.key]]
        found[stage.key] = {one for one in near if one in place and place[one] < place[stage.key]}
    for earlier, later in _same_path(order):
        found[later].add(earlier)
    return found


class Turns:
    """Stages whose turn it is to be judged: those that nothing blocks any more, in order."""

    def __init__(self, order: Sequence[Stage], blocked_by: Mapping[str, set[str]]) -> None:
        self._order = order
        self._place = {stage.key: index for index, stage in enumerate(order)}
        self._left = {key: len(found) for key, found in blocked_by.items()}
        self._frees: dict[str, list[str]] = {}
        for key, found in blocked_by.items():
            for one in found:
                self._frees.setdefault(one, []).append(key)
        # A heap; sorted it is one already.
        self._free = [index for index, stage in enumerate(order) if not self._left[stage.key]]

    def __bool__(self) -> bool:
        return bool(self._free)

    def next(self) -> Stage:
        """Take the first stage whose turn it is."""
        return self._order[heapq.heappop(self._free)]

    def settled(self, stage: Stage) -> None:
        """Say that the outcome of a stage is known."""
        for key in self._frees.pop(stage.key, ()):
            self._left[key] -= 1
            if not self._left[key]:
                heapq.heappush(self._free, self._place[key])


def _same_path(order: Sequence[Stage]) -> Iterable[tuple[str, str]]:
    """Yield pairs, in order, that write overlapping paths (DVC allows it in no graph of its own).

    Sorted by path, the folders that hold one are the open ones before it.
    """
    place = {stage.key: index for index, stage in enumerate(order)}
    outs = sorted((out.abs + "/", stage.key) for stage in order for out in stage.outs)
    above: list[tuple[str, str]] = []
    for path, key in outs:
        while above and not path.startswith(above[-1][0]):
            above.pop()
        for _, other in above:
            if other != key:
                yield (other, key) if place[other] < place[key] else (key, other)
        above.append((path, key))
