"""On a real terminal: what runs is seen with its last line, Ctrl-C ends it, answers are read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.project import Project
from tests.support.terminal import Terminal

COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7])(?:;[0-9;]*)?m")


@pytest.fixture
def slow(project: Project) -> Project:
    """A stage that says something and waits to be let go, and one that needs it."""
    wait = "touch started; while ! [ -e ../go ]; do sleep 0.02; done"
    project.pipeline(
        {
            "train": {
                "cmd": f"echo epoch 1; echo epoch 2; {wait}; echo 1 > model",
                "outs": ["model"],
            },
            "use": {"cmd": "cat model > used", "deps": ["model"], "outs": ["used"]},
        }
    )
    return project


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    """Terminals to close whatever happens."""
    found: list[Terminal] = []
    yield found
    for one in found:
        one.close()


def test_a_run_is_seen_while_it_goes(slow: Project, opened: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(slow, "repro")
    opened.append(terminal)
    terminal.wait_for("epoch 2")
    terminal.wait_for("0 done, 1 running, 1 waiting")
    assert "epoch 1" not in terminal.text.split("epoch 2")[-1], "only the last line"
    (tmp_path / "go").touch()
    assert terminal.end() == 0
    assert re.search(r"ran +train .* new stage", terminal.text)
    assert "2 ran in " in terminal.text
    assert COLOUR.search(terminal.raw)
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h"), "the cursor is back"


def test_ctrl_c(slow: Project, opened: list[Terminal], tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    slow.mlx("repro").ok()
    (tmp_path / "go").unlink()
    slow.sh(
        "sed -i 's/epoch 1/epoch one/; s/touch started/echo half > model; touch started/' dvc.yaml"
    )
    terminal = Terminal(slow, "repro")
    opened.append(terminal)
    terminal.wait_for("1 running")
    terminal.wait_for("epoch 2")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert re.search(r"stopped +train", terminal.text)
    assert "interrupted: what had finished is committed" in terminal.text
    assert "Traceback" not in terminal.text and "error" not in terminal.text
    assert slow.read("model") == "1\n"
    assert slow.read(".mlx/partial/train/model") == "half\n"
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h"), "the cursor is back"


def test_a_failure_stays_on_the_screen(project: Project, opened: list[Terminal]) -> None:
    project.pipeline({"s": {"cmd": "echo no such column; exit 2", "outs": ["o"]}})
    terminal = Terminal(project, "repro")
    opened.append(terminal)
    assert terminal.end() == 1
    for words in ("failed", "exit code 2", "| no such column", "mlx repro -s s", "1 failed in"):
        assert words in terminal.text


@pytest.mark.parametrize("env", [{"CI": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_that_is_none(
    env: dict[str, str], trained: Project, opened: list[Terminal]
) -> None:
    """A build log, an editor's window: lines, one after the other."""
    trained.write("params.yaml", "train:\n  lr: 0.2\n")
    terminal = Terminal(trained, "repro", **env)
    opened.append(terminal)
    assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert re.search(r"^running +train", terminal.text, re.MULTILINE)


def test_no_colour_is_wanted(trained: Project, opened: list[Terminal]) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.2\n")
    for args in (["status"], ["repro"], ["dag"], ["why", "train"]):
        terminal = Terminal(trained, *args, NO_COLOR="1")
        opened.append(terminal)
        assert terminal.end() == 0
        assert not COLOUR.search(terminal.raw), terminal.raw


@pytest.mark.parametrize(("answer", "code", "made"), [("y", 0, True), ("n", 1, False)])
def test_asking_before_a_stage(
    answer: str, code: int, made: bool, project: Project, opened: list[Terminal]
) -> None:
    project.pipeline({"s": {"cmd": "echo 1 > o", "outs": ["o"]}})
    terminal = Terminal(project, "repro", "-i")
    opened.append(terminal)
    terminal.wait_for("run stage 's'? [y/n]")
    terminal.type(answer + "\n")
    assert terminal.end() == code
    assert (project.root / "o").exists() is made


def test_following_a_log(slow: Project, opened: list[Terminal], tmp_path: Path) -> None:
    run = Terminal(slow, "repro")
    opened.append(run)
    run.wait_for("1 running")
    follow = Terminal(slow, "logs", "-f", "train")
    opened.append(follow)
    follow.wait_for("epoch 2")
    shown = slow.mlx("status", "--json").ok().json["stages"]
    assert shown[0]["state"] == "running"
    (tmp_path / "go").touch()
    assert run.end() == 0
    assert follow.end() == 0
