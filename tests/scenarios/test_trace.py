"""`mlx trace`: what a stage does and does not declare, found; and nothing changed by looking."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import Running, alive, wait_for
from tests.support.project import Project

from mlxkit.trace.strace import find_strace

needs_strace = pytest.mark.skipif(find_strace() is None, reason="there is no strace that may trace")
WAYS = [
    pytest.param((), id="strace", marks=needs_strace),
    pytest.param(("--no-strace",), id="python"),
]
either_way = pytest.mark.parametrize("way", WAYS)

TRAIN = """\
import os
import lib.deep
from lib import helper

def main():
    text = open("data/in.csv").read() + open("data/extra.csv").read()
    mode = os.environ.get("TRAIN_MODE", "fast")
    with open("model", "w") as file:
        file.write(helper.upper(text) + mode + str(dict(os.environ).get("HOME", "")))
    with open("stray.log", "w") as file:
        file.write("done")
    os.makedirs(".scratch", exist_ok=True)
    with open("kept.tmp", "w") as file:
        file.write("done")
    os.remove("kept.tmp")

main()
"""


@pytest.fixture
def planted(project: Project) -> Project:
    """A stage in Python with one of each that it does not declare."""
    project.write("train.py", TRAIN)
    project.write("lib/__init__.py", '"""No code."""\n')
    project.write("lib/helper.py", "def upper(text):\n    return text.upper()\n")
    project.write("lib/deep/__init__.py", "LEVEL = 2\n")
    for name in ("in", "extra", "unused"):
        project.write(f"data/{name}.csv", name)
    project.write(
        "dvc.yaml",
        "# The pipeline.\n"
        "stages:\n"
        "  train:\n"
        "    cmd: python train.py  # quick\n"
        "    deps:\n"
        "      - train.py  # the script\n"
        "      - data/in.csv\n"
        "      - data/unused.csv\n"
        "\n"
        "    # What it makes.\n"
        "    outs:\n"
        "      - model\n",
    )
    project.tools.commit(project.root)
    return project


def _findings(project: Project, *args: str, code: int = 3) -> list[dict[str, Any]]:
    result = project.mlx("trace", *args, "--json")
    assert result.code == code, str(result)
    assert result.json["ok"] is (code == 0)
    found: list[dict[str, Any]] = result.json["findings"]
    return found


def _pairs(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["kind"], one.get("path") or one["name"]) for one in found}


PLANTED = {
    ("undeclared-input", "data/extra.csv"),
    ("undeclared-input", "lib/helper.py"),
    ("undeclared-input", "lib/deep/__init__.py"),
    ("unused-dep", "data/unused.csv"),
    ("undeclared-output", "stray.log"),
    ("env-variable", "TRAIN_MODE"),
}


@either_way
def test_each_planted_case_is_found(planted: Project, way: tuple[str, ...]) -> None:
    for _ in range(2):  # the second time the modules come from their bytecode
        found = _findings(planted, "train", *way)
        assert _pairs(found) == PLANTED
    why = {one.get("path") or one["name"]: one["why"] for one in found}
    assert why["data/extra.csv"].startswith("read by train.py:6")
    assert "train.py:7 (not set here)" in why["TRAIN_MODE"]
    assert {one["stage"] for one in found} == {"train"}


@either_way
def test_fixed_and_declared_it_gives_no_alarm(planted: Project, way: tuple[str, ...]) -> None:
    found = _findings(planted, "train", "--fix", *way)
    assert {one["path"] for one in found if one["fixed"]} == {
        "data/extra.csv",
        "lib/helper.py",
        "lib/deep/__init__.py",
    }
    text = planted.read("dvc.yaml")
    assert text == (
        "# The pipeline.\n"
        "stages:\n"
        "  train:\n"
        "    cmd: python train.py  # quick\n"
        "    deps:\n"
        "      - train.py  # the script\n"
        "      - data/in.csv\n"
        "      - data/unused.csv\n"
        "      - data/extra.csv\n"
        "      - lib/deep/__init__.py\n"
        "      - lib/helper.py\n"
        "\n"
        "    # What it makes.\n"
        "    outs:\n"
        "      - model\n"
    )
    planted.write("dvc.yaml", text.replace("      - data/unused.csv\n", ""))
    planted.write(".gitignore", "stray.log\n")
    planted.write("train.py", TRAIN.replace('os.environ.get("TRAIN_MODE", "fast")', "''"))
    assert _findings(planted, "train", *way, code=0) == []
    assert "nothing found in 1 stage" in planted.mlx("trace", *way).ok().stdout


@either_way
def test_nothing_is_changed_by_looking(planted: Project, way: tuple[str, ...]) -> None:
    planted.mlx("repro").ok()
    planted.write("model", "my own edit")
    planted.write("data/in.csv", "edited")
    planted.git("add", "data/in.csv")
    planted.write("notes.txt", "untracked")
    lock = planted.read("dvc.lock")
    (planted.root / "stray.log").unlink()
    runs = planted.git("rev-parse", "refs/mlx/runs").stdout
    status = planted.git("status", "--porcelain").stdout
    index = (planted.root / ".git/index").read_bytes()
    _findings(planted, *way)
    assert planted.read("model") == "my own edit"
    assert planted.read("dvc.lock") == lock
    assert (planted.root / ".git/index").read_bytes() == index
    assert planted.git("status", "--porcelain").stdout == status
    assert not (planted.root / "stray.log").exists()
    assert not (planted.root / ".mlx/run").exists()
    assert planted.git("rev-parse", "refs/mlx/runs").stdout == runs


@either_way
def test_a_file_of_gits_that_the_stage_changes_is_put_back(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("kept.txt", "edited by me\n")
    project.write("gone.txt", "here\n")
    project.write("same.txt", "same\n")
    project.write("tmp/kept.txt", "of a folder that is removed")
    project.write(
        "change.py",
        "import os, shutil\n"
        "shutil.rmtree('tmp')\n"
        "open('kept.txt', 'w').write('by the stage')\n"
        "open('same.txt', 'w').write('same\\n')\n"
        "os.remove('gone.txt')\n",
    )
    project.pipeline({"change": {"cmd": "python change.py", "deps": ["change.py"]}})
    project.tools.commit(project.root)
    project.write("kept.txt", "edited since\n")
    found = _findings(project, "change", *way)
    assert {(one["path"], one["why"].split(" by ")[0]) for one in found} == {
        ("kept.txt", "changed"),
        ("same.txt", "written"),
        ("gone.txt", "removed or moved away"),
        ("tmp/kept.txt", "removed or moved away"),
    }
    assert project.read("kept.txt") == "edited since\n"
    assert project.read("gone.txt") == "here\n"
    assert project.git("status", "--porcelain").stdout == " M kept.txt\n"


@needs_strace
def test_a_stage_of_the_shell(project: Project) -> None:
    for name in ("in", "extra", "unused"):
        project.write(f"{name} file.csv", name)
    project.pipeline(
        {
            "join": {
                "cmd": [
                    "cat 'in file.csv' 'extra file.csv' > out; cp out \"stray ä.txt\"",
                    "cd sub && cat < ../sub/other > /dev/null",
                ],
                "deps": ["in file.csv", "unused file.csv"],
                "outs": ["out"],
            }
        }
    )
    project.write("sub/other", "x")
    project.tools.commit(project.root)
    assert _pairs(_findings(project, "join")) == {
        ("undeclared-input", "extra file.csv"),
        ("undeclared-input", "sub/other"),
        ("unused-dep", "unused file.csv"),
        ("undeclared-output", "stray ä.txt"),
    }
    assert project.git("status", "--porcelain").stdout == ""
    assert "read by cat\n" in project.mlx("trace", "join").stdout


def test_a_stage_of_the_shell_without_strace_is_refused(project: Project) -> None:
    project.write("in.csv", "x")
    project.pipeline({"copy": {"cmd": "cp in.csv out", "deps": ["in.csv"], "outs": ["out"]}})
    result = project.mlx("trace", "copy", "--no-strace")
    assert result.code == 1
    assert "there is no way to trace stage 'copy': it starts 'cp'" in result.stderr
    assert "hint: install strace" in result.stderr
    assert not (project.root / "out").exists()
    document = project.mlx("trace", "copy", "--no-strace", "--json")
    assert document.code == 1 and document.json["error"]["code"] == "failed"


@pytest.mark.parametrize(
    ("cmd", "said"),
    [
        ("python -I work.py", "`python -I` keeps out"),
        ("python work.py > out", "its shell reads or writes files"),
        ("bash run.sh", "it starts 'bash'"),
    ],
)
def test_what_python_alone_cannot_show(project: Project, cmd: str, said: str) -> None:
    project.write("work.py", "")
    project.pipeline({"work": {"cmd": cmd, "deps": ["work.py"]}})
    result = project.mlx("trace", "work", "--no-strace")
    assert (result.code, said in result.stderr) == (1, True), str(result)


def test_where_no_strace_is_on_the_path(planted: Project, tmp_path: Path) -> None:
    """Python is watched from inside, without being asked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    folders = planted.tools.env["PATH"].split(os.pathsep)
    for name in ("git", "python"):
        found = next(one for one in folders if os.path.exists(os.path.join(one, name)))
        (tools / name).symlink_to(os.path.join(found, name))
    result = planted.mlx("trace", "train", "--json", PATH=str(tools))
    assert _pairs(result.json["findings"]) == PLANTED, str(result)
    assert result.json["stages"][0]["how"] == "python"


@either_way
def test_a_stage_that_fails_shows_what_was_found_until_then(
    planted: Project, way: tuple[str, ...]
) -> None:
    planted.mlx("repro").ok()
    before = planted.read("model")
    planted.write("train.py", TRAIN.replace("    mode =", "    raise SystemExit(7)\n    mode ="))
    found = _findings(planted, "train", *way, code=1)
    assert ("undeclared-input", "data/extra.csv") in _pairs(found)
    assert "unused-dep" not in {one["kind"] for one in found}
    result = planted.mlx("trace", "train", *way)
    assert result.code == 1
    assert "failed with exit code 7" in result.stdout and "nothing found" not in result.stdout
    assert planted.read("model") == before


@needs_strace
def test_what_a_stage_leaves_running_is_ended(project: Project) -> None:
    project.write("in.csv", "x")
    project.pipeline(
        {
            "leave": {
                "cmd": "cat in.csv; setsid sleep 1000 & echo $! > pid",
                "deps": ["in.csv"],
                "outs": [{"pid": {"cache": False}}],
            }
        }
    )
    project.write("pid", "earlier")
    result = project.mlx("trace", "leave", "--json")
    assert result.code == 0, str(result)
    (note,) = result.json["stages"][0]["notes"]
    assert "1 of its processes still ran" in note
    assert project.read("pid") == "earlier"


@either_way
def test_interrupted_everything_is_as_before(project: Project, way: tuple[str, ...]) -> None:
    script = (
        "import os, time\n"
        "open('model', 'w').write(str(os.getpid()))\n"
        "open('begun', 'w').close()\n"
        "time.sleep(1000)\n"
    )
    project.write("slow.py", script)
    project.write("model", "earlier")
    stage = {"cmd": "python slow.py", "deps": ["slow.py"], "outs": [{"model": {"cache": False}}]}
    project.pipeline({"slow": stage})
    project.tools.commit(project.root)
    running = Running.mlx(project, "trace", "slow", *way)
    wait_for((project.root / "begun").exists, "the stage begins")
    pid = int(project.read("model"))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 130
    assert not alive(pid)
    assert project.read("model") == "earlier"
    assert project.git("status", "--porcelain").stdout == ""


def test_killed_the_next_run_brings_the_outputs_back(project: Project) -> None:
    project.write("slow.py", "import time\nopen('begun', 'w').close()\ntime.sleep(1000)\n")
    project.write("model", "earlier")
    stage = {"cmd": "python slow.py", "deps": ["slow.py"], "outs": [{"model": {"cache": False}}]}
    project.pipeline({"slow": stage})
    running = Running.mlx(project, "trace", "slow", "--no-strace")
    wait_for((project.root / "begun").exists, "the stage begins")
    assert not (project.root / "model").exists()
    running.kill(whole_tree=False)
    result = project.mlx("repro", "--dry").ok()
    assert "brought back the earlier outputs of 'trace slow'" in result.stderr
    assert project.read("model") == "earlier"


def test_an_output_that_persists_is_gone_on_from_and_kept(project: Project) -> None:
    project.write(
        "more.py", "open('state', 'a').write('x')\nassert len(open('state').read()) == 2\n"
    )
    stage = {"cmd": "python more.py", "deps": ["more.py"], "outs": [{"state": {"persist": True}}]}
    project.pipeline({"more": stage})
    project.write("state", "x")
    assert _findings(project, "more", "--no-strace", code=0) == []
    assert project.read("state") == "x"


@either_way
def test_connections(project: Project, way: tuple[str, ...]) -> None:
    project.write(
        "call.py",
        "import socket\n"
        "for host in ('127.0.0.1', '192.0.2.7'):\n"
        "    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    one.connect((host, 4567))\n",
    )
    project.pipeline({"call": {"cmd": "python call.py", "deps": ["call.py"]}})
    result = project.mlx("trace", "call", "--json", *way)
    assert _pairs(result.json["findings"]) <= {("network", "192.0.2.7:4567")}
    assert result.json["stages"][0]["local_network"] == ["127.0.0.1:4567"]


@either_way
def test_a_folder_that_is_listed(project: Project, way: tuple[str, ...]) -> None:
    script = "import os\nfor one in os.listdir('raw'):\n    print(open('raw/' + one).read())\n"
    project.write("list.py", script)
    for number in range(3):
        project.write(f"raw/{number}.txt", "x")
    project.pipeline({"list": {"cmd": "python list.py", "deps": ["list.py"]}})
    project.tools.commit(project.root)
    (found,) = _findings(project, "list", *way)
    assert (found["path"], found["kind"]) == ("raw", "undeclared-input")
    assert "3 of its files read" in found["why"]
    project.pipeline({"list": {"cmd": "python list.py", "deps": ["list.py", "raw"]}})
    assert _findings(project, "list", *way, code=0) == []
    project.pipeline({"list": {"cmd": "python list.py", "deps": ["raw", "list.py"]}})
    assert _findings(project, "list", *way, code=0) == []


@either_way
def test_parameters(project: Project, way: tuple[str, ...]) -> None:
    project.write("use.py", "print(open('params.yaml').read(), open('dvc.yaml').read())\n")
    project.write("params.yaml", "rate: 1\n")
    stage = {"cmd": "python use.py", "deps": ["use.py"], "params": ["rate"]}
    project.pipeline({"use": stage})
    project.tools.commit(project.root)
    assert _findings(project, "use", *way, code=0) == []
    project.pipeline({"use": {"cmd": "python use.py", "deps": ["use.py"]}})
    (found,) = _findings(project, "use", *way)
    assert found["path"] == "params.yaml" and "under `params`" in found["why"]
    before = project.read("dvc.yaml")
    assert project.mlx("trace", "use", "--fix", *way).code == 3
    assert project.read("dvc.yaml") == before


@either_way
def test_python_that_has_a_path_and_a_sitecustomize_of_its_own(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("own/sitecustomize.py", "import builtins\nbuiltins.greeting = 'hello'\n")
    project.write("run.py", "import os\nassert greeting == 'hello'\nos.environ['MODE']\n")
    project.pipeline(
        {
            "run": {
                "cmd": "PYTHONPATH=own python run.py",
                "deps": ["run.py", "own/sitecustomize.py"],
            }
        }
    )
    project.tools.commit(project.root)
    result = project.mlx("trace", "run", "--json", *way, MODE="x")
    assert _pairs(result.json["findings"]) == {("env-variable", "MODE")}, str(result)


@either_way
def test_children_are_watched(project: Project, way: tuple[str, ...]) -> None:
    project.write("child.py", "import os\nprint(open('secret.txt').read(), os.getenv('CHILD'))\n")
    project.write(
        "parent.py", "import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'])\n"
    )
    project.write(
        "fork.py",
        "import os\nif not os.fork():\n    open('forked.txt').read()\n    os._exit(0)\nos.wait()\n",
    )
    project.write("secret.txt", "x")
    project.write("forked.txt", "x")
    stage = {"cmd": ["python parent.py", "python fork.py"], "deps": ["parent.py", "fork.py"]}
    project.pipeline({"parent": stage})
    project.tools.commit(project.root)
    assert _pairs(_findings(project, "parent", *way)) == {
        ("undeclared-input", "child.py"),
        ("undeclared-input", "secret.txt"),
        ("undeclared-input", "forked.txt"),
        ("env-variable", "CHILD"),
    }


def test_bad_input(project: Project) -> None:
    project.write("data.csv", "x")
    project.pipeline({"one": {"cmd": "python x.py", "deps": ["x.py"], "outs": ["out"]}})
    result = project.mlx("trace", "oen")
    assert (result.code, result.stderr.count("\n")) == (2, 2)
    assert "did you mean 'one'?" in result.stderr
    result = project.mlx("trace", "one", "--no-strace")
    assert result.code == 1 and "its input 'x.py' is missing" in result.stderr
    project.mlx("add", "data.csv").ok()
    assert project.mlx("trace", "data.csv.dvc").code == 2
