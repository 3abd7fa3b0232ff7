"""Looks for what can be broken in a project; each finding says whether mlx can mend it."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from mlxkit.core.digest import md5_file
from mlxkit.core.errors import MlxError
from mlxkit.core.yaml import ConflictError
from mlxkit.pipeline.lock_conflict import merge_again
from mlxkit.pipeline.lockfile import CutLockError, LockFile
from mlxkit.pipeline.rundir import read_run, run_folder
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.tools import dvc, git, git_merge
from mlxkit.tools.alive import is_running
from mlxkit.tools.dvc_path_locks import PathLocks
from mlxkit.tools.process import require_shell

SMALL = 16 << 20
"""Files up to this size, in bytes, are hashed again to check the index."""
_BUILTINS = frozenset(
    [
        *(".", ":", "!", "(", "{", "[", "[[", "alias", "bg", "break", "case", "cd", "command"),
        *("continue", "do", "echo", "eval", "exec", "exit", "export", "false", "fi", "for", "if"),
        *("printf", "pwd", "read", "return", "set", "shift", "source", "test", "then", "time"),
        *("trap", "true", "type", "ulimit", "umask", "unset", "wait", "while"),
    ]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `can_mend` tells whether `mend` puts it right."""

    kind: str
    what: str
    hint: str
    can_mend: bool = False


def check_locks(root: str) -> Iterator[Finding]:
    """Look at DVC's lock table and at what a killed run left."""
    locks = PathLocks(root)
    if locks.state() == "broken":
        yield Finding("rwlock", ".dvc/tmp/rwlock was cut short by a kill", "mlx doctor --fix", True)
    for one in locks.stale():
        yield Finding(
            "stale-lock",
            f"'{os.path.relpath(one.path)}' is locked by pid {one.pid}, which is gone",
            "mlx doctor --fix",
            True,
        )
    note = read_run(root)
    if os.path.isdir(run_folder(root)) and not (note and is_running(note["pid"], note["start"])):
        yield Finding("killed-run", "an mlx repro was killed here", "mlx doctor --fix", True)


def check_session(session: Session) -> Iterator[Finding]:
    """Look at lock files, the index, the tools that commands need."""
    yield from _check_lock_files(session)
    yield from _check_index(session)
    yield from _check_tools(session)


def check_dvc() -> Iterator[Finding]:
    """See that DVC is there."""
    try:
        dvc.signature()
    except MlxError as error:
        yield Finding("missing-tool", error.message, error.hint or "")


def check_merges(root: str) -> Iterator[Finding]:
    """See that a clone whose files name the merge driver knows of it: settings are not cloned."""
    top = git.find_root(root)
    if top is None or git_merge.NAME not in git_merge.chosen(root).values():
        return
    if not git_merge.is_configured(top):
        what = ".gitattributes has mlx merge dvc.lock, and this clone's Git does not know how"
        yield Finding("merge-driver", what, "mlx doctor --fix", True)


def check_memory(root: str) -> Iterator[Finding]:
    """See that nobody committed what mlx remembers: it is of one clone, and dropped in others."""
    top, ours = git.find_root(root), os.path.join(root, ".mlx")
    if top is not None and git.tracked(top, [ours]):
        what = "Git has files of .mlx/: what is remembered there is of one clone only"
        yield Finding(
            "tracked-memory", what, f"git rm -r -q -f {shlex.quote(os.path.relpath(ours))}"
        )


def _check_lock_files(session: Session) -> Iterator[Finding]:
    paths = {stage.lock_path for stage in session.declared.stages if stage.name is not None}
    for path in sorted(paths):
        shown = os.path.relpath(path)
        try:
            LockFile.read(path)
        except CutLockError as error:
            yield Finding("lock-file", f"{shown} {error.message}", "mlx doctor --fix", True)
        except ConflictError as error:
            yield Finding(
                "lock-file", str(error).replace(path, shown), _way_out(session, path, error)
            )
        except MlxError as error:
            yield Finding("lock-file", str(error), error.hint or f"correct {shown}")


def _way_out(session: Session, path: str, error: ConflictError) -> str:
    try:
        merge_again(session.git_root, path, error)
    except MlxError as found:
        return found.hint or ""
    return "when dvc.yaml and the inputs are as you want them: mlx repro"


def _check_index(session: Session) -> Iterator[Finding]:
    """Hash small files again that the index vouches for: a wrong digest hides a change."""
    paths = [dep.abs for stage in session.declared.stages for dep in stage.deps]
    paths += [out.abs for stage in session.declared.stages for out in stage.outs]
    for path in dict.fromkeys(paths):
        try:
            status = os.stat(path)
            if not os.path.isfile(path) or status.st_size > SMALL:
                continue
            known = session.state.known(path, status)
            if known is not None and md5_file(path) != known:
                what = f"the index is wrong about '{os.path.relpath(path)}'"
                yield Finding("stale-index", what, "mlx doctor --fix", True)
        except OSError:
            continue


def _check_tools(session: Session) -> Iterator[Finding]:
    try:
        require_shell()
    except MlxError as error:
        yield Finding("missing-tool", error.message, error.hint or "")
    missing: dict[str, list[str]] = {}
    for stage in session.declared.stages:
        for program in _programs(stage):
            if not _is_there(program, stage.wdir):
                missing.setdefault(program, []).append(stage.address(os.getcwd()))
    for program, stages in missing.items():
        yield Finding(
            "missing-tool",
            f"'{program}' is not on PATH; needed by {', '.join(dict.fromkeys(stages))}",
            f"install {program}, or activate the environment that has it",
        )


def _programs(stage: Stage) -> Iterator[str]:
    for command in commands(stage):
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            continue
        while words and re.match(r"[A-Za-z_][A-Za-z0-9_]*=", words[0]):
            words.pop(0)
        if words and words[0] not in _BUILTINS and not re.search(r"[$`(){};&|<>*?]", words[0]):
            yield words[0]


def _is_there(program: str, wdir: str) -> bool:
    if os.sep in program:
        return os.path.exists(os.path.join(wdir, program))
    return shutil.which(program) is not None
