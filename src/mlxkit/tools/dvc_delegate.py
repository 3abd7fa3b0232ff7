"""Lets DVC's own code judge, fetch and commit what mlx leaves to it.

That is: stages with remote dependencies or outputs, imports, data in DVC 2's format, writing
`.dvc` files, and everything that touches a remote. DVC takes its project lock itself, so ours is
lent to it meanwhile.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.core.files import write_atomic
from mlxkit.tools.dvclock import RepoLock

Told = tuple[str, str, str]
"""A reason as plain data: kind, what, detail."""


class Delegate:
    """DVC's view of one project, opened when first needed."""

    def __init__(self, root: str, lock: RepoLock, wait: float) -> None:
        self._root = root
        self._lock = lock
        self._wait = wait

    def why(self, file: str, name: str | None) -> list[Told]:
        """Return the reasons DVC gives for running a stage; none means up to date."""
        with self._stage(file, name) as stage:
            status = stage.status()
        return [one for told in status.values() for part in told for one in _reasons(part)]

    def can_restore(self, file: str, name: str | None, *, run_cache: bool, pull: bool) -> bool:
        """Tell whether DVC has, or with `pull` can fetch, what the stage made from its inputs."""
        from dvc.exceptions import DvcException

        with self._stage(file, name) as stage:
            try:
                _read_inputs(stage)
                stage.repo.stage_cache.restore(stage, run_cache=run_cache, pull=pull, dry=True)
            except DvcException:
                return False
        return True

    def restore(self, file: str, name: str | None) -> None:
        """Check out what `can_restore` has found, in place of the outputs that are there."""
        with self._stage(file, name) as stage:
            _read_inputs(stage)
            stage.remove_outs()
            stage.repo.stage_cache.restore(stage)

    def prepare(self, file: str, name: str | None) -> None:
        """Check that the dependencies are there and note their digests, before a command runs."""
        with self._stage(file, name) as stage:
            stage.save_deps()

    def commit(self, file: str, name: str | None, *, no_commit: bool) -> dict[str, Any] | None:
        """Hash and cache what a stage's command made; return its lock entry."""
        with self._stage(file, name) as stage:
            plain = any(
                not out.use_cache for out in stage.outs if not (out.is_metric or out.is_plot)
            )
            stage.save(run_cache=not no_commit and not plain)  # as DVC's `Stage.run` decides it
            if not no_commit:
                stage.commit()
            return _lock_entry(stage)

    def bring(self, file: str, *, force: bool, no_commit: bool) -> None:
        """Commit changed data behind a `.dvc` file, or import it anew, and write the file."""
        with self._stage(file, None) as stage, self._repo.scm_context(quiet=True):
            stage.run(force=force, no_commit=no_commit)
            self._write(stage)

    def pull(self, targets: Iterable[str]) -> None:
        """Fetch and check out the data of stages or paths."""
        with self._opened() as repo:
            repo.pull(list(targets))

    def checkout(
        self, targets: Iterable[str], *, force: bool, relink: bool
    ) -> dict[str, list[str]]:
        """Check out the data of paths; return `added`, `modified`, `deleted` and `failed`."""
        from dvc.exceptions import CheckoutError

        with self._opened() as repo:
            try:
                told = repo.checkout(list(targets), force=force, relink=relink)
            except CheckoutError as error:
                told = error.result
        return {name: told.get(name, []) for name in ("added", "modified", "deleted", "failed")}

    def pull_run_cache(self) -> str | None:
        """Fetch the remote's run-cache; return why not, where it has none."""
        from dvc.stage.cache import RunCacheNotSupported

        with self._opened() as repo:
            try:
                repo.stage_cache.pull(None)
            except RunCacheNotSupported as error:
                return str(error)
        return None

    def fetch_objects(self, digests: Iterable[str]) -> None:
        """Fetch objects, and what the directories among them list, into the cache."""
        from dvc_data.hashfile.hash_info import HashInfo

        with self._opened() as repo:
            repo.cloud.pull([HashInfo("md5", digest) for digest in digests])

    @cached_property
    def _repo(self) -> Any:
        import logging

        from dvc.repo import Repo

        logging.getLogger("dvc").setLevel(logging.ERROR)  # we tell what happens, in our words
        return Repo(self._root)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with self._lock.lent(self._wait), _explained():
            self._repo._reset()
            yield self._repo

    @contextmanager
    def _stage(self, file: str, name: str | None) -> Iterator[Any]:
        from dvc.repo import lock_repo

        with self._opened() as repo, lock_repo(repo):
            yield repo.stage.load_one(path=os.path.relpath(file), name=name)

    def _write(self, stage: Any) -> None:
        from dvc.stage.serialize import to_single_stage_file
        from dvc.utils.serialize import dumps_yaml

        write_atomic(stage.path, dumps_yaml(to_single_stage_file(stage)).encode())


def _read_inputs(stage: Any) -> None:
    """Make a stage say what it would read now, and forget outputs that come from other inputs."""
    from dvc_data.hashfile.hash_info import HashInfo

    same = not stage.changed_stage() and stage.deps_cached()
    stage.save_deps()
    if not same:
        for out in stage.outs:
            out.hash_info = HashInfo()


def _lock_entry(stage: Any) -> dict[str, Any] | None:
    from dvc.stage import PipelineStage
    from dvc.stage.serialize import to_single_stage_lockfile

    if not isinstance(stage, PipelineStage):
        return None
    entry: dict[str, Any] = _plain(to_single_stage_lockfile(stage))
    return entry


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _reasons(part: Any) -> Iterator[Told]:
    """Translate one part of `Stage.status()`: a text, or `{"changed deps": {path: state}}`."""
    if isinstance(part, str):
        kind = {"changed command": "cmd-changed", "changed checksum": "cmd-changed"}.get(part)
        yield (kind, "cmd", "") if kind else ("always", part, "")
        return
    for title, changes in part.items():
        for path, state in changes.items():
            if isinstance(state, dict):
                for key, how in state.items():
                    yield "param-changed", key, str(how)
            elif title == "changed deps":
                yield "dep-changed", path, state
            elif state in ("deleted", "not in cache"):
                yield "out-missing", path, state
            else:
                yield "out-changed", path, state


@contextmanager
def _explained() -> Iterator[None]:
    """Turn DVC's errors into ours, one line each."""
    from dvc.exceptions import CheckoutError, DownloadError, DvcException, FileTransferError

    try:
        yield
    except (DownloadError, FileTransferError, CheckoutError) as error:
        raise RemoteError(_one_line(error), hint="see: mlx pull -v") from None
    except DvcException as error:
        raise MlxError(_one_line(error), hint="fetch what is missing with: mlx pull") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
