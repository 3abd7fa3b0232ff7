"""How a search is shown: as a sweep is, each experiment with its metric behind it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlxkit.cli.exp_run_live import Live
from mlxkit.cli.exp_run_show import Lines, Silent, View
from mlxkit.cli.terminal import printable

if TYPE_CHECKING:
    from mlxkit.experiments.sweepdir import Outcome, Plan, Run

Tell = Callable[["Plan", "Run", "Outcome"], str]
"""Takes the end of a run, and says its metric."""
_USUAL_NAME = 14


class Search(View):
    """A view of many small sweeps that are one search; what ends is told on."""

    def __init__(self, tell: Tell, **how: Any) -> None:
        super().__init__(**how)
        self._tell = tell
        self.to_go = 0
        self.seen: set[str] = set()
        self.said = ""

    def planned(self, plan: "Plan", jobs: int) -> None:
        super().planned(plan, jobs)
        self._plan = plan
        self.width = max(self.width, _USUAL_NAME)

    def ended(self, run: "Run", outcome: "Outcome") -> None:
        self.seen.add(run.name)
        self.said = printable(self._tell(self._plan, run, outcome))
        super().ended(run, outcome)


class _Lines(Search, Lines):
    def announce(self, plan: "Plan", jobs: int) -> None:
        pass

    def _line(self, run: "Run", outcome: "Outcome") -> str:
        return f"{super()._line(run, outcome)}  {self.said}".rstrip()


class _Live(_Lines, Live):
    def planned(self, plan: "Plan", jobs: int) -> None:
        super().planned(plan, jobs)
        self._left = self.to_go


class _Silent(Search, Silent):
    pass


def search_view(view: View, tell: Tell, metric: str) -> Search:
    """Return a view like `view` for a search that goes by `metric`."""
    if isinstance(view, Live):
        return _Live(tell, look=view.look, known=view.known, main=metric)
    return _Lines(tell, verbose=view.verbose) if isinstance(view, Lines) else _Silent(tell)
