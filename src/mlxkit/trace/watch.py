"""One watched run of a stage's commands: its logs below `.mlx/run/`, and what they tell."""

import os
import queue
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.tools.process import Commands, Ended, end_leftovers
from mlxkit.trace import hook, strace
from mlxkit.trace.events import Seen, gather, joined

GRACE_SECONDS = 5.0
SETTLING_SECONDS = 1.0
"""Helpers of `multiprocessing` and the like end by themselves, shortly after their program."""


class Watch:
    """Runs the commands, with strace where its `words` are given, and reads what was seen."""

    def __init__(
        self, session: RunSession, stage: Stage, words: tuple[str, ...] | None, top: str
    ) -> None:
        """Only what happens below `top` is told."""
        self._session, self._stage, self._words, self._top = session, stage, words, top
        self._base = os.path.join(session.rundir.folder, "trace-" + os.urandom(4).hex())
        self.log = os.path.join(self._base, "output")
        self._told = os.path.join(self._base, "python")

    @contextmanager
    def folder(self) -> Iterator[None]:
        """Have a folder for the logs while the block runs."""
        os.makedirs(self._base)
        try:
            yield
        finally:
            shutil.rmtree(self._base, ignore_errors=True)

    def run(self) -> tuple[Ended, int]:
        """Run the commands to their end; tell how many processes they had left running."""
        seconds, ended, detached = 0.0, Ended(0, "", 0.0), 0
        for number, command in enumerate(commands(self._stage)):
            ended, more = self._one(number, command)
            seconds += ended.seconds
            detached += more
            if ended.code != 0:
                break
        return Ended(ended.code, ended.command, seconds), detached

    def seen(self) -> Seen:
        """Return what was seen so far."""
        inside = gather(hook.read(_lines(self._told)))
        if self._words is None:
            return inside
        return joined(
            (
                event
                for number in range(len(commands(self._stage)))
                for event in strace.read(_lines(self._out(number)), self._stage.wdir, self._top)
            ),
            inside,
        )

    def _one(self, number: int, command: str) -> tuple[Ended, int]:
        done: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        out = self._out(number)
        env = self._environment()
        prefix: tuple[str, ...] = ()
        if self._words is not None:
            # The mark is for the command alone: strace ends by itself, after all that it watches.
            name, _, value = self._session.rundir.mark.partition("=")
            env.pop(name)
            prefix = (*self._words, "-E", f"{name}={value}", "-o", out)
        running = Commands(
            [hook.kept_on_path(command)],
            cwd=self._stage.wdir,
            env=env,
            log=self.log,
            on_end=done.put,
            prefix=prefix,
        )
        running.start()
        try:
            ended = done.get()
        except KeyboardInterrupt:
            _stop(running, done)
            raise
        finally:
            # What still runs would write into files that are put back now.
            detached = end_leftovers(self._session.rundir.mark, SETTLING_SECONDS)
            if self._words is not None:
                strace.wait_for_end(out)
        return Ended(ended.code, command, ended.seconds), detached

    def _environment(self) -> dict[str, str]:
        env = hook.variables(os.environ, self._told, self._top)
        env.setdefault("DVC_ROOT", self._session.root)
        env["DVC_STAGE"] = self._stage.address(os.getcwd())
        name, _, value = self._session.rundir.mark.partition("=")
        return {**env, name: value}

    def _out(self, number: int) -> str:
        return os.path.join(self._base, f"strace-{number}")


def _lines(path: str) -> Iterator[str]:
    with suppress(FileNotFoundError), open(path, encoding="ascii", errors="replace") as file:
        yield from file


def _stop(running: Commands, done: "queue.SimpleQueue[Ended]") -> None:
    """End the command, and if it will not, kill it."""
    for number in (signal.SIGINT, signal.SIGKILL):
        running.signal(number)
        with suppress(queue.Empty, KeyboardInterrupt):
            done.get(timeout=GRACE_SECONDS)
            return
