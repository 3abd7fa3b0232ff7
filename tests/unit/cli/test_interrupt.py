"""Ctrl-C where no command runs yet, or none any more."""

import json
import subprocess
import sys

import pytest

# Stands in for Ctrl-C in the midst of an import, which is most of a short command's time.
AT_IMPORT = """
import sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
"""
AT_THE_END = """
import atexit, os, signal
atexit.register(os.kill, os.getpid(), signal.SIGINT)
"""
RUN = """
from mlxkit.__main__ import main
sys.exit(main())
"""


def _run(before: str, *args: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", f"import sys\n{before}\n{RUN}", *args]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["typer", "mlxkit.cli.app", "mlxkit.cli.checkout"])
def test_while_it_starts(name: str) -> None:
    done = _run(AT_IMPORT.format(name=name), "checkout")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: interrupted\n"
    document = json.loads(_run(AT_IMPORT.format(name=name), "checkout", "--json").stdout)
    assert document["error"]["code"] == "interrupted"


def test_when_all_is_done() -> None:
    done = _run(AT_THE_END, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands" in done.stdout
