"""Input that is wrong: one line that says what and where, one that says what to do."""

import os
from dataclasses import dataclass

import pytest
from tests.support.commands import Result
from tests.support.processes import Running
from tests.support.project import Project

GOOD = """stages:
  prep:
    cmd: cat in > prep.out
    deps: [in]
    outs: [prep.out]
"""
BAD_TWO = (
    GOOD
    + """  train:
    cmd: cat prep.out > {out}
    deps: [{dep}]
    outs: [{out}]
"""
)


@dataclass(frozen=True)
class Case:
    """A `dvc.yaml`, the exit code, and what the message must name."""

    name: str
    text: str
    code: int
    names: tuple[str, ...]
    args: tuple[str, ...] = ("repro",)
    before: str = ":"


CASES = [
    Case("broken yaml", GOOD + "  train:\n    cmd: [a\n  x: ]\n", 4, ("dvc.yaml:",)),
    Case("tab", GOOD + "\ttrain: 1\n", 4, ("dvc.yaml:6",)),
    Case("unknown key", GOOD + "    depz: [x]\n", 4, ("dvc.yaml", "depz", "prep")),
    Case("unknown top key", GOOD + "stagez: {}\n", 4, ("dvc.yaml", "stagez")),
    Case("no cmd", "stages:\n  a:\n    outs: [b]\n", 4, ("dvc.yaml", "a", "cmd")),
    Case("stages a list", "stages:\n- a\n", 4, ("dvc.yaml",)),
    Case("a list", "- a\n", 4, ("dvc.yaml",)),
    Case("binary", "\0\1\2", 4, ("dvc.yaml",)),
    Case("bad template", GOOD.replace("in >", "${nope} >"), 4, ("dvc.yaml", "nope")),
    Case("missing dep", GOOD.replace("[in]", "[gone]"), 1, ("gone", "prep")),
    Case("missing source file", GOOD, 1, ("'in'", "prep"), before="rm in"),
    Case("output not made", GOOD.replace("> prep.out", "> other"), 1, ("prep.out", "prep")),
    Case("cycle", BAD_TWO.format(dep="prep.out", out="in"), 4, ("prep", "train")),
    Case(
        "same output twice",
        BAD_TWO.format(dep="in", out="prep.out"),
        4,
        ("prep.out", "prep", "train"),
    ),
    Case(
        "output inside output", BAD_TWO.format(dep="in", out="prep.out/x"), 4, ("prep.out", "train")
    ),
    Case("output is its own dep", GOOD.replace("[in]", "[in, prep.out]"), 4, ("prep.out", "prep")),
    Case("unknown stage", GOOD, 2, ("pre", "prep"), args=("repro", "pre")),
    Case("unknown stage in file", GOOD, 2, ("prap", "prep"), args=("repro", "dvc.yaml:prap")),
    Case(
        "missing parameter",
        GOOD + "    params: [lr]\n",
        1,
        ("lr", "params.yaml", "prep"),
        before="echo 'x: 1' > params.yaml",
    ),
    Case(
        "missing parameter file",
        GOOD + "    params: [lr]\n",
        1,
        ("params.yaml", "prep"),
        before="rm -f params.yaml",
    ),
    Case(
        "broken parameter file",
        GOOD + "    params: [lr]\n",
        4,
        ("params.yaml",),
        before="echo 'a: [' > params.yaml",
    ),
    Case(
        "parameter file in conflict",
        GOOD,
        4,
        ("params.yaml:2", "resolve"),
        before="printf 'a: 1\\n<<<<<<< HEAD\\nb: 2\\n=======\\nb: 3\\n>>>>>>> x\\n' > params.yaml",
    ),
    Case("wdir outside", GOOD + "    wdir: ../..\n", 4, ("dvc.yaml", "prep")),
    Case("wdir missing", GOOD + "    wdir: nowhere\n", 1, ("nowhere", "prep")),
    Case("output outside", GOOD.replace("[prep.out]", "[../prep.out]"), 4, ("../prep.out", "prep")),
    Case("broken config", GOOD, 4, ("config",), before="echo '[core' > .dvc/config"),
    Case("broken .dvc file", GOOD, 4, ("x.dvc",), before="echo 'outs: [' > x.dvc"),
    Case("broken lock of another shape", GOOD, 4, ("dvc.lock",), before="echo '- a' > dvc.lock"),
    Case("command not found", GOOD.replace("cat in", "no-such-command-here"), 1, ("prep",)),
]


def _two_lines(result: Result, code: int, names: tuple[str, ...]) -> None:
    """One line that says what is wrong, one that says what to do; no traceback."""
    assert result.code == code, str(result)
    assert "Traceback" not in result.stderr, str(result)
    lines = [line for line in result.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], str(result)
    for name in names:
        assert name in " ".join(lines), f"{name!r} is not named\n{result}"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_message(case: Case, project: Project) -> None:
    project.write("in", "in\n")
    project.write("dvc.yaml", case.text)
    project.sh(case.before)
    assert project.dvc(*case.args).code != 0, "dvc refuses it as well"
    _two_lines(project.mlx(*case.args), case.code, case.names)
    result = project.mlx(*case.args, "--json")
    assert result.code == case.code, str(result)
    document = result.json
    if "error" in document:
        error = document["error"]
        assert error.keys() >= {"code", "message", "hint", "where"}, str(result)
        assert error["code"] and error["message"] and error["hint"], str(result)
    else:
        assert document["ok"] is False
        assert "failed" in {entry["outcome"] for entry in document["stages"]}, str(result)


def test_status_tells_the_same(project: Project) -> None:
    project.write("dvc.yaml", GOOD + "    depz: [x]\n")
    _two_lines(project.mlx("status"), 4, ("dvc.yaml", "depz", "prep"))
    _two_lines(project.mlx("why", "prep"), 4, ("dvc.yaml", "depz"))


def test_no_project(project: Project) -> None:
    project.sh("rm -rf .dvc")
    for verb in ("repro", "status"):
        _two_lines(project.mlx(verb), 4, ("init",))


def test_no_git(project: Project) -> None:
    project.write("in", "in\n")
    project.write("dvc.yaml", GOOD)
    project.sh("rm -rf .git")
    assert project.dvc("repro").code != 0
    _two_lines(project.mlx("repro"), 4, ())


def test_without_git_by_choice(project: Project) -> None:
    """A project made with `dvc init --no-scm` works without Git."""
    project.write("in", "in\n")
    project.write("dvc.yaml", GOOD)
    project.sh("rm -rf .git; printf '[core]\\n    no_scm = True\\n' > .dvc/config")
    project.mlx("repro").ok()
    assert project.dvc("status", "--json").ok().json == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(project: Project) -> None:
    project.write("in", "in\n", mode=0)
    project.write("dvc.yaml", GOOD)
    _two_lines(project.mlx("repro"), 1, ("in", "prep"))


def test_dep_is_a_pipe(project: Project) -> None:
    """Reading it would wait for ever."""
    project.sh("mkfifo in")
    project.write("dvc.yaml", GOOD.replace("cat in", "echo 1"))
    result = project.mlx("repro")
    assert result.code == 1, str(result)
    assert "Traceback" not in result.stderr


UNUSUAL_COMMANDS = {
    "a number": "[1]",
    "nothing": "[null]",
    "a list in a list": "[[cat, in]]",
    "a null byte": '"a\\0b"',
    "longer than the system allows": "echo " + "x" * 200_000,
}


@pytest.mark.parametrize("kind", UNUSUAL_COMMANDS)
def test_command_that_cannot_be_started(kind: str, project: Project) -> None:
    project.write("dvc.yaml", f"stages: {{a: {{cmd: {UNUSUAL_COMMANDS[kind]}}}}}\n")
    assert project.dvc("repro").code != 0
    result = Running.mlx(project, "repro").finish(timeout=60)
    assert result.code in (1, 4), str(result)
    _two_lines(result, result.code, ("a",))


def test_shell_that_does_not_exist(project: Project) -> None:
    project.write("in", "in\n")
    project.write("dvc.yaml", GOOD)
    result = Running.mlx(project, "repro", SHELL="/no/such/shell").finish(timeout=60)
    _two_lines(result, 1, ("/no/such/shell",))


def test_wdir_deleted_by_an_earlier_stage(project: Project) -> None:
    project.write("in", "in\n")
    project.sh("mkdir gone")
    project.write(
        "dvc.yaml",
        GOOD.replace("prep.out\n    deps", "prep.out; rmdir gone\n    deps")
        + "  next:\n    cmd: echo 1\n    wdir: gone\n    deps: [../prep.out]\n",
    )
    result = Running.mlx(project, "repro").finish(timeout=60)
    _two_lines(result, 1, ("gone", "next"))


STRANGE_DOCUMENTS = {
    "deep": "stages: {a: {cmd: x, meta: " + "[" * 3000 + "]" * 3000 + "}}\n",
    "deep and cut": "stages: {a: {cmd: " + "[" * 200 + "}}\n",
    "contains itself": "stages: &s {a: {cmd: x, meta: *s}}\n",
    "an alias to nothing": "stages: {a: *b}\n",
    "a python object": "stages: {a: {cmd: !!python/object/apply:os.system [touch evil]}}\n",
    "two documents": "stages: {}\n---\nstages: {}\n",
    "a key that is a list": "stages: {[a]: {cmd: x}}\n",
    "not utf-8": "stages: {a: {cmd: \udcff}}\n",
}


@pytest.mark.parametrize("kind", STRANGE_DOCUMENTS)
@pytest.mark.parametrize("path", ["dvc.yaml", "x.dvc", "params.yaml"])
def test_strange_document(kind: str, path: str, project: Project) -> None:
    project.write("in", "in\n")
    project.write("dvc.yaml", GOOD + "    params: [lr]\n")
    project.write(path, STRANGE_DOCUMENTS[kind].encode("utf-8", "surrogateescape"))
    for verb in ("status", "repro"):
        result = Running.mlx(project, verb, "--json").finish(timeout=60)
        assert result.code in (0, 1, 4), str(result)
        assert "Traceback" not in result.stderr, str(result)
        assert result.json
    assert not (project.root / "evil").exists()
