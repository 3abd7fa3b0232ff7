"""What a run leaves, kept in Git as DVC keeps experiments."""

import os
from collections.abc import Sequence

from mlxkit.experiments.plan import TRAILER, Known, commit_tree, experiment, known_experiments
from mlxkit.experiments.refs import Exists, write_experiment
from mlxkit.experiments.sweepdir import Plan, Run
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage, inside
from mlxkit.runs.repository import ask
from mlxkit.tools import git


def left_tree(session: RunSession, order: Sequence[Stage], tree: str) -> str:
    """Return the tree of what the run leaves: tracked files, and what its stages read and wrote.

    As in DVC's, a new `.gitignore` is not in it. Raises MlxError.
    """
    paths = {*session.declared.metrics, *session.declared.params}
    made = {out.abs for one in session.declared.stages for out in one.outs if out.cache}
    for stage in order:
        paths.add(stage.file)
        paths.add(stage.lock_path)
        paths |= {one.abs for one in stage.deps} | {one.abs for one in stage.params}
        paths |= {out.abs for out in stage.outs if not out.cache}
    there = [
        path
        for path in sorted(paths)
        if inside(path, tree) and os.path.lexists(path) and path not in made
    ]
    ignored = git.ignored(tree, there)
    listed = b"".join(os.fsencode(path) + b"\0" for path in there if path not in ignored)
    ask(tree, "add", "--update", "--", ":/")
    if listed:
        ask(tree, "add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=listed,
            env={"GIT_LITERAL_PATHSPECS": "1"})  # fmt: skip
    return ask(tree, "write-tree").decode("ascii").strip()


def keep(git_root: str, plan: Plan, run: Run, content: str, before: Known | None) -> str:
    """Make an experiment of a tree, in the place of the one `before`; return its commit.

    Raises Exists where another one has come to have the name, MlxError.
    """
    message = (plan.message or f"mlx: experiment {run.name}").rstrip("\n")
    text = f"{message}\n\n{TRAILER}: {run.inputs}\n"
    commit = commit_tree(git_root, content, plan.baseline, text)
    made = experiment(plan, run, commit)
    told = f"mlx: {made.name}"
    try:
        previous = before.commit if before is not None else ""
        write_experiment(git_root, made, previous=previous, message=told)
    except Exists:
        now = known_experiments(git_root, plan.baseline).get(run.name)
        if now is None or now.inputs != run.inputs:
            raise
        return now.commit  # another sweep has made the same meanwhile
    return commit
