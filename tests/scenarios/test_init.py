"""Starting: `mlx init` where one stands."""

from pathlib import Path

from tests.support.project import Project
from tests.support.tools import Tools

PIPELINE = {"hello": {"cmd": "cat in > out", "deps": ["in"], "outs": ["out"]}}


def test_in_a_new_repository(repository: Project) -> None:
    result = repository.mlx("init").ok()
    assert result.stdout == "started a project\n"
    assert "mlx repro" in result.stderr, "says what to do next"
    staged = repository.git("diff", "--cached", "--name-only").stdout.split()
    assert staged == [
        *(".dvc/.gitignore", ".dvc/config", ".dvcignore"),
        *(".gitattributes", ".gitignore"),
    ]
    assert repository.read(".gitignore") == "/.mlx\n"
    assert repository.git("status", "--short", "--untracked-files=all").stdout.count("\n") == 5
    repository.pipeline(PIPELINE)
    repository.write("in", "1\n")
    repository.mlx("repro").ok()
    assert repository.dvc("status", "--json").ok().json == {}, "dvc can go on from here"


def test_twice(repository: Project) -> None:
    repository.mlx("init").ok()
    repository.tools.commit(repository.root)
    result = repository.mlx("init").ok()
    assert "already" in result.stdout
    assert repository.git("status", "--short").stdout == ""
    assert repository.read(".gitignore").count(".mlx") == 1


def test_in_a_subfolder_of_a_repository(repository: Project) -> None:
    repository.write("team/keep", "")
    repository.mlx("init", cwd="team").ok()
    assert not (repository.root / ".dvc").exists()
    assert repository.mlx("root", cwd="team").ok().stdout == ".\n"
    repository.pipeline(PIPELINE, "team/dvc.yaml")
    repository.write("team/in", "1\n")
    repository.mlx("repro", cwd="team").ok()
    assert repository.read("team/.gitignore") == "/.mlx\n/out\n"
    assert repository.dvc("status", "--json", cwd="team").ok().json == {}
    repository.tools.commit(repository.root)
    assert "team/out" not in repository.git("ls-files").stdout


def test_in_a_dvc_project(project: Project) -> None:
    """Nothing needs to be done there; whoever does it anyway loses nothing."""
    before = project.read(".dvc/config")
    document = project.mlx("init", "--json").ok().json
    assert document == {"root": str(project.root.resolve()), "created": False}
    assert project.read(".dvc/config") == before
    assert project.read(".gitignore") == "/.mlx\n"


def test_what_gitignore_said_stays(repository: Project) -> None:
    repository.write(".gitignore", "*.log\n/build")
    repository.mlx("init").ok()
    assert repository.read(".gitignore") == "*.log\n/build\n/.mlx\n"


def test_without_git(tmp_path: Path, tools: Tools) -> None:
    result = tools.mlx(tmp_path, "init")
    assert result.code == 4
    assert "git init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_quietly_and_for_programs(repository: Project) -> None:
    result = repository.mlx("init", "--json").ok()
    assert result.json == {"root": str(repository.root.resolve()), "created": True}
    assert result.stderr == ""
    assert repository.mlx("init", "-q").ok().stdout == ""


def test_in_a_project_of_dvc(project: Project) -> None:
    told = project.mlx("init").ok()
    assert told.stdout == "this is a project already\n"
    staged = project.git("diff", "--cached", "--name-only").stdout.split()
    assert sorted(staged) == [".gitattributes", ".gitignore"]
    assert told.stderr == "staged for the next commit: .gitignore, .gitattributes\n"


def test_no_project_here(repository: Project) -> None:
    for verb in ("repro", "status", "dag", "doctor", "logs"):
        result = repository.mlx(verb)
        assert result.code == 4, str(result)
        assert "mlx init" in result.stderr
