"""In CI, in a pipe, in a script: plain text, streams apart, exit codes with names."""

import os
import shlex
import subprocess

import pytest
from tests.support.commands import mlx_argv, run
from tests.support.project import Project

ENVIRONMENTS = [{}, {"CI": "true"}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}]


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=str)
def test_no_escape_codes(env: dict[str, str], training: Project) -> None:
    training.write("data.csv.txt", "")
    for args in (["repro"], ["status"], ["metrics", "show"], ["dag"], ["repro", "--nonsense"]):
        result = training.mlx(*args, **env)
        assert "\x1b" not in result.stdout + result.stderr, str(result)
        assert "\r" not in result.stdout + result.stderr


def test_one_line_a_stage_and_progress_beside_it(training: Project) -> None:
    result = training.mlx("repro", "-j", "1").ok()
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ran", "ran", "ran", "3"]
    begun = [line.split()[:2] for line in result.stderr.splitlines()[:3]]
    assert begun == [["running", "prep"], ["running", "train"], ["running", "evaluate"]]


def test_verbose_shows_what_stages_print_while_they_run(training: Project) -> None:
    result = training.mlx("repro", "-v").ok()
    assert "train | training\n" in result.stderr
    assert "unchanged" in training.mlx("repro", "-v").ok().stdout


def test_quiet_says_only_what_failed(training: Project) -> None:
    result = training.mlx("repro", "-q").ok()
    assert (result.stdout, result.stderr) == ("", "")
    training.sh("sed -i 's/tr a-z A-Z/false/' dvc.yaml")
    result = training.mlx("repro", "-q")
    assert result.code == 1
    assert result.stdout == ""
    assert "stage 'prep'" in result.stderr


def test_json_is_alone_on_stdout(training: Project) -> None:
    result = training.mlx("repro", "--json").ok()
    assert result.json["ok"] is True
    assert result.stderr == ""


def test_a_reader_that_has_seen_enough(trained: Project) -> None:
    for args in (["--help"], ["status", "-v"], ["dag"]):
        with subprocess.Popen(
            mlx_argv(*args),
            cwd=trained.root,
            env=dict(trained.tools.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
            assert process.wait() == 0
        assert said == ""


def test_output_with_any_bytes(project: Project) -> None:
    """What a command prints is kept as it is, and shown as well as it goes."""
    project.pipeline(
        {"s": {"cmd": r"printf '\377 \033[31mred\033[0m caf\303\251\r 50%%\r100%%\n'"}}
    )
    project.mlx("repro", "-v").ok()
    raw = (project.root / ".mlx/logs/s.log").read_bytes()
    assert raw.endswith(b"\xff \x1b[31mred\x1b[0m caf\xc3\xa9\r 50%\r100%\n")
    assert "café" in project.mlx("logs", "s").ok().stdout
    assert project.mlx("logs", "s", "-n", "1").ok().stdout == "100%\n", "as a terminal leaves it"


EXITS = [
    ("repro", 0, ":"),
    ("status", 0, "echo x >> data.csv"),
    ("status --check", 3, "echo x >> data.csv"),
    ("repro", 1, "sed -i 's/tr a-z A-Z/false/' dvc.yaml"),
    ("repro --jobs many", 2, ":"),
    ("repro no-such-stage", 2, ":"),
    ("repro -k --ignore-errors", 2, ":"),
    ("no-such-verb", 2, ":"),
    ("why", 2, ":"),
    ("dag --dot --mermaid", 2, ":"),
    ("-C nowhere repro", 2, ":"),
    ("repro", 4, "echo 'stages: 3' > dvc.yaml"),
    ("status", 4, "echo 'train: [' > params.yaml"),
    ("repro", 4, "rm dvc.yaml"),
    ("doctor", 3, "echo '{' > .dvc/tmp/rwlock"),
    ("root", 0, ":"),
    ("stage list --nonsense", 2, ":"),
]


@pytest.mark.parametrize(("args", "code", "change"), EXITS)
def test_exit_codes(args: str, code: int, change: str, training: Project) -> None:
    training.sh(f"mkdir -p .dvc/tmp; {change}")
    result = training.mlx(*args.split())
    assert result.code == code, str(result)
    assert "Traceback" not in result.stderr


REFUSED = [args for args, code, change in EXITS if code == 2 and change == ":"]


@pytest.mark.parametrize("args", [one for one in REFUSED if not one.startswith("stage")])
def test_a_refusal_says_what_is_wrong_and_what_to_do(args: str, training: Project) -> None:
    result = training.mlx(*args.split())
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"], str(
        result
    )
    document = training.mlx(*args.split(), "--json").json
    assert document["error"].keys() == {"code", "message", "hint", "where"}
    assert document["error"]["code"] == "usage"
    assert document["error"]["hint"]


def test_names_that_a_terminal_cannot_show(project: Project) -> None:
    project.write("dätä/é", "1\n")
    (project.root / "dätä" / os.fsdecode(b"na\xffme")).write_text("2\n")
    for encoding in ("utf-8:strict", "ascii:strict", "latin-1:strict", "ascii:surrogateescape"):
        env = {"PYTHONIOENCODING": encoding}
        project.mlx("add", "dätä", **env).ok()
        assert r"na\udcffme" in project.mlx("diff", **env).ok().stdout
        added = project.mlx("diff", "--json", **env).ok().json["added"]
        assert os.fsdecode(b"d\xc3\xa4t\xc3\xa4/na\xffme") in [one["path"] for one in added]


def test_an_error_that_nobody_reads(project: Project) -> None:
    for close in ("| true", "> /dev/full", ">&-"):
        command = f"{{ sleep 0.2; {shlex.join(mlx_argv('add', 'nope', '--json'))}; }} {close}"
        told = run(["/bin/sh", "-c", command], project.root, project.tools.env)
        assert "Traceback" not in told.stderr, told.stderr
