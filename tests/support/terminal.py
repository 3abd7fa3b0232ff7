"""A terminal of its own for a command, to be read and typed at."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from .commands import TIMEOUT, mlx_argv
from .project import Project

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A command in the foreground of a terminal of its own."""

    def __init__(self, project: Project, *args: str, columns: int = 100, **env: str) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        # The first terminal that a session's leader opens is the one that Ctrl-C comes from.
        attach = ["/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&1', os.ttyname(follower)]
        self._process = subprocess.Popen(
            [*attach, *mlx_argv(*args)],
            cwd=project.root,
            env={**project.tools.env, "TERM": "xterm-256color", **env},
            start_new_session=True,
        )
        self._follower = follower
        self.raw = ""

    @property
    def text(self) -> str:
        """All that was written, without colours and moves."""
        return ESCAPE.sub("", self.raw)

    def wait_for(self, words: str) -> None:
        """Read until the text has these words."""
        deadline = time.monotonic() + TIMEOUT
        while words not in self.text:
            assert time.monotonic() < deadline, f"never shown: {words!r}\n{self.text[-2000:]}"
            assert self._read(), f"never shown: {words!r}\n{self.text}"

    def type(self, keys: str) -> None:
        os.write(self._leader, keys.encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + TIMEOUT
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end\n{self.text}"
            if select.select([self._leader], [], [], 0.02)[0]:
                self._read()
        os.close(self._follower)
        self._follower = -1
        while self._read():
            pass
        return self._process.returncode

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for fd in (self._leader, self._follower):
            if fd >= 0:
                os.close(fd)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._leader], [], [], TIMEOUT)
        assert ready, f"the terminal is silent\n{self.text}"
        try:
            data = os.read(self._leader, 65536)
        except OSError:  # Linux: the last one on the other side is gone
            return False
        self.raw += data.decode("utf-8", "replace")
        return bool(data)
