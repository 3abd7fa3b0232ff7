"""What tells a process that it makes an experiment, in a copy of the project of its own."""

import os
from collections.abc import Mapping

from mlxkit.pipeline.spec import inside

MARK = "MLX_EXPERIMENT"
"""The environment variable that every process of a run carries: where its copy is."""
NAME = "DVC_EXP_NAME"
"""That of the experiment's name, as DVC has it."""


def experiment_name(env: Mapping[str, str]) -> str | None:
    """Return the name of the experiment that is being made, None where none is."""
    return env.get(NAME) or None if MARK in env else None


def without_copy(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return an environment without the copy's own folders on Python's path.

    They are the project's code, and lie elsewhere each time.
    """
    copy, path = env.get(MARK), env.get("PYTHONPATH")
    if not copy or not path:
        return env
    kept = [one for one in path.split(os.pathsep) if not inside(one, copy)]
    return {**env, "PYTHONPATH": os.pathsep.join(kept)}
