"""Commands that run in the background, to be watched, interrupted and killed."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from .commands import TIMEOUT, Result, mlx_argv
from .project import Project


def wait_for(condition: Callable[[], object], what: str, timeout: float = TIMEOUT) -> None:
    """Return once the condition holds; only a hang reaches the timeout."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def project_lock(project: Project) -> Iterator[None]:
    """Hold DVC's lock of a project as another live process does, and let go of it."""
    path = project.root / ".dvc" / "tmp" / "lock"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(f" {os.getpid()}\n")
        file.flush()
        yield


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid) if alive(pid) else None
    except ProcessLookupError:
        return None


class Running:
    """A command started in a session of its own, as a terminal does."""

    def __init__(self, project: Project, argv: Sequence[str], **env: str) -> None:
        self.argv = tuple(argv)
        self.process = subprocess.Popen(
            argv,
            cwd=project.root,
            env={**project.tools.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @classmethod
    def mlx(cls, project: Project, *args: str, **env: str) -> "Running":
        """Start `mlx ARGS`."""
        return cls(project, mlx_argv(*args), **env)

    def says(self, text: str) -> None:
        """Return once it has written a line with this text to stderr; it has to, or to end."""
        assert self.process.stderr
        for line in iter(self.process.stderr.readline, b""):
            if text in line.decode(errors="replace"):
                return
        raise AssertionError(f"it never said: {text}")

    def finish(self, timeout: float = TIMEOUT) -> Result:
        """Wait for the end; what it answered. A hang is ended and fails."""
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill(whole_tree=True)
            raise AssertionError(f"still running after {timeout:g} s: {self.argv}") from None
        code = self.process.returncode
        return Result(self.argv, code, out.decode(errors="replace"), err.decode(errors="replace"))

    def left(self) -> list[int]:
        """The live processes of its group: it, and all that it started and did not part with."""
        return [one.pid for one in psutil.process_iter() if _group(one.pid) == self.process.pid]

    def ends_within(self, seconds: float) -> bool:
        """Let it run for so long; True when it ended by itself."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tree(self) -> list[psutil.Process]:
        """The process and everything below it."""
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self, *, whole_tree: bool) -> None:
        """SIGKILL the process alone, or with all its descendants."""
        victims = self.tree() if whole_tree else []
        self.process.kill()
        for victim in victims:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                pass
        self.process.wait()
        # What outlives it holds the pipes open: read no more.
        assert self.process.stdout and self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()

    def interrupt(self) -> None:
        """What a terminal does on Ctrl-C: SIGINT to the foreground process group, if any."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """SIGTERM to the process alone."""
        self.process.terminate()
