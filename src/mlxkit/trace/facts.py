"""Asks the file system and Git about the paths that were seen, and judges the stage."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import DEFAULT_PARAMS, Stage, inside, inside_any, overlap
from mlxkit.tools import git
from mlxkit.trace import judge
from mlxkit.trace.events import Seen, is_python
from mlxkit.trace.findings import Finding
from mlxkit.trace.judge import Facts
from mlxkit.trace.observe import PYTHON, Observed
from mlxkit.trace.place import Declared, counts, declared_by, has_hidden_folder, is_blank, source_of
from mlxkit.trace.restore import NEW


@dataclass(frozen=True, slots=True)
class Traced:
    """What tracing a stage has shown."""

    stage: Stage
    code: int
    """The exit code of its command."""
    command: str
    how: str
    seconds: float
    findings: tuple[Finding, ...]
    local: tuple[str, ...]
    """Addresses on this machine that it connected to."""
    notes: tuple[str, ...]
    output: tuple[str, ...]


def conclude(session: Session, stage: Stage, observed: Observed, env: Mapping[str, str]) -> Traced:
    """Compare what was seen with what the stage declares."""
    seen, declared, key = observed.seen, declared_by(stage), stage.key
    facts = _facts(session, stage, declared, observed)
    found = list(judge.inputs_missing(key, seen, declared, facts))
    notes = _blind_spots(session, observed)
    unused, waits = judge.deps_unused(key, seen, declared, facts)
    if stage.delegated or observed.ended.code != 0:
        unused = []
    if observed.how == PYTHON:
        unused, unknown = judge.split_by_sight(unused, seen, _others(seen))
        notes += unknown
    found += unused
    found += judge.outputs_missing(key, seen, declared, facts)
    found += judge.variables(key, seen, env)
    connections, local = judge.network(key, seen)
    found += connections
    ended = observed.ended
    return Traced(
        stage,
        ended.code,
        ended.command,
        observed.how,
        ended.seconds,
        tuple(found),
        tuple(local),
        tuple(notes + waits),
        observed.output,
    )


def _facts(session: Session, stage: Stage, declared: Declared, observed: Observed) -> Facts:
    top = session.git_root or session.root
    seen = observed.seen
    owners: dict[str, str] = {}
    metrics = set()
    for other in session.declared.stages:
        if other.key != stage.key:
            for out in other.outs:
                owners[out.abs] = other.address(os.getcwd())
                if out.metric:
                    metrics.add(out.abs)
    sources: dict[str, str] = {}
    for path, where in seen.reads.items():
        source = source_of(path)
        sources[source] = sources.get(source) or where
    inputs = _inputs(top, sources, declared)
    ignored = git.ignored(top, inputs) if session.git_root else set()
    ignored -= git.tracked(top, ignored) if session.git_root else set()
    loose = {path for path in ignored if not inside_any(path, owners)}
    kept = {
        path: where
        for path, where in inputs.items()
        if path not in loose or not (path.endswith(".py") or has_hidden_folder(path, top))
    }
    return Facts(
        top=top,
        wdir=stage.wdir,
        sources=frozenset(sources),
        inputs=kept,
        folders=_folders(session, top, seen, owners),
        outputs=_outputs(session, top, observed, owners),
        loose=frozenset(loose),
        param_files=_param_files(session),
        owners=owners,
        metrics=frozenset(metrics),
        blank=frozenset(dep.abs for dep in stage.deps if is_blank(dep.abs)),
    )


def _inputs(top: str, sources: Mapping[str, str], declared: Declared) -> dict[str, str]:
    """Return the files read that are the user's, not declared, and have something to say."""
    return {
        path: where
        for path, where in sources.items()
        if inside(path, top)
        and not declared.covers(path)
        and not declared.covers(os.path.realpath(path))
        and counts(path, top)
        and os.path.isfile(path)
        and not is_blank(path)
    }


def _folders(session: Session, top: str, seen: Seen, owners: Mapping[str, str]) -> frozenset[str]:
    listed = [
        path
        for path in seen.lists
        if counts(path, top) and os.path.isdir(path) and not has_hidden_folder(path + "/x", top)
    ]
    kept = git.tracked(top, listed) if session.git_root else set(listed)
    return frozenset(kept | {path for path in listed if any(overlap(path, one) for one in owners)})


def _outputs(
    session: Session,
    top: str,
    observed: Observed,
    owners: Mapping[str, str],
) -> dict[str, str]:
    changes = dict(observed.undone.changes)
    if observed.how == PYTHON:  # compiled code writes unseen
        changes |= dict.fromkeys(observed.undone.others, judge.MEANWHILE)
    written = {
        path
        for path in observed.left | set(changes)
        if counts(path, top) and (path in changes or not os.path.isdir(path))
    }
    ignored = git.ignored(top, written) if session.git_root else set()
    ignored -= git.tracked(top, ignored) if session.git_root else set()
    return {
        path: changes.get(path, NEW)
        for path in written
        if path not in ignored or inside_any(path, owners)
    }


def _param_files(session: Session) -> frozenset[str]:
    declared = {one.abs for stage in session.declared.stages for one in stage.params}
    folders = {os.path.dirname(path) for path in session.declared.files}
    usual = {os.path.join(one, DEFAULT_PARAMS) for one in folders}
    return frozenset(declared | usual | set(session.declared.params))


def _others(seen: Seen) -> list[str]:
    """Return the programs that Pythons started, which are no Pythons that told of themselves."""
    programs = {one.split(" ")[0] for one in seen.starts if not is_python(one)}
    return sorted({os.path.basename(one) for one in programs})


def _blind_spots(session: Session, observed: Observed) -> list[str]:
    """Say in sentences what could not be seen, and what could not be put back."""
    seen = observed.seen
    found = [
        f"'{_short(one)}' was not watched from inside: its environment variables are not known"
        for one in seen.blind
    ]
    if observed.how == PYTHON:
        others = _others(seen)
        if others:
            found.append(f"what {', '.join(others[:4])} reads and writes is not known: no strace")
    if observed.detached:
        found.append(
            f"{observed.detached} of its processes still ran when it had ended, and were ended"
        )
    for path in observed.undone.lost:
        found.append(f"'{os.path.relpath(path)}' was overwritten, and Git has no copy to put back")
    return found


def _short(command: str) -> str:
    return command if len(command) <= 60 else command[:57] + "..."
