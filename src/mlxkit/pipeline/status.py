"""What a reader sees of the pipeline: which stages are stale, and which data changed."""

from typing import NamedTuple

from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.rundir import running_stages
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage, entry_items

FRESH = "fresh"
STALE = "stale"
RUNNING = "running"


class StageStatus(NamedTuple):
    """The state of one stage; `since` is when a running one began, in seconds since 1970."""

    stage: Stage
    state: str
    reasons: tuple[Reason, ...]
    since: float | None = None


class DataStatus(NamedTuple):
    """Data behind a `.dvc` file that is not as the file records it."""

    stage: Stage
    path: str
    state: str


class Status(NamedTuple):
    """The stages asked for, in DVC's order, and their changed data."""

    stages: tuple[StageStatus, ...]
    data: tuple[DataStatus, ...]
    sources: tuple[Stage, ...] = ()
    """The `.dvc` files that were looked at."""

    @property
    def clean(self) -> bool:
        return not self.data and all(one.state == FRESH for one in self.stages)

    def of(self, chosen: list[Stage]) -> "Status":
        """Return only what concerns the stages chosen."""
        keys = {stage.key for stage in chosen}
        return Status(
            tuple(one for one in self.stages if one.stage.key in keys),
            tuple(one for one in self.data if one.stage.key in keys),
            tuple(one for one in self.sources if one.key in keys),
        )


def find_status(session: Session, order: list[Stage]) -> Status:
    """Compare the working tree with what is recorded; takes no lock, changes nothing."""
    running = running_stages(session.root)
    stages: list[StageStatus] = []
    data: list[DataStatus] = []
    sources: list[Stage] = []
    stale: dict[str, str] = {}
    for stage in order:
        if stage.is_source and not stage.delegated:
            data += _data(session, stage)
            sources.append(stage)
            continue
        reasons = session.why(stage)
        if not reasons and not stage.frozen:
            reasons = [
                Reason("upstream", stale[key])
                for key in session.graph.needs[stage.key]
                if key in stale
            ]
        if stage.key in running:
            stages.append(StageStatus(stage, RUNNING, tuple(reasons), running[stage.key]))
        else:
            stages.append(StageStatus(stage, STALE if reasons else FRESH, tuple(reasons)))
        if reasons:
            stale[stage.key] = stage.name or stage.file
    return Status(tuple(stages), tuple(data), tuple(sources))


def _data(session: Session, stage: Stage) -> list[DataStatus]:
    recorded = entry_items(stage.recorded, "outs")
    found = []
    for out in stage.outs:
        state = _data_state(session, out.abs, recorded.get(out.path, {}), cached=out.cache)
        if state is not None:
            found.append(DataStatus(stage, out.abs, state))
    return found


def _data_state(
    session: Session, path: str, item: dict[str, object], *, cached: bool
) -> str | None:
    before = item.get("md5")
    now = session.workspace.md5(path)
    if now is None:
        return "deleted"
    if before is None:
        return "new"
    if now != before:
        return "modified"
    size = item.get("size")
    there = session.workspace.cached(str(before), size if isinstance(size, int) else None)
    return "missing-in-cache" if cached and not there else None
