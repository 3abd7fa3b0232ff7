"""What became of each stage of a run so far, and what follows from it for those behind."""

import os
from collections.abc import Callable, Sequence

from mlxkit.pipeline import records
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.result import FAILED, NOT_REACHED, RAN, RESTORED, Observer, Result
from mlxkit.pipeline.spec import Stage


class Outcomes:
    """The results of one run, told to its observer and kept for `status` as they come."""

    def __init__(
        self,
        root: str,
        graph: Graph,
        options: Options,
        observer: Observer,
        on_settled: Callable[[Stage], None],
    ) -> None:
        self.halted = False
        """Whether a stage failed after which no other is to start."""
        self._root = root
        self._graph = graph
        self._options = options
        self._observer = observer
        self._on_settled = on_settled
        self._results: dict[str, Result] = {}
        self._forced: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._results)

    def settle(self, result: Result) -> None:
        """Take note of what became of a stage."""
        self._results[result.stage.key] = result
        self._on_settled(result.stage)
        if result.outcome in (RAN, RESTORED, FAILED) and not self._options.dry:
            records.save(self._root, result)
        if result.outcome == FAILED and self._options.on_error == "fail":
            self.halted = True
        self._observer.ended(result)

    def changed(self, stage: Stage) -> None:
        """Under --force-downstream, force what comes after a stage that made something."""
        if self._options.force_downstream:
            for key in self._graph.feeds[stage.key]:
                self._forced.setdefault(key, stage.address(os.getcwd()))

    def forced_by(self, stage: Stage) -> str | None:
        """Name the upstream stage that forces this one, None where none does."""
        return self._forced.get(stage.key)

    def is_forced(self, stage: Stage) -> bool:
        """Tell whether a stage must run though its result may be known."""
        return self._options.force or stage.key in self._forced

    def lacks_upstream(self, stage: Stage) -> bool:
        """Tell whether a stage cannot run because one before it did not succeed."""
        if self._options.on_error == "ignore":
            return False
        return any(one.outcome in (FAILED, NOT_REACHED) for one in self._upstream(stage))

    def would_change(self, stage: Stage) -> str | None:
        """In a dry run, name an upstream stage that would run."""
        if not self._options.dry:
            return None
        changed = (one for one in self._upstream(stage) if one.outcome in (RAN, RESTORED))
        first = next(changed, None)
        return first.stage.address(os.getcwd()) if first is not None else None

    def all(self, order: Sequence[Stage]) -> list[Result]:
        """Return the results of all stages; those never begun were not reached."""
        for stage in order:
            if stage.key not in self._results:
                self.settle(Result(stage, NOT_REACHED))
        return [self._results[stage.key] for stage in order]

    def _upstream(self, stage: Stage) -> list[Result]:
        near = self._graph.needs[stage.key]
        return [self._results[key] for key in near if key in self._results]
