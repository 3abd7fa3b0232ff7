"""Settings, `.dvc` files and paths that random data does not have: the same result as with dvc."""

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.commands import Result, dvc_argv, mlx_argv, run
from tests.support.long import sampled
from tests.support.project import Project
from tests.support.tools import Tools

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "special_data.yaml").read_text(encoding="utf-8")
)
DATA = """
mkdir -p d/n
echo f > f; echo x > d/x; echo y > 'd/n/größe 😀'; : > d/nothing; echo run > d/run; chmod +x d/run
"""
PRIVATE = re.compile(r"(^|/)(\.git|\.mlx|\.dvc/tmp)$")  # each tool's own: never compared
LEFT_BEHIND = re.compile(r"\.[\w-]{22}\.tmp")  # by dvc, after `--out`
SHOWN = 2000  # bytes of a file in a message
STEP = re.compile(r"(?P<mark>[!~] )?(?:\((?P<cwd>.+?)\) )?mlx (?P<args>.*)", re.DOTALL)

Listing = dict[str, tuple[str, bytes | str]]


def listing(outer: Path) -> Listing:
    """All that lies below `outer`, which holds a project, its remote and whatever else."""
    return dict(_entries(outer))


def _entries(outer: Path) -> Iterator[tuple[str, tuple[str, bytes | str]]]:
    for folder, folders, files in os.walk(outer):
        folders[:] = [name for name in folders if not PRIVATE.search(f"{folder}/{name}")]
        for name in (name for name in folders + files if not LEFT_BEHIND.fullmatch(name)):
            path = os.path.join(folder, name)
            yield os.path.relpath(path, outer), _entry(path, outer)


def _entry(path: str, outer: Path) -> tuple[str, bytes | str]:
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        return "link", os.readlink(path).replace(f"{outer}/", "(here)/")
    mode = f"{stat.S_IMODE(info.st_mode):04o}"
    if stat.S_ISDIR(info.st_mode):
        return f"folder {mode}", ""
    with open(path, "rb") as file:
        content = file.read().replace(os.fsencode(outer), b"(here)")
    # A hard link shows in the number of names.
    kind = f"file {mode}, {info.st_nlink} names"
    return kind, content if len(content) <= SHOWN else hashlib.md5(content).hexdigest()


def differences(left: Listing, right: Listing) -> list[str]:
    """One paragraph for each path that is not the same."""
    return [
        f"{path}\n  dvc:   {left.get(path, 'absent')}\n  other: {right.get(path, 'absent')}"
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    ]


@dataclass
class Pair:
    """Two projects that begin alike and must stay alike; dvc works in one, `other` in the other.

    Each lies in a folder of its own, with its remote `storage` beside it.
    """

    sides: list[Project]
    other: str = "mlx"
    inner: str = "."  # where in the repository the project is
    umask: str = ""
    log: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, template: Path, folder: Path, tools: Tools, **options: Any) -> "Pair":
        """Two copies of the empty project."""
        sides = [Project.copy(template, folder / name / "p", tools) for name in ("left", "right")]
        return cls(sides, **options)

    def configure(self, config: dict[str, dict[str, object]]) -> None:
        """Write the configuration: the remote and `config`."""
        core = {"remote": "storage", **config.get("core", {})}
        for side in self.sides:
            # Relative, it would mean another place to dvc in another commit.
            remote: dict[str, dict[str, object]] = {
                "'remote \"storage\"'": {"url": side.root.parent / "remote"}
            }
            sections: dict[str, dict[str, object]] = {**config, "core": core, **remote}
            text = ""
            for section, options in sections.items():
                text += f"[{section}]\n" + "".join(f"    {k} = {v}\n" for k, v in options.items())
            side.write(f"{self.inner}/.dvc/config", text)

    def sh(self, script: str) -> None:
        """Run the same script in both."""
        self.log.append(f"$ {script}")
        for side in self.sides:
            side.sh(f"umask {self.umask or '022'}\n{script}")

    def git(self, *args: str) -> None:
        """Run the same Git command in both, which must succeed."""
        self.log.append(f"$ git {shlex.join(args)}")
        for side in self.sides:
            side.git(*args)

    def run(
        self, *args: str, cwd: str | None = None, swapped: bool = False, codes: bool = True
    ) -> list[Result]:
        """`dvc ARGS` in the one, `other ARGS` in the other; the results, after a comparison."""
        cwd = cwd or self.inner
        self.log.append(f"({cwd}) {shlex.join(args)}" + (" (swapped)" if swapped else ""))
        by_dvc, by_other = reversed(self.sides) if swapped else self.sides
        results = [
            self._call(tool, side.root / cwd, args)
            for tool, side in (("dvc", by_dvc), (self.other, by_other))
        ]
        texts = "\n".join(f"\n=== {result}" for result in results)
        where = "\n".join(["", *self.log]) + texts
        expected, actual = results
        same = bool(expected.code) == bool(actual.code)
        assert same or not codes, "exit codes differ" + where
        assert actual.code not in (70, 120) or self.other == "dvc", "an internal error" + where
        self.compare(by_dvc, by_other, where)
        return results

    def compare(self, by_dvc: Project, by_other: Project, where: str = "") -> None:
        """Fail where anything differs on disk or for Git."""
        lists = [listing(side.root.parent) for side in (by_dvc, by_other)]
        found = differences(*lists)
        assert not found, "\n".join(found) + where
        if (by_dvc.root / ".git").exists():
            states = [side.git("status", "--porcelain").stdout for side in (by_dvc, by_other)]
            assert states[0] == states[1], "\n".join(states) + where

    def agree(self) -> bool:
        """Both tools say the same of both projects; whether all is up to date."""
        says = [side.dvc("status", "--json", cwd=self.inner).ok().json for side in self.sides]
        assert says[0] == says[1], f"dvc status differs: {says}\n" + "\n".join(self.log)
        clean: bool = says[0] == {}
        if self.other == "mlx":
            for side in self.sides:
                result = side.mlx("status", "--json", cwd=self.inner).ok()
                assert result.json["clean"] == clean, f"{says[0]}\n{result}\n" + "\n".join(self.log)
        return clean

    def _call(self, tool: str, cwd: Path, args: tuple[str, ...]) -> Result:
        tools = self.sides[0].tools
        if self.umask:
            argv = dvc_argv(*args) if tool == "dvc" else mlx_argv(*args)
            script = f'umask {self.umask}; exec "$@"'
            return run(["/bin/sh", "-c", script, "sh", *argv], cwd, tools.env)
        return tools.dvc(cwd, *args) if tool == "dvc" else tools.mlx(cwd, *args)


def play(pair: Pair, step: str) -> None:
    """One line of a case: a command of the tools, or a script."""
    found = STEP.fullmatch(step.strip())
    if not found:
        pair.sh(step)
        return
    expected = found["mark"] == "! "
    results = pair.run(*shlex.split(found["args"]), cwd=found["cwd"], codes=found["mark"] != "~ ")
    refused = bool(results[0].code)
    assert refused == expected, "\n".join([*pair.log, *map(str, results)])


@pytest.mark.parametrize("name", sampled(CASES, 6))
def test_same_as_dvc(name: str, template: Path, tools: Tools, tmp_path: Path) -> None:
    case = CASES[name]
    options = {key: case[key] for key in ("inner", "umask") if key in case}
    pair = Pair.make(template, tmp_path, tools, other=os.environ.get("OTHER", "mlx"), **options)
    inner = shlex.quote(pair.inner)
    if pair.inner != ".":
        pair.sh(f"mkdir -p {inner}; mv .dvc .dvcignore {inner}")
    pair.configure(case.get("config", {}))
    pair.sh("git add -A; git commit -qm made")
    for script in (DATA, case.get("setup", ":")):
        pair.sh(f"cd {inner}\n{script}")
    for step in case["steps"]:
        play(pair, step)
    if case.get("status", True):
        pair.agree()


def _changed(project: Project) -> Project:
    project.sh(DATA)
    project.dvc("add", "f", "d").ok()
    project.sh("echo 'never added' > f; echo 'never added' > d/x; echo 'never added' > d/new")
    return project


@pytest.mark.parametrize("args", [("checkout",), ("checkout", "f"), ("checkout", "d.dvc")])
def test_checkout_leaves_what_was_never_added(args: tuple[str, ...], project: Project) -> None:
    _changed(project)
    before = listing(project.root)
    assert project.dvc(*args).code != 0
    result = project.mlx(*args)
    assert result.code != 0, str(result)
    # dvc has done a part of its work by then.
    assert listing(project.root).keys() >= before.keys()
    for path in ("f", "d/x", "d/new"):
        assert project.read(path) == "never added\n"


def test_checkout_names_what_it_would_overwrite(project: Project) -> None:
    _changed(project)
    before = listing(project.root)
    result = project.mlx("checkout")
    assert result.code == 1, str(result)
    for path in ("f", "d/x"):
        assert path in result.stdout + result.stderr, str(result)
    assert listing(project.root) == before
    project.mlx("checkout", "--force").ok()
    assert (project.read("f"), project.read("d/x")) == ("f\n", "x\n")
    assert project.dvc("status", "--json").json == {}
