"""Commands that ask a question at a terminal, and get an answer."""

import os
import pty
import subprocess
import termios

from .commands import mlx_argv
from .project import Project


def answered(project: Project, keys: str, *args: str, columns: int = 80) -> str:
    """Run `mlx ARGS` at a terminal of its own where `keys` were typed; all that it showed."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(leader, (24, columns))
    os.write(leader, keys.encode())
    process = subprocess.Popen(
        mlx_argv(*args),
        cwd=project.root,
        env=dict(project.tools.env),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
    except OSError:  # how Linux tells that nobody writes any more
        pass
    os.close(leader)
    process.wait()
    return shown.decode(errors="replace").replace("\r", "")
