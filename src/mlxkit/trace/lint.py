"""Finds modules of the repository that stages import and do not declare, by reading sources."""

import os
from collections.abc import Iterable, Mapping

from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.runs.interpreter import find_interpreter
from mlxkit.tools import git
from mlxkit.trace.findings import BROKEN_SOURCE, UNDECLARED_IMPORT, Finding
from mlxkit.trace.imports import Follower, Reached
from mlxkit.trace.packages import Packages, find_packages
from mlxkit.trace.place import counts, declared_by
from mlxkit.trace.programs import programs
from mlxkit.trace.sources import BrokenSource


def lint(session: Session, stages: Iterable[Stage], env: Mapping[str, str]) -> list[Finding]:
    """Return the findings of all stages; starts nothing, imports nothing of the user's."""
    top = session.git_root or session.root
    follower = Follower(top)
    packages: dict[tuple[str, str | None], Packages] = {}
    found: list[Finding] = []
    for stage in stages:
        python = find_interpreter(commands(stage), stage.wdir, env)
        key = (stage.wdir, python)
        if key not in packages:
            packages[key] = find_packages(top, [stage.wdir, session.root], python)
        found += _of_stage(stage, follower, packages[key], env, top)
    paths = {one.what for one in found}
    ignored = git.ignored(top, paths) if session.git_root else set()
    ignored -= git.tracked(top, ignored) if session.git_root else set()
    made = {out.abs for stage in session.declared.stages for out in stage.outs}
    return [one for one in found if one.what not in ignored or one.what in made]


def _of_stage(
    stage: Stage, follower: Follower, packages: Packages, env: Mapping[str, str], top: str
) -> list[Finding]:
    declared = declared_by(stage)
    reached: dict[str, Reached] = {}
    for program in programs(stage, env, packages.scripts):
        for one in follower.reached(program, packages.folders):
            reached.setdefault(one.path, one)
    found = []
    for path, one in reached.items():
        source = follower.source(path)
        if isinstance(source, BrokenSource):
            found.append(Finding(BROKEN_SOURCE, stage.key, path, f"it cannot be read: {source}"))
        elif source.blank or not counts(path, top):
            continue
        if not declared.covers(path) and not declared.covers(os.path.realpath(path)):
            why = _chain(one, reached)
            found.append(Finding(UNDECLARED_IMPORT, stage.key, path, why, True))
    return found


def _chain(one: Reached, reached: Mapping[str, Reached]) -> str:
    """Say by which way a source is reached, from the command on."""
    if not one.by:
        return "the command runs it"
    steps: list[str] = []
    step = one
    while step.by and len(steps) < 20:
        steps.append(f"{os.path.relpath(step.by)}:{step.line}")
        step = reached[step.by]
    return "imported by " + ", which is imported by ".join(steps)
