"""The one door to Git: the `git` program, called with NUL-separated paths."""

import os
from collections.abc import Iterable

from mlxkit.core.errors import MlxError, ProjectError


def run(root: str, *args: str, stdin: bytes | None = None, ok: tuple[int, ...] = (0,)) -> bytes:
    """Return what `git -C root args` prints; raises MlxError when it exits with another code."""
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", root, *args],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise MlxError("git is not installed", hint="install Git and try again") from None
    if done.returncode not in ok:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise MlxError(f"git {args[0]} failed: {said[-1] if said else done.returncode}")
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


def require_root(start: str) -> str:
    """Return the folder that holds `.git`; raises ProjectError where there is none."""
    root = find_root(start)
    if root is None:
        raise ProjectError("this is not a Git repository", hint="run: git init")
    return root


def ignored(root: str, paths: Iterable[str]) -> set[str]:
    """Return those of the absolute `paths` that ignore files exclude (end folders with `/`)."""
    given = [os.fsencode(path) for path in paths]
    if not given:
        return set()
    listed = run(
        root, "check-ignore", "-z", "--stdin", "--no-index", stdin=b"\0".join(given), ok=(0, 1, 128)
    )
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
    return [os.fsdecode(path[:-1]) for path in listed.split(b"\0") if path.endswith(b"/")]


def tracked(root: str, paths: Iterable[str]) -> set[str]:
    """Return those of the absolute `paths` that are in Git's index, as files or as folders."""
    wanted = list(paths)
    if not wanted:
        return set()
    listed = run(root, "ls-files", "-z", "--full-name", "--", *wanted)
    top = os.path.abspath(find_root(root) or root)
    files = [os.path.join(top, os.fsdecode(path)) for path in listed.split(b"\0") if path]
    return {
        path
        for path in wanted
        if any(file == path or file.startswith(path + os.sep) for file in files)
    }


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
