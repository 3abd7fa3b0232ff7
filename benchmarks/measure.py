"""Running one command and measuring it: wall time and peak memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path(sys.executable).parent
TOOLS = {"dvc": [str(BIN / "dvc")], "mlx": [str(BIN / "mlx")]}
"""The commands as they are installed."""


@dataclass(frozen=True)
class Run:
    """Seconds on the wall; peak memory of the largest process, in MiB."""

    seconds: float
    peak_mib: float


@dataclass
class Series:
    """All runs of one tool at one work and size."""

    runs: list[Run] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak_mib(self) -> float:
        """The largest."""
        return max(run.peak_mib for run in self.runs)

    def to_json(self) -> dict[str, object]:
        """For results.json."""
        return {
            "seconds": round(self.seconds, 4),
            "runs": [round(run.seconds, 4) for run in self.runs],
            "peak_mib": round(self.peak_mib, 1),
        }


def environment(home: Path) -> dict[str, str]:
    """Default settings of both tools, none of the user's."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / "gitconfig"
    config.write_text("[user]\n\tname = Bench\n\temail = bench@example.org\n[gc]\n\tauto = 0\n")
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(
            [os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"]
        ),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def run(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Run:
    """Run a command that must succeed."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise SystemExit(f"{' '.join(argv)} exited with {process.returncode}:\n{text}")
    return Run(seconds, usage.ru_maxrss / 1024)
