"""The run-cache of a remote: a mirror of the cache's own, which knows what stages made of what."""

import os
import re

from mlxkit.core.files import make_folders, write_atomic
from mlxkit.data.transfer.items import Failure, Outcome, Remote
from mlxkit.data.transfer.local import list_runs
from mlxkit.pipeline.runcache import parse_entry

_NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}/[0-9a-f]{64}\Z")


def push_runs(cache: str, remote: Remote) -> tuple[Outcome, str | None]:
    """Send the entries that the remote has not got; also return a note for the user."""
    if not remote.run_cache:
        return Outcome(), _unsupported(remote)
    folder = os.path.join(cache, "runs")
    absent = _valid(list_runs(folder))
    if absent:
        absent -= remote.runs()
    size = 0
    failed: dict[str, Failure] = {}
    for name in sorted(absent):
        try:
            remote.write_run(name, os.path.join(folder, name))
            size += os.path.getsize(os.path.join(folder, name))
        except OSError as error:
            failed[f"runs/{name}"] = Failure(error.strerror or str(error))
    return Outcome(len(absent) - len(failed), size, failed), None


def fetch_runs(cache: str, remote: Remote, dir_mode: int | None) -> tuple[Outcome, str | None]:
    """Fetch the entries that the cache has not got; also return a note for the user."""
    if not remote.run_cache:
        return Outcome(), _unsupported(remote)
    folder = os.path.join(cache, "runs")
    absent = _valid(remote.runs()) - list_runs(folder)
    size = 0
    failed: dict[str, Failure] = {}
    for name in sorted(absent):
        try:
            data = remote.read_run(name)
        except OSError as error:
            failed[f"runs/{name}"] = Failure(error.strerror or str(error))
            continue
        if parse_entry(data) is None:
            failed[f"runs/{name}"] = Failure("it is no entry of a run-cache")
            continue
        make_folders(os.path.join(folder, os.path.dirname(name)), dir_mode)
        mode = None if dir_mode is None else 0o664
        # Prepared outside `runs/`: DVC takes every file in there for an entry.
        write_atomic(os.path.join(folder, name), data, mode=mode, sync=False, scratch=cache)
        size += len(data)
    return Outcome(len(absent) - len(failed), size, failed), None


def _valid(names: set[str]) -> set[str]:
    """Leave out what is no entry: a stranger's remote may hold any name."""
    return {name for name in names if _NAME.match(name)}


def _unsupported(remote: Remote) -> str:
    return f"the run-cache stays here: '{remote.name}' is an HTTP server, which cannot keep one"
