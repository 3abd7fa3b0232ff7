"""What a `repro` did to each stage, read from dvc's messages or from mlx's JSON."""

import re
from dataclasses import dataclass

from .commands import Result

RAN, RESTORED, UNCHANGED, FAILED = "ran", "restored", "unchanged", "failed"

_MESSAGES = [
    (RAN, re.compile(r"^Running stage '(.+)':$")),
    (RAN, re.compile(r"^Verifying (?:data sources|outputs) in (?:frozen )?stage: '(.+)'$")),
    (RESTORED, re.compile(r"^Stage '(.+)' is cached - skipping run, checking out outputs$")),
    (UNCHANGED, re.compile(r"^(?:Stage )?'(.+)' didn't change, skipping$")),
]


@dataclass(frozen=True)
class Outcome:
    """The outcome of each stage in the order in which the tool names them."""

    stages: tuple[tuple[str, str], ...]
    result: Result

    @property
    def code(self) -> int:
        """The exit code."""
        return self.result.code

    @property
    def order(self) -> list[str]:
        """All stages looked at."""
        return [name for name, _ in self.stages]

    def only(self, *outcomes: str) -> set[str]:
        """The stages with one of these outcomes."""
        return {name for name, outcome in self.stages if outcome in outcomes}

    @property
    def work(self) -> set[tuple[str, str]]:
        """The stages that ran or were restored, each with which."""
        return {pair for pair in self.stages if pair[1] in (RAN, RESTORED)}


def of_dvc(result: Result) -> Outcome:
    """Read what `dvc repro` printed; in a dry run the first message about a stage counts."""
    stages: dict[str, str] = {}
    for line in result.stdout.splitlines():
        for outcome, message in _MESSAGES:
            if found := message.match(line):
                stages.setdefault(found[1], outcome)
    return Outcome(tuple(stages.items()), result)


def of_mlx(result: Result) -> Outcome:
    """Read the JSON of `mlx repro`; no stages where it could not begin."""
    document = result.json
    if result.code and "error" in document:
        return Outcome((), result)
    assert "stages" in document, str(result)
    pairs = tuple((entry["stage"], entry["outcome"]) for entry in document["stages"])
    return Outcome(pairs, result)
