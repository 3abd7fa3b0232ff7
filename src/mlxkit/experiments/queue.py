"""Whether DVC's own queue holds anything: what it holds, only DVC can tell."""

import os

_MESSAGES = ("celery/broker/in", "celery/broker/processed")
_PROCESSES = ("run", "standalone/run")


def in_use(root: str) -> bool:
    """Tell whether DVC has experiments that wait, run, or went through its queue."""
    folder = os.path.join(root, ".dvc", "tmp", "exps")
    return any(_files(os.path.join(folder, one)) for one in _MESSAGES) or any(
        name.endswith(".json")
        for one in _PROCESSES
        for inner in _files(os.path.join(folder, one))
        for name in _files(os.path.join(folder, one, inner))
    )


def _files(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
