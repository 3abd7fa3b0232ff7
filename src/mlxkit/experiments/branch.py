"""Making a Git branch of an experiment."""

import os

from mlxkit.core.errors import UsageError
from mlxkit.experiments.refs import Experiment
from mlxkit.tools import git


def make_branch(git_root: str, experiment: Experiment, name: str = "") -> str:
    """Make a branch at an experiment's commit, `NAME-branch` by default; return its name.

    Raises UsageError for a name that Git refuses, and for a branch that exists.
    """
    name = name or f"{experiment.name}-branch"
    ref = f"refs/heads/{name}"
    if name.startswith("-") or not _is_valid(git_root, name):
        raise UsageError(f"{name!r} cannot name a branch", hint="see: git check-ref-format --help")
    message = f"branch: created from experiment {experiment.name}"
    nothing = "0" * len(experiment.commit)
    try:
        git.run(git_root, "update-ref", "-m", message, ref, experiment.commit, nothing)
    except git.GitError as error:
        if "cannot lock ref" not in error.said:
            raise
        raise UsageError(
            f"branch '{name}' cannot be made: {_why(error.said)}",
            hint=f"name another one: mlx exp branch {experiment.name} NAME",
        ) from None
    return name


def _is_valid(git_root: str, name: str) -> bool:
    told = git.run(git_root, "check-ref-format", "--branch", name, ok=(0, 1, 128))
    return os.fsdecode(told).strip() == name


def _why(said: str) -> str:
    return "there is one" if "already exists" in said else said.splitlines()[-1]
