"""Commands as processes of their own: their log, their end, and the end of all they started."""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.processes import alive, wait_for

from mlxkit.core.errors import MlxError
from mlxkit.tools import process
from mlxkit.tools.alive import is_running, start_mark
from mlxkit.tools.process import Commands, Ended

LOOP = "while :; do sleep 0.05; done"


class Run:
    """Commands that are started, and how they end."""

    def __init__(self, folder: Path, *lines: str, env: dict[str, str] | None = None) -> None:
        self.log = folder / "log"
        self.ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        path = {"PATH": os.environ["PATH"]}
        self.commands = Commands(
            list(lines),
            cwd=str(folder),
            env={**path, **(env or {})},
            log=str(self.log),
            on_end=self.ended.put,
        )
        self.commands.start()

    def end(self) -> Ended:
        return self.ended.get(timeout=60)


def _pid(path: Path) -> int:
    """The number that a process writes into a file, once it is there."""
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"), f"{path.name} is written")
    return int(path.read_text())


def test_commands_run_one_after_the_other_and_all_they_say_is_in_the_log(tmp_path: Path) -> None:
    run = Run(tmp_path, "echo one; echo two >&2", "pwd", 'printf %s "$X"', env={"X": "thrée"})
    ended = run.end()
    assert (ended.code, ended.command) == (0, 'printf %s "$X"')
    assert run.log.read_text() == f"one\ntwo\n{tmp_path}\nthrée"


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("+ echo 1\n")
    Run(tmp_path, "echo 1").end()
    assert (tmp_path / "log").read_text() == "+ echo 1\n1\n"


def test_the_first_that_fails_ends_them(tmp_path: Path) -> None:
    run = Run(tmp_path, "echo 1", "exit 7", "echo never")
    ended = run.end()
    assert (ended.code, ended.command) == (7, "exit 7")
    assert run.log.read_text() == "1\n"


@pytest.mark.parametrize(("command", "code"), [
    ("kill -9 $$", -9), ("kill -TERM $$", -15), ("no-such-command-here", 127), ("(exit 300)", 44),
])  # fmt: skip
def test_how_it_ended(command: str, code: int, tmp_path: Path) -> None:
    assert Run(tmp_path, command).end().code == code


def test_a_folder_that_is_gone_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
    gone, log = str(tmp_path / "gone"), str(tmp_path / "log")
    Commands(["echo"], cwd=gone, env={}, log=log, on_end=ended.put).start()
    assert ended.get(timeout=60).code == 126


def test_no_standard_input(tmp_path: Path) -> None:
    run = Run(tmp_path, "cat; echo done")
    assert run.end().code == 0
    assert run.log.read_text() == "done\n"


def test_a_background_process_does_not_keep_us_waiting(tmp_path: Path) -> None:
    run = Run(tmp_path, f"({LOOP}) & echo $! > child; echo done")
    assert run.end().code == 0
    child = _pid(tmp_path / "child")
    assert alive(child)
    run.commands.signal(signal.SIGKILL)
    wait_for(lambda: not alive(child), "the background process ended")


def test_a_signal_reaches_grandchildren(tmp_path: Path) -> None:
    inner = f"sh -c 'echo $$ > grandchild; {LOOP}' & wait"
    run = Run(tmp_path, f"(echo $$ > child; {inner}) & wait", "echo never > next")
    grandchild = _pid(tmp_path / "grandchild")
    run.commands.signal(signal.SIGTERM)
    assert run.end().code == -signal.SIGTERM
    wait_for(lambda: not alive(grandchild), "the grandchild ended")
    assert not (tmp_path / "next").exists()


def test_after_a_signal_no_further_command_starts(tmp_path: Path) -> None:
    """Also when the one that runs takes no notice and succeeds."""
    run = Run(
        tmp_path, "trap '' TERM; : > ready; while ! [ -e go ]; do sleep 0.01; done", "echo x > y"
    )
    wait_for((tmp_path / "ready").exists, "the command runs")
    run.commands.signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert run.end().code == -signal.SIGTERM
    assert not (tmp_path / "y").exists()


def test_killing_a_group_that_is_gone_is_no_error() -> None:
    done = subprocess.Popen(["true"], start_new_session=True)
    done.wait()
    process.kill_group(done.pid, signal.SIGTERM)


class TestShell:
    """The user's own shell, called as DVC calls it."""

    @pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/usr/bin/zsh", "/opt/Bash"])
    def test_the_same_call_as_dvcs(self, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
        from dvc.stage.run import _make_cmd

        monkeypatch.setenv("SHELL", shell)
        assert process.shell_arguments("a | b") == _make_cmd(shell, "a | b")

    def test_without_shell_it_is_sh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SHELL", raising=False)
        assert process.shell_arguments("x") == ["/bin/sh", "-c", "x"]
        process.require_shell()

    @pytest.mark.parametrize("shell", ["/no/such/shell", "bash", "/etc/passwd"])
    def test_a_shell_that_cannot_run_is_told(
        self, shell: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHELL", shell)
        with pytest.raises(MlxError, match=shell) as caught:
            process.require_shell()
        assert caught.value.hint


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


class TestMarks:
    """A pid that was given to another process is not mistaken for the first."""

    def test_a_running_process(self, sleeper: subprocess.Popen[bytes]) -> None:
        mark = start_mark(sleeper.pid)
        assert mark
        assert start_mark(sleeper.pid) == mark
        assert is_running(sleeper.pid, mark)
        assert not is_running(sleeper.pid, mark + "0"), "another one with this pid"

    def test_a_process_that_is_gone(self, sleeper: subprocess.Popen[bytes]) -> None:
        mark = start_mark(sleeper.pid)
        sleeper.kill()
        wait_for(lambda: not alive(sleeper.pid), "it ended")
        assert start_mark(sleeper.pid) == "", "a zombie has ended as well"
        sleeper.wait()
        assert start_mark(sleeper.pid) == ""
        assert not is_running(sleeper.pid, mark)
        assert not is_running(sleeper.pid, "")

    def test_a_name_with_parentheses_and_spaces(self, tmp_path: Path) -> None:
        odd = tmp_path / "a) S (b"
        os.symlink("/bin/cat", odd)
        with subprocess.Popen([odd], stdin=subprocess.PIPE) as running:
            assert is_running(running.pid, start_mark(running.pid))
            assert start_mark(running.pid).isdigit()
            running.kill()


class TestLeftovers:
    """Only what carries the mark of the killed run is ended."""

    RUN = f"test-{os.getpid()}"  # tests beside us have one of their own
    MARK = f"MLX_RUN={RUN}"

    def start(self, folder: Path, name: str, value: str) -> int:
        env = {"PATH": os.environ["PATH"], "MLX_RUN": value}
        script = f"sh -c 'echo $$ > {name}; {LOOP}' & echo x > /dev/null; wait"
        subprocess.Popen(["/bin/sh", "-c", script], cwd=folder, env=env, start_new_session=True)
        return _pid(folder / name)

    def test_marked_ones_with_their_children_and_no_others(self, tmp_path: Path) -> None:
        ours = self.start(tmp_path, "ours", self.RUN)
        others = [
            self.start(tmp_path, "longer", self.RUN + "0"),
            self.start(tmp_path, "other", "f"),
        ]
        try:
            assert process.end_leftovers(self.MARK) >= 2, "the shell and what it started"
            assert not alive(ours)
            assert all(map(alive, others))
        finally:
            for pid in others:
                process.kill_group(os.getpgid(pid), signal.SIGKILL)

    def test_nothing_left(self) -> None:
        assert process.end_leftovers("MLX_RUN=nobody-has-this") == 0

    def test_never_ourselves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run inside a stage of a run carries the mark of the outer one."""
        script = (
            f"from mlxkit.tools.process import end_leftovers\nprint(end_leftovers({self.MARK!r}))\n"
        )
        monkeypatch.setenv("MLX_RUN", self.RUN)
        done = subprocess.run(
            [sys.executable, "-c", script], check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, "0\n")
