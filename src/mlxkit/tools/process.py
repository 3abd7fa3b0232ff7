"""Runs a stage's commands as processes of their own, and ends whole process groups."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlxkit.core.errors import MlxError
from mlxkit.tools.gpu import GpuWatch
from mlxkit.tools.usage import Usage, wait_and_measure

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True, slots=True)
class Ended:
    """How the commands ended: `code` as a shell says it, negative for a signal."""

    code: int
    command: str
    seconds: float
    cpu_seconds: float | None = None
    """Of the processors, by all processes that the commands waited for; None: not known."""
    peak_memory: int | None = None
    """Bytes that the largest process held in memory at once."""
    read_bytes: int | None = None
    """Bytes that they asked the system to read, from a device or not; pipes count, too."""
    written_bytes: int | None = None
    gpu_seconds: float | None = None
    """GPUs times the seconds that they were held."""


class Commands:
    """Shell commands run one after the other in a thread; stops at the first that fails.

    Each runs in a session of its own, so that a signal reaches everything it started, and writes
    straight into the log file: nothing is lost when we are killed, and a background process that
    outlives its shell does not keep us waiting.
    """

    def __init__(
        self,
        commands: list[str],
        *,
        cwd: str,
        env: dict[str, str],
        log: str,
        on_end: Callable[[Ended], None],
        prefix: Sequence[str] = (),
    ) -> None:
        """`prefix` are the words of a program that shall start the shell."""
        self._commands = commands
        self._prefix = prefix
        self._cwd = cwd
        self._env = env
        self._log = log
        self._on_end = on_end
        self._lock = threading.Lock()
        self._stopped = False
        self._groups: list[int] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def signal(self, number: int) -> None:
        """Send a signal to everything that the commands started; start no further command."""
        with self._lock:
            self._stopped = True
            for group in self._groups:
                kill_group(group, number)

    def _run(self) -> None:
        started = time.monotonic()
        code, command = 0, ""
        used = Usage()
        try:
            with open(self._log, "ab", buffering=0) as log:
                for command in self._commands:
                    code, more = self._one(command, log.fileno())
                    used = used.plus(more)
                    if code != 0:
                        break
        except OSError as error:
            code, command = 126, f"{command}: {error.strerror}"
        except Exception as error:
            # Whatever it is, the one who waits for the end must hear of it.
            code, command = 126, f"{command}: {error}"
        seconds = time.monotonic() - started
        self._on_end(Ended(code, command, seconds, **used._asdict()))

    def _one(self, command: str, log: int) -> tuple[int, Usage]:
        import subprocess

        with self._lock:
            if self._stopped:
                return -signal.SIGTERM, Usage()
            process = subprocess.Popen(
                [*self._prefix, *shell_arguments(command)],
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._groups.append(process.pid)
        gpus = GpuWatch(process.pid)
        code, used = wait_and_measure(process)
        with self._lock:
            if not kill_group(process.pid, 0):
                self._groups.remove(process.pid)  # its number may soon be another's
        return code, used._replace(gpu_seconds=gpus.stop())


def shell_arguments(command: str) -> list[str]:
    """Return how DVC calls the user's own shell: without its start-up files."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    options = {
        "zsh": ["--no-rcs"],
        "bash": ["--noprofile", "--norc"],
        "fish": ["--no-config"],
    }.get(os.path.basename(shell).lower(), [])
    return [shell, *options, "-c", command]


def require_shell() -> None:
    """Raise MlxError where the shell that commands run in is not there."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    if not (os.path.isabs(shell) and os.access(shell, os.X_OK)):
        raise MlxError(
            f"the shell '{shell}' (from $SHELL) cannot be run", hint="set SHELL to an existing one"
        )


def kill_group(group: int, number: int) -> bool:
    """Send a signal to a process group; tell whether there is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def end_leftovers(mark: str, grace: float = 0) -> int:
    """Kill every process whose environment holds `mark`; return how many there were.

    With `grace`, those that end by themselves within so many seconds are not counted.
    """
    import psutil

    if grace and (ending := list(_marked(mark))):
        psutil.wait_procs(ending, timeout=grace)
    found = []
    for process in _marked(mark):
        try:
            process.kill()
            found.append(process)
        except psutil.Error:
            continue
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _marked(mark: str) -> Iterator["psutil.Process"]:
    """Yield the processes whose environment holds `mark`, without this one."""
    import psutil

    name, _, value = mark.partition("=")
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(name) == value:
                yield process
        except psutil.Error:
            continue
