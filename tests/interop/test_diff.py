"""`mlx diff` finds what `dvc diff` finds, in the same words."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.commands import Result
from tests.support.long import sampled
from tests.support.project import CopyOf, Project

KINDS = ("added", "deleted", "modified", "renamed", "not in cache")
NAMES = ("a.csv", "b.txt", "ä ö.bin", "deep/c.csv", "deep/er/d.csv", "deep.csv")


def same(project: Project, *args: str, cwd: str = ".") -> dict[str, Any]:
    """Both tools' documents, which must be equal; entries that dvc tells twice count once."""
    expected = project.dvc("diff", *args, "--json", "--show-hash", cwd=cwd).ok()
    actual = project.mlx("diff", *args, "--json", "--show-hash", cwd=cwd).ok()
    told = f"\n{expected}\n{actual}"
    assert actual.json.keys() == expected.json.keys(), told
    for kind in KINDS:
        mine, theirs = (_entries(one, kind) for one in (actual, expected))
        assert mine == theirs, kind + told
    document: dict[str, Any] = actual.json
    return document


def lose_objects(project: Project, chosen: str) -> None:
    """Delete the objects that a shell filter chooses of, and DVC's own memory of directories."""
    project.sh(f"rm -f $(find .dvc/cache/files/md5 -type f | sort | {chosen})")
    for index in Path(project.tools.env["DVC_SITE_CACHE_DIR"]).glob("repo/*/index"):
        shutil.rmtree(index)


def _entries(result: Result, kind: str) -> list[str]:
    return sorted({repr(one) for one in result.json.get(kind, ())})


class Player:
    """Changes tracked data at random."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)

    def change(self) -> None:
        """Some steps, each leaving the records as dvc would."""
        for _ in range(self.random.randint(1, 4)):
            self.random.choice((self.file, self.folder, self.remove, self.move, self.stage))()

    def content(self) -> str:
        return self.random.choice(("1\n", "2\n", "3\n", "", f"{self.random.random()}\n"))

    def file(self) -> None:
        name = f"f/{self.random.choice('xyz')}"
        self.project.write(name, self.content())
        self.project.dvc("add", "-q", name)

    def folder(self) -> None:
        """Add a folder, or change some of its files."""
        name = self.random.choice(("data", "f/more"))
        if (self.project.root / name).is_file():
            return
        for inner in self.random.sample(NAMES, self.random.randint(1, 4)):
            self.project.write(f"{name}/{inner}", self.content())
        for inner in self.random.sample(NAMES, self.random.randint(0, 2)):
            (self.project.root / name / inner).unlink(missing_ok=True)
        self.project.dvc("add", "-q", name)

    def remove(self) -> None:
        found = sorted(self.project.root.rglob("*.dvc"))
        found = [one for one in found if one.is_file()]
        if found:
            chosen = self.random.choice(found)
            chosen.unlink()
            data = chosen.with_suffix("")
            shutil.rmtree(data) if data.is_dir() else data.unlink(missing_ok=True)

    def move(self) -> None:
        found = [one for one in sorted(self.project.root.rglob("*.dvc")) if one.is_file()]
        if found:
            source = self.random.choice(found).with_suffix("").relative_to(self.project.root)
            target = f"f/moved{self.random.randint(0, 3)}"
            self.project.dvc("move", str(source), target)

    def stage(self) -> None:
        number = self.random.randint(1, 3)
        self.project.pipeline(
            {
                "one": {
                    "cmd": f"mkdir -p out; for f in out/a out/b m; do echo {number} > $f; done",
                    "outs": ["out"],
                    "metrics": [{"m": {"cache": False}}],
                },
                "each": {
                    "foreach": list("pqr"[:number]),
                    "do": {"wdir": "w", "cmd": "echo ${item} > ${item}", "outs": ["${item}"]},
                },
            }
        )
        self.project.write("w/.keep", "")
        if self.random.random() < 0.8:
            self.project.dvc("repro", "-q")


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled(range(8), 4))
def test_random_revisions(seed: int, project: Project) -> None:
    player = Player(project, seed)
    for number in range(4):
        player.change()
        project.write("count", str(number))
        project.tools.commit(project.root, f"change {number}")
        project.git("tag", f"v{number}")
    player.change()
    for pair in ((), ("v0",), ("v0", "v3"), ("v2", "v1"), ("v1", "HEAD"), ("HEAD~4", "v3")):
        same(project, *pair)
    lose_objects(project, "head -n 4")
    for pair in ((), ("v1",), ("v1", "v3")):
        same(project, *pair)


def change(project: Project) -> None:
    """Two commits and a change to files, folders and stages."""
    for name in NAMES:
        project.write(f"data/{name}", name)
    project.write("one.csv", "1\n")
    project.write("sub/two.csv", "2\n")
    project.dvc("add", "-q", "data", "one.csv", "sub/two.csv").ok()
    project.pipeline({"s": {"cmd": "cat one.csv > s.txt", "deps": ["one.csv"], "outs": ["s.txt"]}})
    project.dvc("repro", "-q").ok()
    project.tools.commit(project.root, "first")
    project.git("tag", "v1")
    project.write("data/a.csv", "new")
    project.sh("mv data/b.txt data/deep/b2.txt")
    project.write("one.csv", "11\n")
    project.dvc("add", "-q", "data", "one.csv").ok()
    project.dvc("repro", "-q").ok()
    project.dvc("remove", "sub/two.csv.dvc").ok()
    project.tools.commit(project.root, "second")
    project.write("data/b.txt", "again")
    project.sh("rm -f s.txt")


@pytest.fixture
def changed(copy_of: CopyOf) -> Project:
    return copy_of(change)


TARGETS = [
    "data", "data/deep", "data/a.csv", "one.csv.dvc", "s", "dvc.yaml", "dvc.yaml:s", "s.txt",
    "data/a.csv s", "sub/two.csv", "data/deep/b2.txt data/b.txt",
]  # fmt: skip


@pytest.mark.parametrize("target", sampled(TARGETS, 2))
@pytest.mark.parametrize("revs", ["", "v1", "v1 HEAD"])
def test_targets(target: str, revs: str, changed: Project) -> None:
    given = [*revs.split(), "--targets", *target.split()]
    if changed.dvc("diff", *given, "--json").code:
        assert changed.mlx("diff", *given).code == 2
        return
    same(changed, *given)


def test_a_project_in_a_subfolder(changed: Project, new_project: Any) -> None:
    outer = new_project("outer")
    shutil.rmtree(outer.root / ".dvc")
    (outer.root / "in").mkdir()
    outer.sh("rm -f .dvcignore; cd in && dvc init -q --subdir")
    inner = Project(outer.root / "in", outer.tools)
    inner.write("x/data.csv", "1\n")
    inner.dvc("add", "-q", "x/data.csv").ok()
    inner.tools.commit(outer.root, "in")
    inner.write("x/data.csv", "2\n")
    assert same(inner)["modified"][0]["path"] == "x/data.csv"
    assert same(inner, cwd="x")["modified"][0]["path"] == "x/data.csv"
    same(inner, "HEAD", "--targets", "data.csv", cwd="x")
    # Where a revision has no project at all, dvc says that nothing differs.
    assert inner.dvc("diff", "HEAD~1", "HEAD", "--json").ok().json == {}
    added = inner.mlx("diff", "HEAD~1", "HEAD", "--json").ok().json["added"]
    assert added == [{"path": "x/data.csv"}]


@pytest.mark.parametrize(
    "args", sampled(["", "v1", "v1 HEAD", "HEAD HEAD", "v1 --hide-missing"], 2)
)
@pytest.mark.parametrize("flags", ["--md", "--md --show-hash", "--json", "--json --show-hash"])
def test_the_same_bytes(args: str, flags: str, changed: Project) -> None:
    lose_objects(changed, "grep -v dir | head -n 2")
    given = [*args.split(), *flags.split()]
    expected = changed.dvc("diff", *given).ok()
    actual = changed.mlx("diff", *given).ok()
    if "--md" in given:
        assert actual.stdout == expected.stdout
    assert "--md" in given or actual.json == expected.json


def test_templates_and_ignored_files(project: Project) -> None:
    """What templates stood for in a revision comes from that revision's parameters."""
    project.write("params.yaml", "name: first\n")
    project.write("conf/more.toml", 'folder = "w"\n')
    project.write("w/.keep", "")
    project.pipeline(
        {
            "t": {
                "wdir": "${folder}",
                "cmd": "echo ${name} > ${name}.txt; echo 1 > m.${name}",
                "outs": ["${name}.txt", {"m.${name}": {"cache": False}}],
            }
        },
        vars=["conf/more.toml"],
    )
    project.write("ignored/data.csv", "1\n")
    project.dvc("add", "-q", "ignored/data.csv").ok()
    project.dvc("repro", "-q").ok()
    project.tools.commit(project.root, "first")
    project.git("tag", "v1")
    project.write("params.yaml", "name: second\n")
    project.write(".dvcignore", "# nothing\nignored\n")
    project.dvc("repro", "-q")
    project.tools.commit(project.root, "second")
    for args in (("v1", "HEAD"), ("HEAD", "v1"), ("v1",), ()):
        for _ in range(2):  # from DVC's resolver, then from memory
            same(project, *args)


def test_data_of_dvc_2(project: Project) -> None:
    """Digests of DVC 2 are of text with Unix line ends, and equal to no other."""
    project.write("a.csv", "1\r\n2\r\n")
    project.write("d/b.csv", "1\r\n")
    project.write("d/c.bin", b"\0\r\n")
    old = {
        "a.csv.dvc": "outs:\n- md5: 6ddb4095eb719e2a9f0a3f95677d24e0\n  size: 4\n  path: a.csv\n",
        "d.dvc": "outs:\n- md5: 00000000000000000000000000000000.dir\n  nfiles: 2\n  path: d\n",
    }
    for path, text in old.items():
        project.write(path, text)
    project.write(".gitignore", "/a.csv\n/d\n")
    project.tools.commit(project.root, "old")
    same(project)
    project.write("a.csv", "1\n2\n")
    same(project)
    project.dvc("commit", "-q", "-f").ok()
    same(project)
    same(project, "HEAD~1", "HEAD")


def test_without_commits(tools: Any, tmp_path: Any) -> None:
    project = Project(tmp_path, tools)
    project.git("init", "-q")
    project.dvc("init", "-q").ok()
    assert same(project) == {}
