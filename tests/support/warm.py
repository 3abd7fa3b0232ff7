"""Commands in forks of a warm process: the same behaviour, a third of the time."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from .commands import TIMEOUT, Result, StrPath


class Warm:
    """One warm process, started when first asked; raises TimeoutExpired as `run` does."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")
        self._process: subprocess.Popen[str] | None = None
        self._busy = threading.Lock()

    def run(self, program: str, args: Sequence[str], cwd: StrPath) -> Result | None:
        """Run `dvc ARGS` or `mlx ARGS` in `cwd`; None while it runs another, for another thread."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            return self._run(program, args, cwd)
        finally:
            self._busy.release()

    def close(self) -> None:
        """End the process."""
        if self._process:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None
        self._folder.cleanup()

    def _run(self, program: str, args: Sequence[str], cwd: StrPath) -> Result:
        request = {"program": program, "argv": list(args), "cwd": str(cwd), "env": self._env}
        # New files each time: what an earlier command left running may still write to its own.
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            files = {name: os.path.join(folder, name) for name in ("stdout", "stderr")}
            code = self._ask({**request, **files})
            texts = {
                name: Path(path).read_bytes().decode("utf-8", "replace")
                for name, path in files.items()
            }
        return Result((program, *args), code, **texts)

    def _ask(self, request: Mapping[str, object]) -> int:
        process = self._start()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        hangs = not select.select([process.stdout], [], [], TIMEOUT)[0]
        for one in psutil.Process(process.pid).children(recursive=True) if hangs else ():
            with suppress(psutil.NoSuchProcess):
                one.kill()
        answer = process.stdout.readline()
        assert answer, "the warm process ended"
        if hangs:
            raise subprocess.TimeoutExpired(str(request["argv"]), TIMEOUT)
        return int(json.loads(answer)["code"])

    def _start(self) -> "subprocess.Popen[str]":
        if self._process is None:
            script = os.path.join(os.path.dirname(__file__), "warm_server.py")
            self._process = subprocess.Popen(
                [sys.executable, script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._env,
                text=True,
                encoding="utf-8",
            )
        return self._process
