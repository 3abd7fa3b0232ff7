"""Opens a project: finds its root, reads its configuration, wires the parts; called by `cli`."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.declared import Declared, load_declared
from mlxkit.pipeline.graph import build_graph
from mlxkit.pipeline.locks import Locks
from mlxkit.pipeline.memories import forget_foreign
from mlxkit.pipeline.parses import Parses
from mlxkit.pipeline.result import Recorder
from mlxkit.pipeline.session import Environments, RunSession, Session
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.tools import dvc, git

if TYPE_CHECKING:
    from mlxkit.tools.dvclock import RepoLock

Say = Callable[[str], None]


def find_root(start: str) -> str:
    """Return the project that holds `start`; raises ProjectError where there is none."""
    folder = os.path.realpath(start)
    while not os.path.isdir(os.path.join(folder, ".dvc")):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise ProjectError(
                "there is no project here: neither this folder nor one above it has a .dvc",
                hint="go to your project, or start one with: mlx init",
            )
        folder = parent
    return folder


def open_project(start: str = ".", *, say: Say) -> Session:
    """Open the project that holds `start` to look at it; takes no lock.

    Raises ProjectError where the project or one of its files is invalid.
    """
    parts = _reading_parts(start, say, {})
    return Session(**parts, environments=_environments(parts, start_any=False))


def _open_to_change(
    start: str, say: Say, repo_lock: "RepoLock | None" = None, *, apart: bool = False
) -> RunSession:
    """Open the project with all that a run needs, going on from what a killed run left."""
    from mlxkit.pipeline.commit import Committer
    from mlxkit.pipeline.gitignore import IgnoreFiles
    from mlxkit.pipeline.runcache import RunCache
    from mlxkit.pipeline.rundir import RunDir, read_bases, run_folder
    from mlxkit.tools.dvc_delegate import Delegate
    from mlxkit.tools.dvc_path_locks import PathLocks
    from mlxkit.tools.dvclock import RepoLock

    lock_bases, ignore_bases = read_bases(find_root(start))
    parts = _reading_parts(start, say, lock_bases, lazy=apart)
    root, declared, workspace = parts["root"], parts["declared"], parts["workspace"]
    core = declared.config.get("core", {})
    cache_dir, shared = _cache(declared)
    store = workspace.store
    copies = ObjectStore(store.root, state=parts["state"], link_types=("copy",), shared=shared)
    runcache = RunCache(cache_dir, root, shared=shared)
    hardlink = bool(core.get("hardlink_lock"))
    repo_lock = repo_lock or RepoLock(root, hardlink=hardlink)
    outs = [out for stage in declared.stages for out in stage.outs]
    return RunSession(
        **parts,
        environments=_environments(parts, start_any=True),
        _delegate=Delegate(root, repo_lock, wait=3600),
        ignores=IgnoreFiles(parts["git_root"], outs, ignore_bases),
        committer=Committer(workspace, store, copies, runcache, say),
        repo_lock=repo_lock,
        path_locks=PathLocks(root, hardlink=hardlink),
        rundir=RunDir(
            run_folder(root),
            lock_bases=dict(lock_bases),
            ignore_bases=dict(ignore_bases),
        ),
        autostage=bool(core.get("autostage")),
    )


def _reading_parts(
    start: str, say: Say, bases: dict[str, list[str]], *, lazy: bool = False
) -> dict[str, Any]:
    root = find_root(start)
    git_root = git.find_root(root)
    if git_root is not None:
        forget_foreign(root, git_root)
    state = State.load(os.path.join(root, ".mlx", "state"))
    declared = load_declared(root, git_root, lambda path: _digest(state, path), time.time_ns())
    if declared.config.get("core", {}).get("no_scm"):
        git_root = None
    elif git_root is None:
        raise ProjectError(
            "the project is not in a Git repository",
            hint="run: git init   (or, without Git: dvc config core.no_scm true)",
        )
    cache_dir, shared = _cache(declared)
    store = ObjectStore(
        os.path.join(cache_dir, "files", "md5"),
        state=state,
        link_types=_link_types(declared.config.get("cache", {}).get("type")),
        shared=shared,
    )
    parses = Parses(root)
    locks = Locks(git_root, parses, bases, say, state.known)
    workspace = Workspace(state, store, parses, _ignore_rules(declared))
    if lazy:
        from mlxkit.pipeline.lazy import LazyWorkspace

        workspace = LazyWorkspace(state, store, parses, workspace.ignore)
        workspace.attach(declared.stages, locks.entry)
    return {
        "root": root,
        "git_root": git_root,
        "declared": declared,
        "graph": build_graph(declared),
        "state": state,
        "parses": parses,
        "workspace": workspace,
        "locks": locks,
    }


def _environments(parts: dict[str, Any], *, start_any: bool) -> Environments | None:
    """Return who knows of stages' environments, None where no stage asks for its own."""
    if not any(stage.env for stage in parts["declared"].stages):
        return None
    from mlxkit.runs.stage_environments import StageEnvironments

    return StageEnvironments(parts["root"], parts["git_root"], os.environ, start_any=start_any)


def _cache(declared: Declared) -> tuple[str, bool]:
    """Return the cache's folder, and whether a group shares it."""
    cache = declared.config.get("cache", {})
    folder = cache.get("dir") or os.path.join(declared.root, ".dvc", "cache")
    return folder, cache.get("shared") == "group"


def cache_folder(session: Session) -> str:
    """Return the folder that the project keeps its data in, with its run-cache."""
    return os.path.abspath(_cache(session.declared)[0])


@contextmanager
def open_for_run(start: str, wait: float, say: Say, *, apart: bool = False) -> Iterator[RunSession]:
    """Open the project as its only `mlx repro`, mended after a kill.

    With `apart` it is one of several copies of a project that share a cache: data are laid out as
    they are needed, and what others are making is waited for. Raises BusyError after `wait`
    seconds, ProjectError.
    """
    from mlxkit.pipeline.rundir import only_run, prepare_folder, read_run

    root = find_root(start)
    prepare_folder(root)
    with only_run(root, wait, say):
        note = read_run(root)
        session = _open_to_change(start, say, apart=apart)
        if apart:
            from mlxkit.pipeline.claims import Claims

            session.claims = Claims(
                session.committer.runcache.scratch, shared=_cache(session.declared)[1]
            )
        if session.path_locks.tidy():
            say(".dvc/tmp/rwlock was cut short by a kill; mended")
        if os.path.isdir(session.rundir.folder):
            from mlxkit.pipeline.recover import recover

            with session.repo_lock.holding(wait):
                for told in recover(session, note or {}):
                    say(told)
        session.recorder = _recorder(session, say)
        try:
            yield session
        finally:
            if session.recorder is not None:
                session.recorder.finish()
            session.rundir.close()
            save_state(session)
            if session.touched:
                from mlxkit.data.checkout import note_outputs

                note_outputs(session)
        if session.autostage and session.git_root is not None:
            git.add(session.git_root, session.touched)


@contextmanager
def open_for_change(start: str, wait: float, say: Say) -> Iterator[RunSession]:
    """Open the project to change its data, alone: with DVC's project lock held all the while.

    Raises BusyError after `wait` seconds, ProjectError.
    """
    from mlxkit.pipeline.rundir import prepare_folder
    from mlxkit.tools.dvclock import RepoLock

    root = find_root(start)
    prepare_folder(root)
    before = RepoLock(root).trace()
    session = _open_to_change(start, say)
    with session.repo_lock.holding(wait, say):
        if session.repo_lock.taken_since(before):
            # Whoever held it may have changed any of the files that we have read.
            session = _open_to_change(start, say, session.repo_lock)
        try:
            yield session
        finally:
            save_state(session)
    if session.autostage and session.git_root is not None:
        git.add(session.git_root, session.touched)


def mend(root: str, wait: float, say: Say) -> None:
    """Put right what a kill, or a wrong index, left behind; raises BusyError after `wait`."""
    for name in ("state", "cache/declared.json", "cache/locks.json"):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(root, ".mlx", name))
    with open_for_run(root, wait, say) as session, session.repo_lock.holding(wait):
        for stage in session.declared.stages:
            session.locks.entry(stage)
        session.locks.flush()


def _recorder(session: RunSession, say: Say) -> Recorder | None:
    """Return who keeps records of the runs, None without Git."""
    if session.git_root is None:
        return None
    from mlxkit.runs.recorder import GitRecorder

    def hashed(path: str, read: bool) -> str | None:
        return session.state.digest(path) if read else session.state.known(path, os.stat(path))

    return GitRecorder(session.root, session.git_root, say, hashed)


def save_state(session: Session) -> None:
    """Keep what was learnt of files for the next command; failing to is no error."""
    try:
        for path in session.locks.paths:
            _digest(session.state, path)  # known by its stat, it need not be hashed again
        session.state.save()
        session.parses.save()
    except OSError:
        pass


def _digest(state: State, path: str) -> str | None:
    try:
        return state.digest(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _link_types(configured: Any) -> tuple[str, ...]:
    if not configured:
        return ("reflink", "copy")
    return (configured,) if isinstance(configured, str) else tuple(configured)


def _ignore_rules(declared: Declared) -> dvc.IgnoreFilter | None:
    """Return DVC's own rules where `.dvcignore` says anything, imported when first asked."""
    if not declared.has_ignore_patterns:
        return None
    rules: list[dvc.IgnoreFilter] = []

    def keep(folder: str, folders: list[str], files: list[str]) -> tuple[list[str], list[str]]:
        if not rules:
            rules.append(dvc.ignore_filter(declared.root))
        return rules[0](folder, folders, files)

    return keep
