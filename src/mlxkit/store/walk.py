"""Which files make up a directory, by DVC's rules."""

import os
import stat as st
from typing import NamedTuple, Protocol

from mlxkit.store.errors import UnusablePath, not_a_file, os_error, vanished


class Ignore(Protocol):
    """Takes a directory and the names in it, returns the names that count as data."""

    def __call__(
        self, root: str, dirs: list[str], files: list[str], /
    ) -> tuple[list[str], list[str]]: ...


class Stat(NamedTuple):
    """The parts of a stat that matter here, named as the system names them.

    A tenth of the memory of `os.stat_result`: a data set may have a million files.
    """

    st_ino: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_size: int
    st_nlink: int
    st_mode: int


AnyStat = os.stat_result | Stat


class Found(NamedTuple):
    """A file below the walked directory; `stat` follows links, None where one leads nowhere."""

    relpath: str
    stat: Stat | None
    link: bool = False
    """Whether it is a symbolic link itself."""


def compact(stat: os.stat_result) -> Stat:
    """Keep the parts of a stat that matter."""
    return Stat(
        stat.st_ino,
        stat.st_mtime_ns,
        stat.st_ctime_ns,
        stat.st_size,
        stat.st_nlink,
        stat.st_mode,
    )


def unwritten(before: AnyStat, now: AnyStat) -> bool:
    """Whether nobody wrote to a file, or replaced it; its mode and its links may have changed."""
    return (before.st_ino, before.st_mtime_ns, before.st_size) == (
        now.st_ino,
        now.st_mtime_ns,
        now.st_size,
    )


def walk(top: str, ignore: Ignore | None = None) -> list[Found]:
    """All files below `top`, in no particular order.

    Links to files are followed, links to directories are left alone and empty directories count
    for nothing. `ignore` replaces DVC's built-in patterns. Raises UnusablePath where a directory
    cannot be read or holds a `.dvcignore`.
    """
    found: list[Found] = []
    pending = [("", top)]
    while pending:
        prefix, root = pending.pop()
        dirs, files = _list(root)
        if ignore is not None:
            keep_dirs, keep_files = ignore(root, list(dirs), list(files))
            dirs = {name: dirs[name] for name in keep_dirs}
            files = {name: files[name] for name in keep_files}
        elif not _drop_builtin(dirs, files, nested=bool(prefix)):
            continue
        if ".dvcignore" in files:
            # DVC refuses this: the patterns above the directory decide what is in it.
            raise UnusablePath(
                f"'{root}' holds a .dvcignore, which is not allowed inside of tracked data",
                hint="move its patterns to a .dvcignore above the tracked directory",
            )
        found += _look_all(prefix, files)
        pending += [
            (f"{prefix}{name}/", entry.path)
            for name, entry in dirs.items()
            if not entry.is_symlink()
        ]
    return found


def _list(root: str) -> tuple[dict[str, "os.DirEntry[str]"], dict[str, "os.DirEntry[str]"]]:
    dirs: dict[str, os.DirEntry[str]] = {}
    files: dict[str, os.DirEntry[str]] = {}
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                try:
                    is_dir = entry.is_dir()
                except OSError:  # a loop of links
                    is_dir = False
                (dirs if is_dir else files)[entry.name] = entry
    except FileNotFoundError as exc:
        raise vanished(root) from exc
    except OSError as exc:
        # DVC passes over a directory it may not read and so records less than there is.
        raise os_error(exc, "read", root) from exc
    return dirs, files


def _drop_builtin(
    dirs: dict[str, "os.DirEntry[str]"], files: dict[str, "os.DirEntry[str]"], *, nested: bool
) -> bool:
    """Take out what DVC always ignores; False where the directory is a repository of its own."""
    if nested and (".dvc" in dirs or ".dvc" in files):
        return False
    for name in (".git", ".hg", ".dvc"):
        dirs.pop(name, None)
    files.pop(".git", None)
    return True


def _look_all(prefix: str, files: dict[str, "os.DirEntry[str]"]) -> list[Found]:
    """Look at all files of one directory: the hottest loop of a look at a large data set."""
    found = []
    regular, kind_of, new = st.S_IFREG, st.S_IFMT, tuple.__new__
    for name, entry in files.items():
        if entry.is_symlink():
            found.append(_look(prefix + name, entry))
            continue
        try:
            one = entry.stat(follow_symlinks=False)
        except OSError:
            found.append(_look(prefix + name, entry))
            continue
        mode = one.st_mode
        if kind_of(mode) != regular:
            found.append(_look(prefix + name, entry))
            continue
        kept = (one.st_ino, one.st_mtime_ns, one.st_ctime_ns, one.st_size, one.st_nlink, mode)
        found.append(new(Found, (prefix + name, new(Stat, kept), False)))
    return found


def _look(relpath: str, entry: "os.DirEntry[str]") -> Found:
    try:
        stat = entry.stat()
    except OSError as exc:
        if entry.is_symlink():
            return Found(relpath, None, link=True)
        if isinstance(exc, FileNotFoundError):
            raise vanished(entry.path) from exc
        raise os_error(exc, "read", entry.path) from exc
    if not st.S_ISREG(stat.st_mode):
        raise not_a_file(entry.path, "neither a file nor a directory")
    return Found(relpath, compact(stat), entry.is_symlink())
