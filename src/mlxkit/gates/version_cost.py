"""What it cost to make a version: the runs on record that made just what its lock records."""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from mlxkit.comparison.source import Source
from mlxkit.gates.context import Context, Subject
from mlxkit.gates.verdict import Unjudged
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage
from mlxkit.runs.choose import project_records
from mlxkit.runs.cost import Cost, cost_of
from mlxkit.runs.record import SHOWN, Record, plain

_NO_RUN = ("restored", "committed", "rebuild", "failed")


class Spent(NamedTuple):
    """What the stages of a version cost, and the locks that say which runs made it."""

    by_stage: Mapping[str, float]
    evidence: Mapping[str, str]

    @property
    def total(self) -> float:
        """What all of them cost."""
        return sum(self.by_stage.values())


class Ledger:
    """The runs of a project, by what they made of what."""

    def __init__(self, context: Context) -> None:
        """Read the runs; raises Unjudged where there can be none, MlxError."""
        session = context.session
        if session is None or session.git_root is None:
            raise Unjudged("without Git no runs are on record")
        self._session, self._top = session, session.git_root
        self._prices = context.prices
        self._made: dict[Any, tuple[str, Record]] = {}
        for name, record in project_records(session.root, session.git_root).items():
            if record.outcome not in _NO_RUN:
                self._made[_of_record(record, self._top)] = (name, record)

    def spent(self, subject: Subject, patterns: Sequence[str] | None, measure: str) -> Spent:
        """Return what the stages of a revision cost; raises Unjudged for one without a run."""
        source = _source(self._session, subject)
        found: dict[str, float] = {}
        locks: dict[str, str] = {}
        for stage, recorded in source.declares.stages:
            name = stage.address(self._session.root)
            if stage.cmd is None or not _fits(name, patterns):
                continue
            found[name] = self._cost(subject, stage, recorded, measure)
            lock = os.path.splitext(source.relative(stage.file))[0] + ".lock"
            locks[subject.key(lock)] = subject.data(lock).md5
        missing = [one for one in patterns or () if not any(_fits(name, [one]) for name in found)]
        if missing or not found:
            raise Unjudged(f"{subject.name} has no stage {missing[0] if missing else 'with a cmd'}")
        return Spent(found, locks)

    def _cost(
        self, subject: Subject, stage: Stage, recorded: Mapping[str, Any], measure: str
    ) -> float:
        name = stage.address(self._session.root)
        if not recorded["outs"] and any(True for _ in stage.outs):
            raise Unjudged(f"nothing is recorded of stage {name} in {subject.name}: mlx repro")
        known = self._made.get(_of_lock(name, stage, recorded, self._top))
        if known is None:
            raise Unjudged(
                f"no run is on record that made stage {name} as in {subject.name}: "
                f"mlx fetch brings what others ran, mlx repro -f -s {name} runs it again"
            )
        run, record = known
        if measure == "price" and not any((self._prices or ("",))[1:]):
            raise Unjudged("mlx.yaml has no prices: add cost")
        value = measured(cost_of(record, self._prices), measure)
        if value is None:
            raise Unjudged(f"run {run[:SHOWN]} of stage {name} has no {measure} on record")
        return value


def measured(cost: Cost, measure: str) -> float | None:
    """Return what a run cost by a measure, None where nobody measured it.

    A price is of what is known, so that of an unmeasured run is 0; and no run takes no time.
    """
    unknown = cost.unmeasured if measure == "price" else measure == "seconds" and not cost.seconds
    value = None if unknown else getattr(cost, measure)
    return None if value is None else float(value)


def _source(session: Session, subject: Subject) -> Source:
    from mlxkit.comparison.states import WORKSPACE, States

    return States(session).source(subject.commit or WORKSPACE)


def _fits(name: str, patterns: Sequence[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(name, one) for one in patterns)


def _of_record(record: Record, top: str) -> Any:
    params = {_full(path, top): values for path, values in record.params.items()}
    return (
        (record.stage, repr(record.cmd)),
        frozenset((_full(one.path, top), one.md5) for one in record.deps),
        frozenset((_full(one.path, top), one.md5) for one in record.outs),
        repr(_sorted(params)),
    )


def _of_lock(name: str, stage: Stage, recorded: Mapping[str, Any], top: str) -> Any:
    sides = [
        frozenset((_full(path, stage.wdir), item.get("md5")) for path, item in each.items())
        for each in (recorded["deps"], recorded["outs"])
    ]
    params = {_full(path, stage.wdir): plain(one) for path, one in recorded["params"].items()}
    return ((name, repr(plain(stage.cmd))), *sides, repr(_sorted(params)))


def _full(path: str, folder: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(folder, path))


def _sorted(value: Any) -> Any:
    """Return a value whose text does not depend on the order of keys."""
    if isinstance(value, Mapping):
        return sorted((key, _sorted(item)) for key, item in value.items())
    return [_sorted(one) for one in value] if isinstance(value, (list, tuple)) else value
