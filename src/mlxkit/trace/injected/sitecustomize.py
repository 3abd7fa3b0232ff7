"""Tells `mlx trace` what this Python opens, lists, starts, connects to, and asks its environment.

Python imports it at its start, because its folder is on PYTHONPATH. It must never change or stop
the program that it watches, and works on its own: nothing of mlx can be imported here.
"""

from __future__ import annotations

import os
import sys
from _thread import _local

TYPE_CHECKING = False  # as `typing` has it, without importing that into every program
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_SKIPPED = (os.path.join(_HERE, ""), os.__file__)
_INSTALLED, _IMPORTING = ("site-packages", "dist-packages"), ("importlib", "pkgutil")
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class _Watch:
    """Writes one line an event to `log`; `top` is the repository, whose code is the user's own."""

    def __init__(self, log: str, top: str) -> None:
        self.log = log
        self.top = os.path.join(top, "")
        self.busy = _local()
        self.told: set[tuple[str, str]] = set()
        self.handlers: dict[str, Callable[..., None]] = {
            "open": self.opened,
            "os.listdir": self.listed,
            "os.scandir": self.listed,
            "os.remove": self.removed,
            "os.truncate": self.changed,
            "os.rename": self.moved,
            "os.link": self.linked,
            "os.symlink": self.linked,
            "subprocess.Popen": self.started,
            "os.exec": self.started,
            "os.posix_spawn": self.started,
            "os.system": self.system,
            "import": self.imported,
            "socket.connect": self.connected,
            "socket.sendto": self.connected,
            "sqlite3.connect": self.database,
        }

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        handler = self.handlers.get(event)
        if handler is not None:
            # None where Python itself opens the program, before anything is called.
            self.quietly(handler, sys._getframe().f_back, *args)

    def quietly(self, handler: Callable[..., None], *args: Any) -> None:
        """Call a handler; what it opens itself is no event, and the program goes on in any case."""
        if getattr(self.busy, "now", False):
            return
        self.busy.now = True
        try:
            handler(*args)
        except Exception:
            pass
        finally:
            self.busy.now = False

    def tell(self, kind: str, what: str, frame: FrameType | None = None) -> None:
        if (kind, what) in self.told:
            return
        self.told.add((kind, what))
        line = ascii((kind, os.getpid(), what, self.own_line(frame))) + "\n"
        # Opened each time: a program may close what it does not know, and reuse the number.
        fd = os.open(self.log, _APPEND, 0o600)
        try:
            os.write(fd, line.encode("ascii"))
        finally:
            os.close(fd)

    def begin(self) -> None:
        self.quietly(self.tell, "begin", str(os.getpid()))

    def opened(self, frame: FrameType | None, path: Any, mode: Any = None, flags: int = 0) -> None:
        if isinstance(path, int):
            return
        path, flags = full_path(path), flags or 0
        access = flags & 3
        if access != os.O_WRONLY and not flags & os.O_TRUNC and is_file(path):
            self.tell("read", path, frame)
        if access != os.O_RDONLY:
            self.tell("write", path, frame)

    def listed(self, frame: FrameType | None, path: Any = None) -> None:
        if not isinstance(path, int) and not self.is_import(frame):
            self.tell("list", full_path(path or "."), frame)

    def changed(self, frame: FrameType | None, path: Any, *_: Any) -> None:
        if not isinstance(path, int):
            self.tell("write", full_path(path), frame)

    def removed(self, frame: FrameType | None, path: Any, folder: int = -1) -> None:
        self.tell("write", full_path(path, folder), frame)

    def moved(
        self, frame: FrameType | None, source: Any, target: Any, one: int = -1, two: int = -1
    ) -> None:
        if is_file(full_path(source, one)):
            self.tell("read", full_path(source, one), frame)
        self.removed(frame, source, one)
        self.removed(frame, target, two)

    def linked(self, frame: FrameType | None, _: Any, target: Any, *folders: int) -> None:
        self.removed(frame, target, *folders[-1:])

    def started(self, frame: FrameType | None, program: Any, words: Any = None, *_: Any) -> None:
        given = list(words)[1:] if isinstance(words, (list, tuple)) else []
        told = [os.fsdecode(os.fspath(one)) for one in [program, *given]]
        self.tell("start", " ".join(told), frame)

    def system(self, frame: FrameType | None, command: Any) -> None:
        self.tell("start", "sh -c " + os.fsdecode(command), frame)

    def imported(
        self, frame: FrameType | None, name: str, path: str | None = None, *_: Any
    ) -> None:
        if path:  # a compiled module: what it opens itself raises no event
            if "lib-dynload" not in path:
                self.tell("native", name.partition(".")[0])
            self.tell("read", full_path(path), frame)

    def connected(self, frame: FrameType | None, _: Any, address: Any) -> None:
        if isinstance(address, tuple) and len(address) > 1:
            host = "[" + address[0] + "]" if ":" in str(address[0]) else str(address[0])
            self.tell("connect", host + ":" + str(address[1]), frame)

    def database(self, frame: FrameType | None, path: Any) -> None:
        if path != ":memory:" and is_file(full_path(path)):
            self.tell("read", full_path(path), frame)

    def asked(self, key: Any) -> None:
        """Note a variable that code of the repository asks for itself."""
        frame = outside_of_os(sys._getframe())
        if frame is not None and self.is_own(frame.f_code.co_filename):
            self.tell("variable", os.fsdecode(key), frame)

    def is_own(self, name: str) -> bool:
        if name.startswith("<"):
            return name in ("<string>", "<stdin>")
        full = os.path.abspath(name)
        return full.startswith(self.top) and not any(one in full for one in _INSTALLED)

    def own_line(self, frame: FrameType | None) -> str:
        """Say which line of the repository's code brought us here."""
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith(_SKIPPED) and self.is_own(name):
                if name.startswith("<"):
                    return "the command"
                return os.path.abspath(name) + ":" + str(frame.f_lineno)
            frame = frame.f_back
        return ""

    def is_import(self, frame: FrameType | None) -> bool:
        """Tell whether Python looks for modules: a list of a folder that nobody asked for."""
        while frame is not None and not self.is_own(frame.f_code.co_filename):
            if any(one in frame.f_code.co_filename for one in _IMPORTING):
                return True
            frame = frame.f_back
        return False


def full_path(path: Any, folder: int | None = -1) -> str:
    """Return an absolute path; `folder` is the number of an open one that it starts from."""
    name: str = os.fsdecode(os.fspath(path))
    if folder is not None and folder >= 0:
        name = os.path.join(os.readlink("/proc/self/fd/" + str(folder)), name)
    return os.path.abspath(name)


def is_file(path: str) -> bool:
    try:
        return os.stat(path).st_mode & 0o170000 == 0o100000
    except OSError:
        return False


def outside_of_os(frame: FrameType | None) -> FrameType | None:
    """Return the first frame that is not of `os.environ` itself, nor of this file."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not (name.startswith(_SKIPPED) or "os>" in name or "_collections_abc" in name):
            return frame
        frame = frame.f_back
    return None


def watch_environ(watch: _Watch) -> None:
    """Put our own between the program and `os.environ`."""
    kind: Any = type(os.environ)
    get, put, walk = kind.__getitem__, kind.__setitem__, kind.__iter__
    own = set()
    # A copy of all (`dict(os.environ)`) asks for each in turn: that is no interest in any of them.
    walked: list[Any] = []

    def getitem(self: Any, key: Any) -> Any:
        if walked and walked[0] == key:
            del walked[0]
            return get(self, key)
        walked.clear()
        if key not in own:
            watch.quietly(watch.asked, key)
        return get(self, key)

    def setitem(self: Any, key: Any, value: Any) -> None:
        own.add(key)
        put(self, key, value)

    def iterate(self: Any) -> Iterator[Any]:
        walked.clear()
        for key in walk(self):
            walked.append(key)
            yield key

    kind.__getitem__, kind.__setitem__, kind.__iter__ = getitem, setitem, iterate


def go_on() -> None:
    """Import the `sitecustomize` that would have been found without this one."""
    sys.path[:] = [one for one in sys.path if os.path.abspath(one) != _HERE]
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def start() -> None:
    log, top = os.environ.get("MLX_TRACE_LOG"), os.environ.get("MLX_TRACE_TOP")
    if log and top and hasattr(sys, "addaudithook"):
        watch = _Watch(log, top)
        watch.begin()
        os.register_at_fork(after_in_child=watch.begin)
        watch_environ(watch)
        sys.addaudithook(watch.hook)
    go_on()


start()
