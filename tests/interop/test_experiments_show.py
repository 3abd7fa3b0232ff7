"""Experiments of dvc and of mlx, shown, compared and applied by either, with the same result."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.experiments import write_experiment
from tests.support.long import sampled
from tests.support.project import Project

STAGES: dict[str, Any] = {
    "prep": {"cmd": "tr a-z A-Z < data > clean", "deps": ["data"], "outs": ["clean"]},
    "train": {
        "cmd": "cat clean params.yaml > model; grep lr params.yaml | sed 's/^ *//' > m.yaml",
        "deps": ["clean"],
        "params": ["train.lr"],
        "outs": ["model"],
        "metrics": [{"m.yaml": {"cache": False}}, {"cached.json": {"cache": True}}],
    },
}
STAGES["train"]["cmd"] += '; printf \'{"n": %d, "deep": {"x": 0.25}}\' $(wc -c < model)'
STAGES["train"]["cmd"] += " > cached.json"


@pytest.fixture(scope="module")
def once(template: Path, tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository with experiments of many kinds, made by dvc and with plain Git."""
    project = Project.copy(template, tmp_path_factory.mktemp("exps") / "project", tools)
    project.write("data", "a\n")
    project.write("params.yaml", "train:\n  lr: 0.1\n  size: [1, 2]\nseed: 7\n")
    project.pipeline(STAGES, metrics=["extra.json"], params=["more.json"])
    store = str(project.root.parent / "store")  # known to all commits, or dvc pushes nothing
    project.dvc("remote", "add", "-d", "store", store).ok()
    project.git("config", "user.name", "Tester")  # for the warm dvc
    project.git("config", "user.email", "tester@example.org")
    project.tools.commit(project.root, "never run")
    project.write("extra.json", '{"t": "text", "flag": true, "none": null}')
    project.write("more.json", '{"a": {"b": 1e-7}}')
    project.mlx("repro").ok()
    project.tools.commit(project.root, "trained")
    project.git("tag", "v1")
    project.dvc("exp", "run", "--temp", "-S", "train.lr=0.3", "-n", "by-dvc").ok()
    lock = project.read("dvc.lock")
    for number, (name, files, removed) in enumerate([
        ("plain", {"params.yaml": "train: {lr: 9, size: [3]}\nseed: 7\n", "m.yaml": "lr: 9\n"}, []),
        ("no-metrics", {}, ["m.yaml"]),
        ("bad-metrics", {"m.yaml": "a: [\n"}, []),
        ("gone-data", {"dvc.lock": re.sub("md5: [0-9a-f]{4}", "md5: dead", lock)}, []),
        ("special", {"extra.json": '{"nan": NaN, "inf": Infinity, "list": [1], "t": "x"}'}, []),
        ("Zä$(id)", {"extra.json": '{"t": "\\u001b[2Jclear"}'}, []),
    ]):  # fmt: skip
        write_experiment(
            project.root, name, files, removed=removed, second=1_800_000_000 + number,
            env=tools.env,
        )  # fmt: skip
    write_experiment(project.root, "of-old", {"seed": "1"}, baseline="HEAD~1", env=tools.env)
    project.git("branch", "side", "refs/exps/" + _ref(project, "plain"))
    deep = project.git("rev-parse", "side").stdout.strip()
    tree = project.git("rev-parse", "side^{tree}").stdout.strip()
    second = project.git("commit-tree", tree, "-p", deep, "-m", "on top").stdout.strip()
    base = project.git("rev-parse", "HEAD").stdout.strip()
    project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/two-commits", second)
    project.write("params.yaml", "train:\n  lr: 0.2\n  size: [1, 2]\nseed: 8\n")
    return project


def _ref(project: Project, name: str) -> str:
    refs = project.git("for-each-ref", "--format=%(refname)", "refs/exps").stdout.split("\n")
    return next(ref for ref in refs if ref.endswith(f"/{name}")).removeprefix("refs/exps/")


@pytest.fixture
def exps(once: Project, tmp_path: Path) -> Project:
    """A copy of it to change."""
    return Project.copy(once.root, tmp_path / "project", once.tools)


def _by_name(document: list[dict[str, Any]]) -> dict[str, str]:
    """Return what a document says of each revision, in no order, without the texts of errors."""
    found = {}
    for entry in document:
        for one in entry.pop("experiments") or ():
            for rev in one["revs"]:
                _plain(rev)
            found[f"{entry['rev']} {one['name']}"] = repr(_sorted(one))  # NaN is equal to NaN so
        _plain(entry)
        found[entry["rev"]] = repr(_sorted(entry))
    return found


def _plain(entry: dict[str, Any]) -> None:
    if entry["error"]:
        entry["error"] = bool(entry["error"])
    for part in ("metrics", "params"):
        for path, told in ((entry["data"] or {}).get(part) or {}).items():
            if "error" in told:
                entry["data"][part][path] = {"error": told["error"]["type"]}


@pytest.mark.parametrize("args", sampled([
    "-A", "-a", "-n 2 --sha", "", "-T", "-n -1", "--param-deps", "--rev plain --rev v1", "--rev v1",
    "--hide-workspace", "--rev HEAD~1 --rev v1", "--sha -A",
], 2))  # fmt: skip
def test_same_document_as_dvc(args: str, once: Project) -> None:
    expected = once.dvc("exp", "show", "--json", *args.split()).ok().json
    actual = once.mlx("exp", "show", "--json", *args.split()).ok().json
    assert _by_name(actual) == _by_name(expected)


def test_same_order_as_dvc(once: Project) -> None:
    def order(document: Any) -> list[list[str]]:
        return [[one["name"] for one in entry["experiments"] or ()] for entry in document]

    expected = once.dvc("exp", "show", "--json", "-A").ok().json
    assert order(once.mlx("exp", "show", "--json", "-A").ok().json) == order(expected)


@pytest.mark.parametrize("args", sampled([
    "-A", "", "--only-changed --hide-workspace", "--sort-by seed", "--drop . --keep seed",
    "--precision 2", "--sort-by train.lr --sort-order desc", "--drop train --drop Created",
], 2))  # fmt: skip
def test_same_csv_as_dvc(args: str, exps: Project) -> None:
    for name in ("two-commits", "special"):  # of one second; NaN has no order
        exps.git("update-ref", "-d", "refs/exps/" + _ref(exps, name))
    if "--sort-by" in args:
        for name in ("of-old",):  # mlx puts what has no value last, both ways
            exps.git("update-ref", "-d", "refs/exps/" + _ref(exps, name))
    expected = exps.dvc("exp", "show", "--csv", *args.split()).ok().stdout.splitlines()
    assert exps.mlx("exp", "show", "--csv", *args.split()).ok().stdout.splitlines() == expected


def test_what_waits_in_dvcs_queue_is_shown(exps: Project) -> None:
    exps.dvc("exp", "run", "--queue", "-S", "train.lr=0.7", "-n", "queued").ok()
    expected = exps.dvc("exp", "show", "--json").ok().json
    actual = exps.mlx("exp", "show", "--json").ok().json
    assert _by_name(actual) == _by_name(expected)
    text = exps.mlx("exp", "show", "--sort-by", "train.lr").ok().stdout
    assert "queued" in text and "by-dvc" in text
    exps.mlx("exp", "remove", "queued").ok()
    assert "queued" not in exps.dvc("queue", "status").ok().stdout


@pytest.mark.parametrize("args", sampled([
    "", "plain", "plain special", "HEAD by-dvc", "by-dvc plain --all", "plain no-metrics",
    "v1 plain --param-deps", "HEAD~1 HEAD",
], 2))  # fmt: skip
def test_same_difference_as_dvc(args: str, once: Project) -> None:
    expected = once.dvc("exp", "diff", "--json", *args.split()).ok().json
    actual = once.mlx("exp", "diff", "--json", *args.split()).ok().json
    for changes in actual["metrics"].values():
        for change in changes.values():
            del change["better"]
    assert repr(_sorted(actual)) == repr(_sorted(expected))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "name", sampled(["by-dvc", "plain", "no-metrics", "Zä$(id)", "special"], 2)
)
def test_apply_leaves_what_dvc_leaves(name: str, exps: Project) -> None:
    exps.git("checkout", "-q", "params.yaml")
    if name in ("plain", "by-dvc"):  # with it, dvc brings back what the experiment removed
        exps.write("untracked", "mine\n")
    twin = exps.twin("twin")
    twin.dvc("exp", "apply", name).ok()
    exps.mlx("exp", "apply", name).ok()
    for words in (("status", "--porcelain"), ("diff",), ("ls-files", "-s"), ("stash", "list")):
        assert exps.git(*words).stdout == twin.git(*words).stdout
    assert exps.git("rev-parse", "HEAD", "refs/exps/exec/EXEC_APPLY").stdout == (
        twin.git("rev-parse", "HEAD", "refs/exps/exec/EXEC_APPLY").stdout
    )
    for path in ("untracked", "clean", "model", "cached.json"):
        ours, theirs = exps.root / path, twin.root / path
        assert ours.exists() == theirs.exists(), path
        assert not ours.exists() or ours.read_bytes() == theirs.read_bytes(), path
    assert exps.dvc("status", "--json").ok().json == twin.dvc("status", "--json").ok().json


def test_names_are_the_same_to_both(exps: Project) -> None:
    def names(tool: Any) -> list[str]:
        return sorted(tool("exp", "list", "-A", "--name-only").ok().stdout.split())

    assert names(exps.mlx) == names(exps.dvc)
    exps.mlx("exp", "rename", "plain", "other").ok()
    exps.dvc("exp", "rename", "special", "special2").ok()
    exps.dvc("exp", "remove", "bad-metrics").ok()
    exps.mlx("exp", "remove", "two-commits", "gone-data").ok()
    assert names(exps.mlx) == names(exps.dvc)
    exps.mlx("exp", "branch", "other").ok()
    assert exps.git("rev-parse", "other-branch").stdout == exps.git("rev-parse", "side").stdout
    exps.mlx("exp", "remove", "--rev", "HEAD", "--keep").ok()
    assert names(exps.mlx) == names(exps.dvc)
    assert "of-old" not in names(exps.mlx) and "other" in names(exps.mlx)


@pytest.mark.parametrize(("push", "pull"), [("dvc", "mlx"), ("mlx", "dvc"), ("mlx", "mlx")])
def test_pushed_by_one_pulled_by_the_other(
    push: str, pull: str, exps: Project, once: Project, tmp_path: Path
) -> None:
    shutil.rmtree(once.root.parent / "store", ignore_errors=True)
    exps.git("checkout", "-q", "params.yaml")
    exps.git("init", "-q", "--bare", str(tmp_path / "hub"))
    exps.git("remote", "add", "origin", str(tmp_path / "hub"))
    exps.git("push", "-q", "origin", "main")
    getattr(exps, push)("exp", "push", "origin", "by-dvc", "no-metrics").ok()
    exps.git("clone", "-q", str(tmp_path / "hub"), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", exps.tools)
    getattr(clone, pull)("exp", "pull", "origin", "by-dvc").ok()
    assert clone.mlx("exp", "list", "-A", "--name-only").ok().stdout == "by-dvc\n"
    clone.mlx("exp", "apply", "by-dvc").ok()
    assert "lr: 0.3" in clone.read("model")
    listed = clone.mlx("exp", "list", "origin", "-A", "--name-only").ok().stdout.split()
    assert sorted(listed) == ["by-dvc", "no-metrics"]
    getattr(clone, push)("exp", "remove", "-g", "origin", "by-dvc").ok()
    assert clone.dvc("exp", "list", "origin", "-A", "--name-only").ok().stdout == "no-metrics\n"
