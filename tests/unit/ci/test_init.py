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


REQUIRED = "mlxkit[gates] @ git+https://git.example.org/mlx@8e6249f\npandas\n"


@pytest.fixture
def project(project: Project) -> Project:
    """A project that says which mlx it wants: the one of these tests is this machine's own."""
    project.write("requirements.txt", REQUIRED)
    return project


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
    given = ("--secret", "", "--push-token", "T", "--runner", "self-hosted,gpu", "--timeout", "900")
    project.mlx("ci", "init", *given).ok()
    text = project.read(TRAIN)
    assert "secrets.KEY" not in text and "GITHUB_TOKEN: ${{ secrets.T }}" in text
    job = yaml.safe_load(text)["jobs"]["train"]
    assert (job["runs-on"], job["timeout-minutes"]) == (["self-hosted", "gpu"], 900)


def test_a_file_that_somebody_changed_is_left_alone(project: Project) -> None:
    project.mlx("ci", "init").ok()
    project.write(TRAIN, project.read(TRAIN).replace("360", "90"))
    project.write(".github/deploy.sh", "echo mine\n")
    before = {path: project.read(path) for path in FILES}
    done = project.mlx("ci", "init", "--lock", "commit")
    assert done.code == 1
    assert done.stderr.startswith(f"error: somebody changed {TRAIN}: nothing is written with")
    assert {path: project.read(path) for path in FILES} == before
    assert states(project, "--check", code=3)[TRAIN] == "changed"
    # With the options that they have, the others are brought up to date all the same.
    (project.root / path_of("test")).unlink()
    done = project.mlx("ci", "init").ok()
    assert f"written  {path_of('test')}" in done.stdout
    assert "what somebody changed is left alone" in done.stderr
    assert "timeout-minutes: 90" in project.read(TRAIN)
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
    done = project.mlx("ci", "init", "--only", "test").ok()
    assert f"still there, and none of these: git rm {path_of('review')}\n" in done.stderr
    assert list(states(project, "--check")) == [path_of("test")]


def test_defaults_fit_what_is_there(project: Project) -> None:
    project.write("Makefile", "test: lint\n\techo\n")
    done = project.mlx("ci", "init").ok()
    document = yaml.safe_load(project.read(path_of("test")))
    runs = [step["run"] for step in document["jobs"]["test"]["steps"] if "run" in step]
    assert runs == ["python -m pip install --requirement requirements.txt\n", "make test\n"]
    assert "guessed, so look at it: --install python -m pip install --req" in done.stderr
    # What was taken back is guessed anew.
    (project.root / "Makefile").unlink()
    project.mlx("ci", "init", "--test", "true").ok()
    assert "guessed" not in project.mlx("ci", "init", "--test", "").ok().stderr
    assert "--test 'mlx lint'" in project.read(TRAIN).splitlines()[0]


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
        (("--runner", "a b"), "--runner is 'a b'"),
        (("--timeout", "0"), "--timeout is '0'"),
        (("--deploy-secret", "STAGE"), "deploy.sh gets something else by that name"),
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


def test_projects_in_folders_have_workflows_each(project: Project) -> None:
    for folder in ("a/b", "c"):
        (project.root / folder / ".dvc").mkdir(parents=True)
        project.write(f"{folder}/requirements.txt", REQUIRED)
        done = project.mlx("ci", "init", "--secret", f"KEY_{folder[-1]}", cwd=folder).ok()
        assert (
            f"Secrets and variables > Actions: KEY_{folder[-1]}, MLX_SIGNING_KEY\n" in done.stderr
        )
        assert f"the tags {folder}=*#prod#*\n" in done.stderr
        assert f"checks: gates ({folder}), test ({folder}) (Python 3.12)\n" in done.stderr
        assert "then: git add " + "../" * (folder.count("/") + 1) + ".github && " in done.stderr
    text = project.read(".github/workflows/mlx-a--b-train.yml")
    assert text.startswith("# mlx -C a/b ci init --lock require") and "KEY_b" in text
    train = yaml.safe_load(text)
    assert train["defaults"]["run"]["working-directory"] == "a/b"
    assert train[True]["push"]["paths"] == ["a/b/**", ".github/workflows/mlx-a--b-train.yml"]
    deploy = yaml.safe_load(project.read(".github/workflows/mlx-c-deploy.yml"))
    assert deploy[True]["push"]["tags"] == ["c=**#**#*"]
    assert "fill in .github/deploy-c.sh" in project.read(".github/deploy-c.sh")
    assert "--marker report-c" in project.read(".github/workflows/mlx-c-review.yml")
    project.mlx("ci", "init", "-q", "--check", cwd="a/b").ok()


def test_what_its_storage_needs_is_installed_and_named(project: Project) -> None:
    config = "[core]\n    remote = store\n['remote \"store\"']\n    url = {}\n"
    project.write(".dvc/config", config.format("s3://bucket/path"))
    (project.root / "requirements.txt").unlink()
    project.write("pyproject.toml", '[project]\nname = "x"\ndependencies = ["mlxkit"]\n')
    (project.root / "tests").mkdir()
    done = project.mlx("ci", "init").ok()
    assert "install --editable . pytest dvc-s3" in project.read(TRAIN)
    assert "remote 'store' is on s3://: without a --secret" in done.stderr
    project.write(".dvc/config", config.format(project.root.parent))
    done = project.mlx("ci", "init", "--install", "true").ok()
    assert "guessed" not in done.stderr
    assert "remote 'store' is a folder of this machine only" in done.stderr


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
