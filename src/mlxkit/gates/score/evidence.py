"""What a score is made of, as plain data: nothing of it is anybody's word."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Kept(NamedTuple):
    """A rule that passed in a gate's newest kept verdict at the commit, with its settings."""

    gate: str
    kind: str
    settings: Mapping[str, Any]
    parts: frozenset[str] = frozenset()
    """What of it was judged, as its verdicts say."""


class Workflow(NamedTuple):
    """What the workflows at the commit run; each names the file that does.

    `gates` is by the gate's name, with `*` for all of them.
    """

    gates: Mapping[str, str] = {}
    repro: str = ""
    tests: str = ""
    sweeps: str = ""
    deploys: str = ""

    def runs(self, command: str) -> bool:
        """Tell whether one runs a command of those that count."""
        known = {"mlx gate": self.gates, "mlx repro": self.repro, "mlx exp run": self.sweeps,
                 "mlx model fetch": self.deploys}  # fmt: skip
        return bool(known.get(command))

    def judges(self, gate: str) -> str:
        """Return the file that judges a gate, empty without one."""
        return self.gates.get(gate) or self.gates.get("*", "")


class Evidence(NamedTuple):
    """All of it."""

    commit: str
    kept: Sequence[Kept] = ()
    workflow: Workflow = Workflow()
    whole_run: bool = False
    """Whether a run record tells how each stage's outputs were made."""
    experiments: int = 0
    tested: bool = False
    """Whether a test file names each Python file that stages depend on."""
    stages_promoted_to: Mapping[str, int] = {}
    """By model, the number of different stages of its tags."""
    rolled_back: bool = False


class Found(NamedTuple):
    """Points of one test, 0, 0.5 or 1, and what they are for."""

    points: float
    why: str = ""
