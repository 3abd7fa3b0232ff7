"""From what a user asks for to a plan: where runs start, their names, what is there already."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.experiments.inputs import require_data, require_inputs
from mlxkit.experiments.names import choose_name
from mlxkit.experiments.overrides import (
    Hydra,
    Variant,
    choose_texts,
    files_digest,
    make_variants,
)
from mlxkit.experiments.place import check_paths
from mlxkit.experiments.refs import Experiment, check_name, parse_ref, ref_name
from mlxkit.experiments.stages import changed_data, choose_stages, require_tracked
from mlxkit.experiments.sweepdir import Plan, Run
from mlxkit.pipeline.session import Session
from mlxkit.runs.repository import ask, identify
from mlxkit.runs.snapshot import tracked_tree

TRAILER = "Mlx-Inputs"
"""The line of an experiment's message that tells what decided its result."""
_CHOOSING = frozenset(
    (
        *("single_item", "pipeline", "all_pipelines", "recursive", "downstream"),
        *("force_downstream", "ignore_errors"),
    )
)
"""The flags that a result depends on."""
_INPUTS = re.compile(rf"^{TRAILER}: ([0-9a-f]{{64}})$", re.MULTILINE)


class Asked(NamedTuple):
    """What the user asked for."""

    targets: Sequence[str] = ()
    settings: Sequence[str] = ()
    sweeps: Sequence[str] = ()
    limit: int | None = None
    name: str = ""
    message: str = ""
    copies: Sequence[str] = ()
    how: dict[str, Any] | None = None
    hydra: bool = True


class Base(NamedTuple):
    """What runs start from: a commit, what else is tracked, changed data, parameter files."""

    head: str
    content: str
    data: dict[str, bytes]
    params: dict[str, bytes]


class Planned(NamedTuple):
    """A plan, the files of its runs by their names, and the experiments that are there already."""

    plan: Plan
    files: dict[str, bytes]
    there: dict[str, "Known"]
    base: Base


class Known(NamedTuple):
    """An experiment of the same name and baseline: `inputs` is empty where it does not say."""

    commit: str
    inputs: str


def make_plan(session: Session, asked: Asked, base: Base | None = None) -> Planned:
    """Say what is to be run; nothing is written but Git objects.

    With `base` runs start from there, whatever was edited since. Raises UsageError, MlxError.
    """
    git_root = _git_root(session)
    if asked.name:
        check_name(asked.name)
    texts = choose_texts(asked.settings, asked.sweeps, asked.limit)
    copies = check_paths(git_root, asked.copies)
    how = dict(sorted((asked.how or {}).items()))
    stages = choose_stages(session, asked.targets, how)
    require_tracked(git_root, stages, copies)
    require_inputs(session, git_root, stages, copies)
    hydra = _hydra(session) if asked.hydra else None
    if base is None:
        if not (how.get("pull") or how.get("allow_missing")):
            require_data(session, stages)
        base = _base(session, git_root, changed_data(session, git_root, stages))
    head, content = base.head, base.content
    variants = make_variants(texts, git_root, hydra, base.data, base.params)
    there = known_experiments(git_root, head)
    folder = os.path.relpath(os.getcwd(), git_root)
    chosen = {name: value for name, value in how.items() if name in _CHOOSING}
    common = [head, content, folder, list(asked.targets), chosen, copies]
    runs = _named(variants, json.dumps(common), asked.name, there, bool(how.get("force")))
    plan = Plan(
        baseline=head,
        content=content,
        project=os.path.relpath(session.root, git_root),
        folder=folder,
        targets=tuple(asked.targets),
        how=how,
        message=asked.message,
        copies=tuple(copies),
        runs=runs,
    )
    files = {_file_name(data): data for one in variants for data in one.files.values()}
    return Planned(plan, files, there, base)


def known_experiments(git_root: str, baseline: str) -> dict[str, Known]:
    """Return the experiments of a baseline by name, with what decided their results."""
    form = "--format=%(refname)%00%(objectname)%00%(contents)%00%00"
    listed = ask(git_root, "for-each-ref", form, os.path.dirname(ref_name(baseline, "x")) + "/")
    found = {}
    for record in listed.split(b"\0\0\n"):
        ref, _, rest = record.lstrip(b"\n").partition(b"\0")
        commit, _, message = rest.partition(b"\0")
        parts = parse_ref(os.fsdecode(ref))
        if parts is not None:
            told = _INPUTS.findall(message.decode(errors="replace"))
            found[parts[1]] = Known(commit.decode("ascii"), told[-1] if told else "")
    return found


def experiment(plan: Plan, run: Run, commit: str) -> Experiment:
    """Return the experiment that a run has made."""
    return Experiment(plan.baseline, run.name, commit)


def _base(session: Session, git_root: str, data: dict[str, bytes]) -> Base:
    head, content = tracked_tree(git_root, os.path.join(session.root, ".mlx", "exps"))
    if head is None:
        raise ProjectError(
            "there is no commit yet: experiments start from one", hint="run: git commit"
        )
    return Base(head, content, data, {})


def _git_root(session: Session) -> str:
    if session.git_root is None:
        raise ProjectError("experiments are kept in Git", hint="run: git init")
    return session.git_root


def _hydra(session: Session) -> Hydra | None:
    config = session.declared.config.get("hydra", {})
    return Hydra(session.root, config) if config.get("enabled") else None


def commit_tree(git_root: str, content: str, parent: str, message: str) -> str:
    """Make a commit, whatever the user's hooks and settings; return its id. Raises MlxError."""
    who = identify(git_root).line
    text = f"tree {content}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n{message}"
    made = ask(
        git_root,
        *("hash-object", "-t", "commit", "-w", "--stdin"),
        stdin=text.encode(errors="surrogateescape"),
    )
    return made.decode("ascii").strip()


def _named(
    variants: Sequence[Variant], common: str, name: str, there: dict[str, Known], force: bool
) -> tuple[Run, ...]:
    runs: list[Run] = []
    taken: set[str] = set()
    for number, one in enumerate(variants, 1):
        inputs = hashlib.sha256(f"{common}\n{files_digest(one.files)}".encode()).hexdigest()
        files = {path: _file_name(data) for path, data in one.files.items()}
        if name:
            chosen = name if len(variants) == 1 else f"{name}-{number}"
            if not force and there.get(chosen, Known("", inputs)).inputs != inputs:
                raise _other(chosen)
        else:

            def free(proposed: str, inputs: str = inputs) -> bool:
                known = there.get(proposed)
                return proposed not in taken and (known is None or known.inputs == inputs)

            chosen = choose_name(inputs, free)
        taken.add(chosen)
        runs.append(Run(chosen, inputs, one.values, files))
    return tuple(runs)


def _other(name: str) -> MlxError:
    return UsageError(
        f"there is an experiment '{name}' already, with other inputs",
        hint=f"choose another name, or replace it with --force (see: mlx exp diff {name})",
    )


def _file_name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
