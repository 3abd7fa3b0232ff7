"""`mlx ci init`: what it writes, what it leaves alone, what it remembers, what it refuses."""

import json
from pathlib import Path

import pytest
import yaml
from tests.support.project import Project

from mlxkit.ci.init import path_of
from mlxkit.ci.options import WORKFLOWS, Options, arguments, check, parse
from mlxkit.ci.template import is_untouched, render

TRAIN = ".github/workflows/mlx-train.yml"
FILES = [*map(path_of, WORKFLOWS), ".github/deploy.sh"]


def states(project: Project, *args: str, code: int = 0) -> dict[str, str]:
    done = project.mlx("ci", "init", "--json", *args)
    assert done.code == code, str(done)
    return {one["path"]: one["state"] for one in done.json["files"]}


def test_written_once_then_current(project: Project) -> None:
    assert states(project, "--check", code=3) == dict.fromkeys(FILES, "missing")
    assert states(project) == dict.fromkeys(FILES, "written")
    assert (project.root / ".github/deploy.sh").stat().st_mode & 0o111
    current = {**dict.fromkeys(FILES, "current"), ".github/deploy.sh": "yours"}
    assert states(project) == current
    assert states(project, "--check") == current


def test_options_are_remembered_and_added_to(project: Project) -> None:
    project.mlx("ci", "init", "--lock", "commit", "--secret", "KEY", "--python", "3.13").ok()
    project.mlx("ci", "init", "--cron", "5 4 * * *").ok()
    text = project.read(TRAIN)
    assert "--lock commit --python 3.13" in text.splitlines()[0]
    assert "KEY: ${{ secrets.KEY }}" in text
    assert "Push the lock" in text
    assert 'cron: "5 4 * * *"' in project.read(path_of("retrain"))
    assert set(states(project, "--check").values()) == {"current", "yours"}


def test_a_file_that_somebody_changed_is_left_alone(project: Project) -> None:
    project.mlx("ci", "init").ok()
    project.write(TRAIN, project.read(TRAIN).replace("360", "90"))
    project.write(".github/deploy.sh", "echo mine\n")
    before = {path: project.read(path) for path in FILES}
    done = project.mlx("ci", "init", "--lock", "commit")
    assert done.code == 1
    assert done.stderr.startswith(f"error: somebody changed {TRAIN}: nothing is written\nhint:")
    assert {path: project.read(path) for path in FILES} == before
    assert states(project, "--check", code=3)[TRAIN] == "changed"
    project.mlx("ci", "init", "--force").ok()
    assert "timeout-minutes: 360" in project.read(TRAIN)
    assert project.read(".github/deploy.sh") == "echo mine\n"


def test_what_another_version_wrote_is_brought_up_to_date(project: Project) -> None:
    project.mlx("ci", "init").ok()
    current = project.read(TRAIN)
    old = render("retrain", check(Options(install="true", test="true")))
    project.write(TRAIN, old)  # as good as any text that some mlx wrote
    assert states(project, "--check", code=3)[TRAIN] == "outdated"
    project.write(TRAIN, current.replace("\n", "\r\n"))
    assert states(project, "--check", code=3)[TRAIN] == "changed"


def test_only_some(project: Project) -> None:
    assert list(states(project, "--only", "review", "--only", "test")) == [
        path_of("test"), path_of("review")
    ]  # fmt: skip
    assert not (project.root / ".github/deploy.sh").exists()
    assert list(states(project, "--check")) == [path_of("test"), path_of("review")]


def test_defaults_fit_what_is_there(project: Project) -> None:
    project.write("Makefile", "test: lint\n\techo\n")
    project.write("requirements.txt", "mlxkit==0.1.0\n")
    project.mlx("ci", "init").ok()
    document = yaml.safe_load(project.read(path_of("test")))
    runs = [step["run"] for step in document["jobs"]["test"]["steps"] if "run" in step]
    assert runs == ["python -m pip install --requirement requirements.txt\n", "make test\n"]


def test_gates_that_are_missing_are_named(project: Project) -> None:
    project.write("mlx.yaml", 'gates: {test: [{threshold: {metric: "m.json:a", min: 0}}]}\n')
    done = project.mlx("ci", "init").ok()
    assert "mlx.yaml lacks gates that the workflows ask for: training, deployment\n" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--lock", "yes"), "--lock is 'yes'"),
        (("--provider", "gitlab"), "no workflows for 'gitlab'"),
        (("--python", "3"), "--python is '3'"),
        (("--python", '3.12"'), "--python is"),
        (("--secret", "A-B"), "cannot be the name of a secret"),
        (("--secret", "GITHUB_TOKEN"), "cannot be the name of a secret"),
        (("--signing-key", "a }} b"), "cannot be the name of a secret"),
        (("--cron", "daily"), "--cron is 'daily'"),
        (("--cron", '1 2 3 4 "'), "--cron is"),
        (("--install", "a\nb"), "--install is no command of one line"),
        (("--test", "echo ${{ github.head_ref }}"), "has an expression of GitHub's"),
        (("--only", "tests"), "there is no workflow 'tests'"),
        (("--check", "--force"), "exclude each other"),
    ],
)
def test_bad_options_write_nothing(args: tuple[str, ...], said: str, project: Project) -> None:
    done = project.mlx("ci", "init", *args)
    assert done.code == 2, str(done)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert not (project.root / ".github").exists()


def test_a_project_in_a_subfolder_is_refused(project: Project) -> None:
    (project.root / "sub").mkdir()
    project.dvc("init", "--subdir", "-q", cwd="sub").ok()
    done = project.mlx("ci", "init", cwd="sub")
    assert (done.code, "subfolder" in done.stderr) == (4, True)


@pytest.mark.parametrize(
    "install", ["pip install 'a b' && echo \"$X\"", "echo é: #x", "a; b | c", "- x", "| >", "'"]
)
def test_any_command_survives_yaml_and_the_first_line(install: str) -> None:
    options = check(Options(install=install, test="true", secrets=("A", "B"), only=("test",)))
    assert parse(arguments(options)) == options
    text = render("test", options)
    assert is_untouched(text)
    step = yaml.safe_load(text)["jobs"]["test"]["steps"][2]
    assert step["run"] == f"{install}\n"
    assert not is_untouched(text + "\n")
    assert not is_untouched(text.replace("mlx ci init", "mlx  ci init", 1))


@pytest.mark.parametrize(
    "line",
    ["", "mlx ci init", "mlx ci init --lock", "rm -rf /", "mlx ci init 'open", "mlx ci init --x y"],
)
def test_a_first_line_of_somebody_else_says_nothing(line: str) -> None:
    assert parse(line) is None


def test_json_is_one_document(project: Project) -> None:
    done = project.mlx("ci", "init", "--json").ok()
    assert json.loads(done.stdout)["ok"] is True
    assert done.stderr == ""


def test_files_that_cannot_be_written(project: Project) -> None:
    (project.root / ".github").write_text("a file")
    done = project.mlx("ci", "init")
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert Path(project.root, ".github").read_text() == "a file"
