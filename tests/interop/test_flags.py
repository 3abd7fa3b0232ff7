"""Each flag and each kind of target of `repro` selects and does what it does in dvc."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.outcome import FAILED, RAN, RESTORED, UNCHANGED, Outcome, of_dvc, of_mlx
from tests.support.project import Project
from tests.support.sample import ready_sample
from tests.support.snapshot import differences
from tests.support.tools import Tools

CHANGE_IN = "echo more >> in"
CHANGE_ALL = "echo more >> in; echo more >> other; echo more >> sub/own.in"
CHANGE_LR = "sed -i 's/lr: 0.1/lr: 0.2/' params.yaml"
REPLACE_PREP = "sed -i 's/cat in > prep.out/{}/' dvc.yaml"
FAIL_PREP = REPLACE_PREP.format("cat in > prep.out; false")
STAGES = 12  # of the sample, tracked data included
EMPTY = "rm -rf .dvc/cache prep.out model g_a tail.out lonely.out fd.out data.csv sub/*.out"


@pytest.fixture(scope="session")
def ready(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample project after a full run by dvc; copied, never changed."""
    return ready_sample(template, tmp_path_factory.mktemp("sample") / "x", tools)


@dataclass(frozen=True)
class Pair:
    """The same work by both tools, each in its own copy."""

    by_dvc: Project
    by_mlx: Project
    dvc: Outcome
    mlx: Outcome

    def __str__(self) -> str:
        return f"\n=== dvc\n{self.dvc.result}\n=== mlx\n{self.mlx.result}"

    def same_work(self) -> "Pair":
        """Both succeeded, and did the same to the same stages."""
        assert self.dvc.code == self.mlx.code == 0, str(self)
        assert self.mlx.work == self.dvc.work, str(self)
        return self

    def same_order(self) -> "Pair":
        """The stages are listed in dvc's order, where it has one.

        With less than half of all stages its order is that of a set: another in each process.
        """
        if 2 * len(self.dvc.order) >= STAGES:
            assert self.mlx.order == self.dvc.order, str(self)
        return self

    def same_disk(self) -> "Pair":
        """Nothing differs on disk."""
        found = differences(self.by_dvc.snapshot(), self.by_mlx.snapshot())
        assert not found, "left is dvc, right is mlx:\n" + "\n".join(found) + str(self)
        return self


def run_both(ready: Project, folder: Path, before: str, *args: str, cwd: str = ".") -> Pair:
    """Copy the sample twice, change both copies alike, run one tool in each."""
    left = Project.copy(ready.root, folder / "a" / "dvc", ready.tools)
    right = Project.copy(ready.root, folder / "a" / "mlx", ready.tools)
    # The remote is named by a path relative to the project.
    if not (folder / "remote").exists():
        (folder / "remote").symlink_to(ready.root.parent.parent / "remote")
    for project in (left, right):
        project.sh(before or ":")
    by_dvc = of_dvc(left.dvc("repro", *args, cwd=cwd))
    by_mlx = of_mlx(right.mlx("repro", "-j", "4", "--json", *args, cwd=cwd))
    return Pair(left, right, by_dvc, by_mlx)


@pytest.mark.parametrize("args", [
    "train", "sub/dvc.yaml", "sub/dvc.yaml:own", "group", "group@b", "tail", "data.csv.dvc",
    "train sub/dvc.yaml:own", "-s group", "-p train", "-P", "-R sub",
    "--downstream prep", "--downstream sub/dvc.yaml:use", "--glob t*",
    "--glob group@*", "-f -s train", "-f -P", "--force-downstream prep",
    "--force-downstream -P", "-k", "--no-commit -P", "",
])  # fmt: skip
def test_target_or_flag(args: str, ready: Project, tmp_path: Path) -> None:
    pair = run_both(ready, tmp_path, CHANGE_ALL, *args.split())
    pair.same_work().same_order().same_disk()


@pytest.mark.parametrize("args", ["", "-s eval", "--downstream prep"])
def test_nothing_changed(args: str, ready: Project, tmp_path: Path) -> None:
    run_both(ready, tmp_path, "", *args.split()).same_work().same_order().same_disk()


@pytest.mark.parametrize(("cwd", "args"), [
    ("sub", ""), ("sub", "use"), ("sub", "../dvc.yaml:train"), ("sub", "-P"), ("sub", "-R deep"),
    ("sub/deep", "deep"), ("sub", "--downstream use"),
])  # fmt: skip
def test_from_a_subfolder(cwd: str, args: str, ready: Project, tmp_path: Path) -> None:
    pair = run_both(ready, tmp_path, CHANGE_ALL, *args.split(), cwd=cwd)
    pair.same_work().same_order().same_disk()


def test_another_folder_by_option(ready: Project, tmp_path: Path) -> None:
    left, right = (Project.copy(ready.root, tmp_path / name, ready.tools) for name in "ab")
    for project in (left, right):
        project.sh(CHANGE_ALL)
    by_dvc = of_dvc(left.dvc("--cd", "sub", "repro", "own"))
    by_mlx = of_mlx(right.mlx("-C", "sub", "repro", "--json", "own"))
    Pair(left, right, by_dvc, by_mlx).same_work().same_order().same_disk()


@pytest.mark.parametrize("args", ["", "-P", "train", "-f"])
def test_dry_run_changes_nothing_and_names_what_would_run(
    args: str, ready: Project, tmp_path: Path
) -> None:
    pair = run_both(ready, tmp_path, CHANGE_ALL + ";" + CHANGE_LR, "--dry", *args.split())
    assert pair.dvc.code == pair.mlx.code == 0, str(pair)
    pair.same_disk()
    expected, actual = (
        # dvc says nothing of tracked data in a dry run.
        {n for n, outcome in tool.stages if outcome != UNCHANGED and not n.endswith(".dvc")}
        for tool in (pair.dvc, pair.mlx)
    )
    assert expected <= actual, str(pair)
    # dvc does not look further than one stage; mlx also names what follows from it, and says so.
    entries = {entry["stage"]: entry for entry in pair.mlx.result.json["stages"]}
    for name in actual - expected:
        kinds = {reason["kind"] for reason in entries[name]["reasons"]}
        assert kinds == {"upstream"}, str(pair)


def test_run_cache_after_a_revert(ready: Project, tmp_path: Path) -> None:
    change_and_back = "cp in in.old; echo more >> in; {}; cp in.old in; rm in.old"
    before = change_and_back.format("dvc repro -q -P") + "; rm -f sub/deep/dvc.lock"
    pair = run_both(ready, tmp_path, before, "-P")
    assert pair.dvc.only(RESTORED), str(pair)
    pair.same_work().same_order().same_disk()


def test_no_run_cache_after_a_revert(ready: Project, tmp_path: Path) -> None:
    before = "cp in in.old; echo more >> in; dvc repro -q -P; mv in.old in"
    pair = run_both(ready, tmp_path, before, "-P", "--no-run-cache")
    assert not pair.dvc.only(RESTORED), str(pair)
    pair.same_work().same_order().same_disk()


def test_the_newest_of_several_results_is_restored(ready: Project, tmp_path: Path) -> None:
    # The command reads a file it does not declare: one key of the run-cache, two results.
    undeclared = REPLACE_PREP.format("cat in hidden > prep.out")
    before = (
        f"{undeclared}; echo 1 > hidden; dvc repro -q prep; echo 2 > hidden; dvc repro -q -f prep;"
        "echo 1 > hidden; dvc repro -q -f prep; rm dvc.lock prep.out"
    )
    pair = run_both(ready, tmp_path, before, "-P").same_work().same_order().same_disk()
    assert "2" in pair.by_mlx.read("prep.out")


def test_after_no_commit_the_next_run_does_the_same(ready: Project, tmp_path: Path) -> None:
    before = CHANGE_ALL + "; dvc repro -q -P --no-commit"
    run_both(ready, tmp_path, before, "-P").same_work().same_order().same_disk()


@pytest.mark.parametrize("change", ["", CHANGE_LR, "echo more >> in"])
def test_allow_missing(change: str, ready: Project, tmp_path: Path) -> None:
    before = "rm -rf .dvc/cache model g_a fd.out data.csv sub/use.out;" + change
    pair = run_both(ready, tmp_path, before, "-P", "--allow-missing")
    if pair.dvc.code:
        assert pair.mlx.code, str(pair)
    else:
        pair.same_work().same_order().same_disk()


@pytest.mark.parametrize("change", ["", CHANGE_LR, "echo more >> in"])
def test_pull(change: str, ready: Project, tmp_path: Path) -> None:
    pair = run_both(ready, tmp_path, f"{EMPTY};{change}", "-P", "--pull")
    assert pair.dvc.code == pair.mlx.code == 0, str(pair)
    assert pair.mlx.only(RAN) == pair.dvc.only(RAN), str(pair)
    pair.same_disk()


def _failed_alike(pair: Pair, failed: set[str], outs: set[str]) -> None:
    """The rest is done alike; what the failed stages leave in the workspace is not compared."""
    left, right = pair.by_dvc.snapshot(), pair.by_mlx.snapshot()
    assert left.locks == right.locks, str(pair)
    assert left.runs == right.runs, str(pair)
    assert left.cache == right.cache, str(pair)
    assert left.ignores == right.ignores, str(pair)
    for path in left.workspace.keys() - outs:
        assert left.workspace[path] == right.workspace.get(path), path
    assert failed <= pair.mlx.only(FAILED), str(pair)


def test_keep_going_skips_only_what_depends(ready: Project, tmp_path: Path) -> None:
    pair = run_both(ready, tmp_path, CHANGE_ALL + ";" + FAIL_PREP, "-P", "-k")
    assert pair.dvc.code != 0
    assert pair.mlx.code == 1, str(pair)
    # dvc says that it runs a stage before it knows that it fails.
    assert pair.mlx.work == pair.dvc.work - {("prep", RAN)}, str(pair)
    outcomes = dict(pair.mlx.stages)
    for name in ("train", "eval", "sub/dvc.yaml:use", "sub/deep/dvc.yaml:deep"):
        assert outcomes[name] == "not-reached", str(pair)
    _failed_alike(pair, {"prep"}, {"prep.out"})


def test_ignore_errors_runs_the_rest(ready: Project, tmp_path: Path) -> None:
    before = CHANGE_ALL + "; sed -i 's/cat other > lonely.out/exit 3/' dvc.yaml"
    pair = run_both(ready, tmp_path, before, "-P", "--ignore-errors")
    assert pair.mlx.code == pair.dvc.code, str(pair)
    assert pair.mlx.work == pair.dvc.work - {("lonely", RAN)}, str(pair)
    _failed_alike(pair, {"lonely"}, {"lonely.out"})


def test_a_failure_ends_the_run(ready: Project, tmp_path: Path) -> None:
    pair = run_both(ready, tmp_path, CHANGE_IN + ";" + FAIL_PREP, "eval")
    assert pair.dvc.code != 0
    assert pair.mlx.code == 1, str(pair)
    assert dict(pair.mlx.stages) == {
        "prep": "failed",
        "train": "not-reached",
        "eval": "not-reached",
    }
    _failed_alike(pair, {"prep"}, {"prep.out"})


@pytest.mark.parametrize("target", ["nothing", "sub/dvc.yaml:nothing", "no/dvc.yaml"])
def test_unknown_target(target: str, ready: Project, tmp_path: Path) -> None:
    project = Project.copy(ready.root, tmp_path / "p", ready.tools)
    assert project.dvc("repro", target).code != 0
    result = project.mlx("repro", "--json", target)
    assert result.code in (2, 4), str(result)
    assert result.json["error"]["message"], str(result)
