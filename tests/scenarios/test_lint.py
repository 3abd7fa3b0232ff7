"""`mlx lint`: modules that a stage imports and does not declare, found in the sources alone."""

from typing import Any

import pytest
from tests.support.project import Project

TRIPWIRE = "open('imported', 'w').close()\n"


def _stage(project: Project, cmd: Any, *deps: str, **more: Any) -> None:
    project.pipeline({"work": {"cmd": cmd, "deps": list(deps), **more}})


def _lint(project: Project, *args: str) -> dict[str, str]:
    """What is missing, and why."""
    result = project.mlx("lint", "--json", *args)
    found = result.json["findings"]
    assert result.code == (0 if result.json["ok"] else 3), str(result)
    assert {one["kind"] for one in found} <= {"undeclared-import"}
    assert not (project.root / "imported").exists(), "user code ran"
    return {one["path"]: one["why"] for one in found}


@pytest.fixture
def package(project: Project) -> Project:
    """A package whose parts import each other in all ways."""
    project.write("src/pkg/__init__.py", f"{TRIPWIRE}from pkg.version import VERSION\n")
    project.write("src/pkg/version.py", "VERSION = 1\n")
    project.write("src/pkg/near.py", "from . import far\n")
    project.write("src/pkg/far.py", "from .sub.deep import thing\n")
    project.write("src/pkg/sub/__init__.py", '"""No code."""\n')
    project.write("src/pkg/sub/deep.py", "import json\nfrom ..plain import x\nthing = 1\n")
    project.write("src/pkg/plain.py", "x = 1\n")
    project.write("src/pkg/late.py", "y = 1\n")
    project.write("src/pkg/types.py", "z = 1\n")
    project.write("src/pkg/unused.py", "z = 1\n")
    project.write(
        "src/pkg/main.py",
        "import importlib\nfrom typing import TYPE_CHECKING\nimport yaml, pkg.near\n"
        "if TYPE_CHECKING:\n    from pkg import types\n"
        "def run():\n    importlib.import_module('pkg.late')\n    import_module(chosen)\n",
    )
    return project


WAYS = {
    "direct": "src/pkg/near.py",
    "transitive": "src/pkg/far.py",
    "of a subpackage": "src/pkg/sub/deep.py",
    "with two dots": "src/pkg/plain.py",
    "of a package's __init__": "src/pkg/version.py",
    "the __init__ itself": "src/pkg/__init__.py",
    "by importlib": "src/pkg/late.py",
}


COMMANDS: list[Any] = [
    "PYTHONPATH=src python -m pkg.main",
    "cd src && python -u -m pkg.main --fast | tee log",
    "env PYTHONPATH=src timeout 60 python -m pkg.main",
    ["echo first", "export PYTHONPATH=src; python -m pkg.main"],
]


def test_every_way_to_import(package: Project) -> None:
    package.pipeline(
        {f"s{at}": {"cmd": cmd, "deps": ["src/pkg/main.py"]} for at, cmd in enumerate(COMMANDS)}
    )
    for at, cmd in enumerate(COMMANDS):
        found = _lint(package, f"s{at}")
        assert set(found) == set(WAYS.values()), cmd
        assert found["src/pkg/near.py"] == "imported by src/pkg/main.py:3"
        assert found["src/pkg/far.py"] == (
            "imported by src/pkg/near.py:1, which is imported by src/pkg/main.py:3"
        )


def test_declared_it_gives_no_alarm(package: Project) -> None:
    declared = {"one": ["src/pkg"], "two": ["src"], "all": [*WAYS.values(), "src/pkg/main.py"]}
    cmd = "PYTHONPATH=src python -m pkg.main"
    package.pipeline({name: {"cmd": cmd, "deps": deps} for name, deps in declared.items()})
    assert _lint(package) == {}
    assert package.mlx("lint").ok().stdout == "nothing found in 3 stages\n"


RUN, APP, TOOL = (
    {"tools/run.py", "tools/beside.py"},
    {"app/__main__.py", "app/part.py"},
    {"src/tool/cli.py", "src/tool/core.py"},
)
STARTED: dict[str, set[str]] = {
    "python tools/run.py": RUN,
    "./tools/run.py --x 1": RUN,
    "torchrun --nproc 2 tools/run.py": RUN,
    "uv run python tools/run.py": RUN,
    "uv run tools/run.py": RUN,
    "python -m torch.distributed.run --nproc 2 tools/run.py": RUN,
    "python link.py": {"link.py", "tools/beside.py"},
    "ruff check tools/run.py && wc -l tools/run.py": set(),
    "bash run.sh": RUN,
    "sh -c 'python tools/run.py'": RUN,
    "python -c 'import top'": {"top.py"},
    "python app": APP,
    "my-tool --fast": TOOL,
    "nice -n 5 my-tool": TOOL,
    "cat top.txt": set(),
}


def test_how_a_program_is_started(project: Project) -> None:
    project.write("tools/run.py", "import beside, json, numpy\n", 0o755)
    project.write("tools/beside.py", "x = 1\n")
    (project.root / "link.py").symlink_to("tools/run.py")
    project.write("top.py", "x = 1\n")
    project.write("run.sh", "#!/bin/sh\nset -e\npython tools/run.py\n")
    project.write("app/__main__.py", "import part\n")
    project.write("app/part.py", "x = 1\n")
    project.write("src/tool/cli.py", "from tool import core\n")
    project.write("src/tool/core.py", "x = 1\n")
    project.write("pyproject.toml", '[project]\nname = "tool"\nscripts.my-tool = "tool.cli:main"\n')
    project.pipeline({f"s{at}": {"cmd": cmd} for at, cmd in enumerate(STARTED)})
    found: dict[str, set[str]] = {f"s{at}": set() for at in range(len(STARTED))}
    for one in project.mlx("lint", "--json").json["findings"]:
        found[one["stage"]].add(one["path"])
    assert dict(zip(STARTED, found.values(), strict=True)) == STARTED


def test_where_packages_are(project: Project) -> None:
    """In the folders of the build system, and where the stage works."""
    project.write(
        "pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["code"]\n[project]\nname="x"\n'
    )
    project.write("code/lib/__init__.py", "")
    project.write("code/lib/one.py", "x = 1\n")
    project.write("jobs/work.py", "import sys\nsys.path.append('../extra')\nimport lib.one, more\n")
    project.write("extra/more.py", "x = 1\n")
    _stage(project, "python work.py", "work.py", wdir="jobs")
    assert set(_lint(project)) == {"code/lib/one.py", "extra/more.py"}


def test_what_is_installed_does_not_count(project: Project) -> None:
    project.write(".venv/pyvenv.cfg", "")
    project.write(".venv/lib/python3.11/site-packages/dep.py", "import own\n")
    project.write("own.py", "x = 1\n")
    project.write("jobs/random.py", "x = 1\n")
    project.write("built.py", "x = 1\n")
    project.write(".gitignore", "built.py\n")
    project.write("work.py", "import dep, json, os.path, dep.other, built\n")
    _stage(project, "python work.py", "work.py")
    assert _lint(project) == {}
    project.write("jobs/work.py", "import random\n")
    _stage(project, "python jobs/work.py", "jobs/work.py")
    assert set(_lint(project)) == {"jobs/random.py"}, "it hides the standard library's"


def test_a_broken_source_is_named(project: Project) -> None:
    project.write("work.py", "import bad\nimport good\n")
    project.write("bad.py", "def f(:\n")
    project.write("good.py", "x = 1\n")
    _stage(project, "python work.py", "work.py", "bad.py")
    result = project.mlx("lint", "--json")
    assert result.code == 3
    found = {one["path"]: one for one in result.json["findings"]}
    assert found["bad.py"]["kind"] == "broken-source"
    assert found["bad.py"]["why"] == "it cannot be read: line 1: invalid syntax"
    assert found["good.py"]["kind"] == "undeclared-import"


def test_fix(package: Project) -> None:
    text = (
        "vars: [{names: [a, b]}]\n"
        "stages:\n"
        "  work:   # here\n"
        "    wdir: src\n"
        "    cmd: python -m pkg.main\n"
        "    outs: []   # none\n"
        "  each:\n"
        "    foreach: ${names}\n"
        "    do:\n"
        "      cmd: PYTHONPATH=src python -m pkg.near ${item}\n"
        "      deps: [src/pkg/near.py]\n"
    )
    package.write("dvc.yaml", text)
    result = package.mlx("lint", "--fix")
    assert result.code == 3
    assert "by hand: add to the deps of each (a template): " in result.stderr
    assert result.stderr.count("by hand") == 1
    missing = sorted([*WAYS.values(), "src/pkg/main.py"])
    after = package.read("dvc.yaml")
    added = [one for one in after.splitlines() if one not in text.splitlines()]
    assert added[0] == "    deps:"
    assert sorted(added[1:]) == [f"      - {one.removeprefix('src/')}" for one in missing]
    assert package.mlx("lint", "work").ok().stdout == "nothing found in 1 stage\n"
    document = package.mlx("lint", "each", "--json")
    assert {one["stage"] for one in document.json["findings"]} == {"each@a", "each@b"}


def test_nothing_to_look_at(project: Project) -> None:
    assert project.mlx("lint").ok().stdout == "nothing found in 0 stages\n"
    result = project.mlx("lint", "none")
    assert result.code == 2 and result.stderr.count("\n") == 2
