"""The one door to Git: the `git` program, called with NUL-separated paths."""

import os
import re
from collections.abc import Iterable, Mapping

from mlxkit.core.errors import MlxError, ProjectError

_ARGUMENTS = 500
"""How many paths go on one command line, which the system limits."""
_VERB = r"[a-z][a-z-]*"
"""What among the arguments is the command: neither an option nor a setting."""
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitError(MlxError):
    """Git said no; `said` is all that it wrote about it."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


def run(
    root: str,
    *args: str,
    stdin: bytes | None = None,
    ok: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
    settings: Iterable[str] = (),
) -> bytes:
    """Return what `git -C root args` prints; raises GitError when it exits with another code.

    `env` comes on top of the environment, `settings` (like `core.hooksPath=`) on top of Git's.
    """
    import subprocess

    chosen = [word for setting in settings for word in ("-c", setting)]
    try:
        done = subprocess.run(
            ["git", "-C", root, *chosen, *args],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            env={**os.environ, "LANGUAGE": "en", **(env or {})},  # we read what it says of errors
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise MlxError("git is not installed", hint="install Git and try again") from None
    if done.returncode not in ok:
        said = done.stderr.decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else done.returncode
        verb = next(one for one in args if re.fullmatch(_VERB, one))
        raise GitError(f"git {verb} failed: {last}", said)
    return done.stdout


def find_root(start: str) -> str | None:
    """Return the folder that holds `.git` (a folder, or a file as in worktrees), or None."""
    folder = os.path.abspath(start)
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def common_folder(root: str) -> str:
    """Return what all worktrees of a repository share: `.git`, or where a worktree's leads to.

    Raises OSError.
    """
    folder = os.path.join(root, ".git")
    if os.path.isdir(folder):
        return folder
    with open(folder, encoding="utf-8", errors="surrogateescape") as file:
        own = os.path.join(root, file.read().removeprefix("gitdir:").strip())
    try:
        with open(os.path.join(own, "commondir"), encoding="utf-8") as file:
            return os.path.normpath(os.path.join(own, file.read().strip()))
    except FileNotFoundError:
        return own  # of a submodule


def require_root(start: str) -> str:
    """Return the folder that holds `.git`; raises ProjectError where there is none."""
    root = find_root(start)
    if root is None:
        raise ProjectError("this is not a Git repository", hint="run: git init")
    return root


def ignored(root: str, paths: Iterable[str]) -> set[str]:
    """Return those of the absolute `paths` that ignore files exclude (end folders with `/`)."""
    given = list(paths)
    try:
        return _asked(root, given)
    except MlxError:
        # Git stops at a path that it cannot judge: behind a link, or outside.
        real = {
            folder: os.path.realpath(folder) == folder for folder in map(os.path.dirname, given)
        }
        return _ignored(root, [path for path in given if real[os.path.dirname(path)]])


def _asked(root: str, paths: list[str]) -> set[str]:
    if not paths:
        return set()
    given = b"\0".join(os.fsencode(path) for path in paths)
    listed = run(root, "check-ignore", "-z", "--stdin", "--no-index", stdin=given, ok=(0, 1))
    return {os.fsdecode(path) for path in listed.split(b"\0") if path}


def _ignored(root: str, paths: list[str]) -> set[str]:
    """Ask in one process; Git stops at a path that it cannot judge (behind a link, outside)."""
    if not paths:
        return set()
    given = b"\0".join(os.fsencode(path) for path in paths)
    try:
        listed = run(root, "check-ignore", "-z", "--stdin", "--no-index", stdin=given, ok=(0, 1))
    except MlxError:
        half = len(paths) // 2
        if not half:
            return set()
        return _ignored(root, paths[:half]) | _ignored(root, paths[half:])
    return {os.fsdecode(path) for path in listed.split(b"\0") if path}


def ignored_folders(root: str) -> list[str]:
    """Return the folders that Git ignores as a whole, relative to `root`, without the slash."""
    listed = run(
        root,
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
        "--",
        ".",
    )
    found = [os.fsdecode(path) for path in listed.split(b"\0") if path.endswith(b"/")]
    # Git also lists a folder of which only all files are ignored; a file to come may not be.
    really = ignored(root, [os.path.join(root, path) for path in found])
    return [path[:-1] for path in found if os.path.join(root, path) in really]


def tracked(root: str, paths: Iterable[str]) -> set[str]:
    """Return those of the absolute `paths` that are in Git's index, as files or as folders."""
    wanted = list(paths)
    if not wanted:
        return set()
    top = os.path.abspath(find_root(root) or root)
    known: set[str] = set()
    for start in range(0, len(wanted), _ARGUMENTS):
        part = [f":(top,literal){os.path.relpath(one, top)}" for one in wanted[start:][:_ARGUMENTS]]
        listed = run(root, "ls-files", "-z", "--full-name", "--", *part)
        for name in listed.split(b"\0"):
            path = os.fsdecode(name)
            while path and path not in known:
                known.add(path)
                path = os.path.dirname(path)
    return {path for path in wanted if os.path.relpath(path, top) in known}


def add(root: str, paths: Iterable[str]) -> None:
    """Stage the files `paths`."""
    chosen = sorted(paths)
    if chosen:
        run(root, "add", "--", *chosen)


def show(root: str, spec: str) -> str | None:
    """Return the text of an object such as `HEAD:dvc.lock`, or None where there is none."""
    try:
        return run(root, "show", spec).decode("utf-8")
    except (MlxError, UnicodeDecodeError):
        return None


def commit_id(root: str, rev: str) -> str | None:
    """Return the id of the commit that `rev` names, or None where it names none."""
    # No `--end-of-options`: old versions of Git print it; no name of a revision begins so.
    if not rev or rev.startswith("-") or "\0" in rev:
        return None
    ask = ("rev-parse", "--verify", "--quiet")
    found = run(root, *ask, f"{rev}^{{commit}}", ok=(0, 1, 128)).decode("ascii").strip()
    if not found and rev.startswith(":/"):  # all that follows is a pattern
        named = run(root, *ask, rev, ok=(0, 1, 128)).decode("ascii").strip()
        return commit_id(root, named)
    return found if _ID.fullmatch(found) else None  # of a range it names what is left out


def list_files(root: str, commit: str, folder: str = "") -> dict[str, str]:
    """Return the ids of a commit's files (no links, no submodules) below `folder`, by path.

    The folder is relative to the repository's top, the paths to the folder; one that the commit
    does not have is empty.
    """
    listed = run(root, "ls-tree", "-r", "-z", f"{commit}:{folder}", ok=(0, 128))
    found = {}
    for line in listed.split(b"\0"):
        about, _, name = line.partition(b"\t")
        if about[:3] == b"100":
            found[os.fsdecode(name)] = about.split()[2].decode("ascii")
    return found


def list_all(root: str, commit: str | None) -> dict[str, tuple[str, str]]:
    """Return mode and id of all that a commit, or the index, has, by path from the top.

    Links have mode 120000, submodules 160000.
    """
    if commit is None:
        listed = run(root, "ls-files", "-s", "-z", "--full-name", "--", ":/")
    else:
        listed = run(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    found = {}
    for line in listed.split(b"\0"):
        about, _, name = line.partition(b"\t")
        if name:
            words = about.decode("ascii").split()
            found[os.fsdecode(name)] = (words[0], words[1 if commit is None else 2])
    return found


def changed(root: str) -> list[str]:
    """Return the tracked files that differ from HEAD, by path from the top; writes nothing."""
    told = run(
        root,
        *("--no-optional-locks", "status", "--porcelain=v1", "-z", "--untracked-files=no"),
        *("--no-renames", "--ignore-submodules=all"),
    )
    return [os.fsdecode(one[3:]) for one in told.split(b"\0") if one]


def read_objects(root: str, ids: Iterable[str]) -> dict[str, bytes]:
    """Return the content of files by their ids, all read by one process; raises MlxError."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    given = "".join(f"{one}\n" for one in wanted).encode("ascii")
    data = run(root, "cat-file", "--batch", stdin=given)
    found: dict[str, bytes] = {}
    at = 0
    for one in wanted:
        end = data.index(b"\n", at)
        header = data[at:end].split()
        if len(header) != 3:
            raise MlxError(
                f"Git has no object {one}", hint="a shallow or partial clone? run: git fetch"
            )
        size = int(header[2])
        found[one] = data[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found
