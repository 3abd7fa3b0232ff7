"""Watching every process of a command with `strace`, and reading what it wrote."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache

from mlxkit.pipeline.spec import inside
from mlxkit.tools.alive import is_running, start_mark
from mlxkit.trace.events import CONNECT, LIST, READ, START, WRITE, Event

_CALLS = (
    *("open", "openat", "openat2", "creat", "execve", "execveat", "getdents", "getdents64"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat"),
    *("symlink", "symlinkat", "truncate", "chdir", "fchdir", "clone", "clone3", "fork", "vfork"),
    *("connect", "sendto"),
)
_LONGEST = 8192
"""So many characters of a text are written: more than the longest path, quoted."""
PATIENCE = 20.0

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?([a-z0-9_]+)(?: resumed>|\()(.*)$", re.DOTALL)
_RESULT = re.compile(r"(.*)\) += (-?\d+|\?|0x[0-9a-f]+)(?:<((?:[^<>\\]|\\.)*)>)?.*$", re.DOTALL)
_STRING = r'"((?:[^"\\]|\\.)*)"'
_TEXT = re.compile(_STRING)
_AT = re.compile(r"(AT_FDCWD|-?\d+)(?:<((?:[^<>\\]|\\.)*)>)?, " + _STRING)
_FD = re.compile(r"\d+<((?:[^<>\\]|\\.)*)>")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|[0-7]{1,3}|.)")
_LETTERS = {"n": 10, "t": 9, "r": 13, "v": 11, "f": 12, "a": 7, "b": 8, "e": 27}
_ADDRESS = re.compile(
    r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"', re.DOTALL
)
_UNFINISHED = " <unfinished ...>"


@cache
def find_strace() -> tuple[str, ...] | None:
    """Return the words that start strace here, None where there is none that may trace."""
    import shutil
    import subprocess

    program = shutil.which("strace")
    if program is None:
        return None
    plain: tuple[str, ...] = (program, "-f", "-D", "-y", "-qq", "-s", str(_LONGEST))
    plain += ("-e", "signal=none")
    plain += ("-e", "trace=" + ",".join(f"?{one}" for one in _CALLS))
    for words in ((*plain, "--seccomp-bpf"), plain):
        try:
            done = subprocess.run(
                [*words, "-o", os.devnull, "true"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0 and not done.stderr:
            return words
    return None


def wait_for_end(log: str) -> None:
    """Wait until the strace that writes `log` has written all; its processes have ended."""
    import psutil

    tracers = []
    for process in psutil.process_iter():
        try:
            if log in process.cmdline() and process.pid != os.getpid():
                tracers.append((process.pid, start_mark(process.pid)))
        except psutil.Error:
            continue
    end = time.monotonic() + PATIENCE
    while any(is_running(*one) for one in tracers) and time.monotonic() < end:
        time.sleep(0.005)


def read(lines: Iterable[str], cwd: str, top: str) -> Iterator[Event]:
    """Yield the events of strace's lines; `cwd` is where the first process started.

    A path is told as the program named it, but where it leads into `top` from outside by a link.
    """
    reader = _Reader(cwd, top)
    for line in lines:
        yield from reader.line(line.rstrip("\n"))


class _Reader:
    """Follows processes through the lines: who works in which folder, and what is unfinished."""

    def __init__(self, cwd: str, top: str) -> None:
        self._start = cwd
        self._top = top
        self._cwd: dict[int, str] = {}
        self._group: dict[int, int] = {}
        self._program: dict[int, str] = {}
        self._unfinished: dict[int, str] = {}
        self._last_parent: int | None = None

    def line(self, text: str) -> Iterator[Event]:
        found = _LINE.match(text)
        if found is None:
            return
        pid, call, rest = int(found[1]), found[2], found[3]
        self._know(pid)
        if rest.endswith(_UNFINISHED):
            self._unfinished[pid] = rest[: -len(_UNFINISHED)]
            if call.startswith(("clone", "fork", "vfork")):
                self._last_parent = pid
            return
        if "<... " in text[:20]:
            rest = self._unfinished.pop(pid, "") + rest
        done = _RESULT.match(rest)
        # A connection may be under way (-1), or refused: it was wanted.
        if done is None or (done[2].startswith("-") and call != "connect"):
            return
        yield from self._call(pid, call, done[1], done[2], _unescaped(done[3] or ""))

    def _know(self, pid: int) -> None:
        """A process that speaks before the call that made it has returned is its maker's."""
        if pid not in self._cwd:
            parent = self._last_parent
            self._cwd[pid] = self._cwd.get(parent, self._start) if parent else self._start
            self._group[pid] = pid
            if parent:
                self._program[pid] = self._program.get(self._group[parent], "")

    def _call(self, pid: int, call: str, args: str, result: str, opened: str) -> Iterator[Event]:
        if call.startswith(("clone", "fork", "vfork")):
            self._born(pid, int(result) if result.isdigit() else 0, "CLONE_THREAD" in args)
            return
        if call == "fchdir":
            found = _FD.match(args)
            self._cwd[pid] = _unescaped(found[1]) if found else self._cwd[pid]
            return
        process = self._group[pid]
        by = self._program.get(process, "")
        if call in ("connect", "sendto"):
            address = _ADDRESS.search(args)
            if address is not None:
                host = f"[{address[2]}]" if ":" in address[2] else address[2]
                yield Event(CONNECT, process, f"{host}:{address[1]}", by)
            return
        if call.startswith("getdents"):
            found = _FD.match(args)
            if found is not None:
                yield Event(LIST, process, _unescaped(found[1]), by)
            return
        paths = self._paths(pid, call, args)
        if call == "chdir":
            self._cwd[pid] = paths[0] if paths else self._cwd[pid]
        elif call.startswith("execve"):
            words = [_unescaped(one) for one in _TEXT.findall(args)]
            self._program[process] = os.path.basename(paths[0])
            yield Event(READ, process, paths[0], by)
            yield Event(START, process, " ".join([paths[0], *words[2:]]))
        elif call.startswith(("open", "creat")):
            if opened.startswith("/") and paths and not inside(paths[0], self._top):
                paths = [opened]
            yield from (Event(kind, process, paths[0], by) for kind in _opened(call, args) if paths)
        elif call.startswith("rename"):
            yield Event(READ, process, paths[0], by)
            yield from (Event(WRITE, process, one, by) for one in paths)
        elif paths:
            # The first of a link's two names is not touched; of others there is only one.
            yield Event(WRITE, process, paths[-1], by)

    def _born(self, parent: int, child: int, is_thread: bool) -> None:
        if child:
            self._cwd[child] = self._cwd.get(child, self._cwd[parent])
            if is_thread:
                self._group[child] = self._group[parent]
            else:
                self._group.setdefault(child, child)
                self._program.setdefault(child, self._program.get(self._group[parent], ""))

    def _paths(self, pid: int, call: str, args: str) -> list[str]:
        """Return the absolute paths that a call names."""
        if "at" in call.replace("creat", "").replace("truncate", "") or call == "openat2":
            found = []
            for fd, folder, path in _AT.findall(args):
                if fd == "AT_FDCWD" and folder:
                    self._cwd[pid] = _unescaped(folder)
                base = _unescaped(folder) or self._cwd[pid]
                found.append(os.path.normpath(os.path.join(base, _unescaped(path))))
            return found
        texts = _TEXT.findall(args)
        texts = texts[:1] if call in ("execve", "open", "creat", "truncate") else texts
        return [os.path.normpath(os.path.join(self._cwd[pid], _unescaped(one))) for one in texts]


def _opened(call: str, args: str) -> Iterator[str]:
    """Yield what a file is opened for; nothing for a folder."""
    if "O_DIRECTORY" in args or "O_PATH" in args or "O_TMPFILE" in args:
        return
    writes = call == "creat" or "O_WRONLY" in args or "O_RDWR" in args
    if not writes or ("O_RDWR" in args and "O_TRUNC" not in args):
        yield READ
    if writes:
        yield WRITE


def _unescaped(text: str) -> str:
    """Return a text as it was before strace quoted it."""
    if "\\" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return chr(int(code, 8) & 255)
        return chr(_LETTERS.get(code, ord(code)))

    return os.fsdecode(_ESCAPE.sub(one, text).encode("latin-1", errors="replace"))
