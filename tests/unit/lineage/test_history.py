"""What commits are said to introduce: merges, rebases, renames, moves, broken files, borders."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.lineage import Repository, md5

from mlxkit.core.errors import MlxError
from mlxkit.lineage.log import history_of


def test_only_the_commit_that_brought_it_is_named(repo: Repository) -> None:
    repo.lock(train="data.csv:1 > model:m1")
    first = repo.commit()
    repo.lock(train="data.csv:1 > model:m1", other="x:1 > y:2")
    repo.commit()
    assert repo.makers("m1") == [(first, "train", "model")]


def test_what_comes_back_is_introduced_again(repo: Repository) -> None:
    made = []
    for content in ("m1", "m2", "m1"):
        repo.lock(train=f"data.csv:1 > model:{content}")
        made.append(repo.commit())
    assert [commit for commit, _, _ in repo.makers("m1")] == [made[0], made[2]]


def test_a_merge_introduces_only_what_it_changed_itself(repo: Repository) -> None:
    repo.lock(a="x:1 > a:a1", b="x:1 > b:b1")
    repo.commit()
    repo.git("checkout", "-qb", "side")
    repo.lock(a="x:1 > a:a2", b="x:1 > b:b1")
    side = repo.commit()
    repo.git("checkout", "-q", "main")
    repo.lock(a="x:1 > a:a1", b="x:1 > b:b2")
    main = repo.commit()
    repo.git("merge", "-q", "--no-commit", "side", ok=False)
    repo.lock(a="x:1 > a:a2", b="x:1 > b:b2", c="a:a2 b:b2 > c:c1")
    merge = repo.commit("merge")
    assert repo.git("rev-list", "--parents", "-1", "HEAD").split() == [merge, main, side]
    assert [commit for commit, _, _ in repo.makers("a2")] == [side]
    assert [commit for commit, _, _ in repo.makers("b2")] == [main]
    assert [commit for commit, _, _ in repo.makers("c1")] == [merge]


def test_rebase_amend_forced_update_and_deletion(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m1")
    first = repo.commit()
    repo.git("checkout", "-qb", "work")
    repo.lock(train="x:1 > model:m2")
    before = repo.commit()
    assert repo.makers("m2") == [(before, "train", "model")]
    repo.git("commit", "-q", "--amend", "-m", "better")
    amended = repo.git("rev-parse", "HEAD")
    assert [commit for commit, _, _ in repo.makers("m2")] == [amended]
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "work")
    assert repo.makers("m2") == []
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert repo.makers("m1") == [(first, "train", "model")]
    repo.git("branch", "-f", "back", "HEAD")
    assert repo.makers("m1") == [(first, "train", "model")]


def test_a_renamed_stage_introduces_nothing(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m1")
    first = repo.commit()
    repo.lock(fit="x:1 > model:m1")
    repo.commit()
    assert repo.makers("m1") == [(first, "train", "model")]


def test_a_moved_dvc_yaml_whose_outputs_stay(repo: Repository) -> None:
    repo.lock(train="data.csv:1 > model:m1")
    first = repo.commit()
    (repo.root / "dvc.lock").unlink()
    repo.lock("pipe/dvc.lock", train="../data.csv:1 > ../model:m1")
    repo.commit()
    assert repo.makers("m1") == [(first, "train", "model")]


def test_an_output_that_moves_is_followed(repo: Repository) -> None:
    repo.lock(train="x:1 > old:m1")
    repo.commit("one")
    repo.lock(train="x:1 > old:m2")
    repo.commit("two")
    repo.lock(train="x:1 > new:m2")
    repo.commit("moved")
    repo.lock(train="x:1 > new:m3")
    repo.commit("three")
    index = repo.index()
    found = history_of(index, "new").versions
    told = [(one.made.subject, one.made.path, one.renamed_from) for one in found]
    index.close()
    assert told == [
        ("three", "new", None), ("moved", "new", "old"), ("two", "old", None), ("one", "old", None)
    ]  # fmt: skip


def test_working_folders_of_stages(repo: Repository) -> None:
    repo.write("dvc.yaml", json.dumps({"stages": {"a": {"cmd": "make a", "wdir": "in"}}}))
    repo.lock(a="x:1 > out:o1", b="in/out:o1 > c:c1")
    first = repo.commit()
    assert repo.makers("o1") == [(first, "a", "in/out")]
    # Only the folder changes: the same lock now speaks of another path.
    repo.write("dvc.yaml", json.dumps({"stages": {"a": {"cmd": "make a", "wdir": "sub"}}}))
    second = repo.commit()
    assert repo.makers("o1") == [(first, "a", "in/out"), (second, "a", "sub/out")]


def test_templates_in_working_folders(repo: Repository) -> None:
    stage = {"foreach": ["p", "q"], "do": {"cmd": "make ${item}", "wdir": "w/${item}"}}
    repo.write("dvc.yaml", json.dumps({"stages": {"s": stage}}))
    repo.lock(**{"s@p": "x:1 > out:o1", "s@q": "x:1 > out:o2"})
    repo.commit()
    assert [path for _, _, path in repo.makers("o1") + repo.makers("o2")] == [
        "w/p/out", "w/q/out"
    ]  # fmt: skip


def test_dvc_files_and_imports_are_raw_data(repo: Repository) -> None:
    repo.dvcfile("raw/data.csv.dvc", "d1", "data.csv")
    repo.commit()
    repo.lock(train="raw/data.csv:d1 > model:m1")
    repo.commit()
    told = repo.ask("m1")
    (data,) = told.upstream()
    assert (data.kind, data.stage, data.path) == ("data", "raw/data.csv.dvc", "raw/data.csv")


def test_broken_lock_files_are_skipped_with_a_note(repo: Repository) -> None:
    repo.write("dvc.lock", "<<<<<<< ours\n")
    broken = repo.commit()
    repo.lock(train="x:1 > model:m1")
    fixed = repo.commit()
    assert repo.makers("m1") == [(fixed, "train", "model")]
    assert any(broken[:7] in note and "dvc.lock" in note for note in repo.ask("m1").notes)


def test_all_refs_count_but_those_of_mlx(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m0")
    start = repo.commit()
    for number, ref in enumerate(
        ["refs/exps/ab/cdef/exp-1", "refs/remotes/origin/b", "refs/tags/t", "refs/mlx/other"], 1
    ):
        repo.git("checkout", "-q", "--detach", start)
        repo.lock(train=f"x:1 > model:m{number}")
        repo.git("update-ref", ref, repo.commit())
    repo.git("checkout", "-q", "main")
    assert [bool(repo.makers(f"m{number}")) for number in range(1, 5)] == [True, True, True, False]
    assert repo.ask("m1").producers[0].refs == ("exp-1",)
    assert repo.ask("m2").producers[0].refs == ("origin/b",)
    repo.git("tag", "-a", "v1", "-m", "annotated", "HEAD")
    assert repo.ask("m0").producers[0].refs == ("main", "t", "v1")


def test_every_stash_counts(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m0")
    repo.commit()
    for content in ("m1", "m2"):
        repo.lock(train=f"x:1 > model:{content}")
        repo.git("stash", "-q")
    assert repo.makers("m1") and repo.makers("m2")
    repo.git("stash", "drop", "-q", "stash@{1}")
    assert not repo.makers("m1") and repo.makers("m2")


def test_a_shallow_clone_says_where_it_begins(repo: Repository, tmp_path: Path) -> None:
    repo.lock(train="x:1 > model:m1")
    first = repo.commit()
    for number in range(3):
        repo.lock(train="x:1 > model:m1", more=f"x:1 > y:{number}")
        repo.commit()
    clone = tmp_path / "clone"
    url = f"file://{repo.root}"
    repo.git("clone", "-q", "--depth=2", url, str(clone))
    (clone / ".dvc").mkdir(exist_ok=True)
    shallow = Repository(clone, repo.env)
    told = shallow.ask("m1")
    assert [one.border for one in told.producers] == [True]
    assert any("shallow" in note for note in told.notes)
    shallow.git("fetch", "-q", "--deepen=1")
    assert [one.border for one in shallow.ask("m1").producers] == [True]
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.makers("m1") == [(first, "train", "model")]
    assert not shallow.ask("m1").notes


def test_a_partial_clone_gets_what_it_lacks_at_once(repo: Repository, tmp_path: Path) -> None:
    commits = []
    for number in range(20):
        repo.lock(train=f"x:1 > model:m{number}")
        commits.append(repo.commit())
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.root}", str(clone))
    partial = Repository(clone, repo.env)
    (clone / ".dvc").mkdir(exist_ok=True)

    def packs() -> int:
        return len(list((clone / ".git" / "objects" / "pack").glob("*.pack")))

    before = packs()
    assert partial.makers("m3") == [(commits[3], "train", "model")]
    assert packs() - before <= 2  # one for all that was missing, not one a blob


def test_a_partial_clone_without_its_remote_says_what_is_missing(
    repo: Repository, tmp_path: Path
) -> None:
    for number in range(3):
        repo.lock(train=f"x:1 > model:m{number}")
        repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.root}", str(clone))
    (clone / ".dvc").mkdir(exist_ok=True)
    partial = Repository(clone, repo.env)
    partial.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    told = partial.ask("m2")
    assert told.producers
    assert any("missing from this clone" in note for note in told.notes)
    assert partial.makers("m1") == []
    partial.git("remote", "set-url", "origin", f"file://{repo.root}")
    assert len(partial.makers("m1")) == 1 and not partial.ask("m2").notes


def test_files_inside_tracked_folders(repo: Repository) -> None:
    repo.lock(split="raw:r1 > data/:d1", train="data/x.csv:x1 > model:m1")
    repo.commit()
    repo.lock(split="raw:r2 > data/:d2", train="data/x.csv:x2 > model:m2")
    repo.commit()
    up = {node.path: node.md5 for node in repo.ask("m2").upstream()}
    assert up == {"data/x.csv": md5("x2"), "data": md5("d2") + ".dir", "raw": md5("r2")}
    down = {node.md5 for node in repo.ask("r1").downstream()}
    assert down == {md5("d1") + ".dir", md5("x1"), md5("m1")}


def test_outputs_inside_a_folder_that_is_read(repo: Repository) -> None:
    repo.lock(a="raw:r1 > data/a:a1", train="data/:all > model:m1")
    repo.commit()
    assert {node.md5 for node in repo.ask("r1").downstream()} == {
        md5("a1"), md5("all") + ".dir", md5("m1")
    }  # fmt: skip


def test_the_working_tree_counts_without_a_commit(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m1")
    repo.commit()
    repo.lock(train="x:1 > model:m2")
    assert repo.makers("m2") == [(None, "train", "model")]
    repo.lock(train="x:1 > model:m3")
    assert repo.makers("m2") == [] and repo.makers("m3") == [(None, "train", "model")]
    made = repo.commit()
    assert repo.makers("m3") == [(made, "train", "model")]


def test_cycles_and_wide_graphs_end(repo: Repository) -> None:
    stages = {
        f"s{n}": f"f{n}:{n} g{n}:g{n} > f{n + 1}:{n + 1} g{n + 1}:g{n + 1}" for n in range(60)
    }
    repo.lock(**stages, back="f60:60 > f0:0")
    repo.commit()
    told = repo.ask("30")
    assert len({node.md5 for node in told.nodes}) == len(told.nodes) == 122


def test_a_repository_without_commits(repo: Repository) -> None:
    assert repo.makers("m1") == []
    repo.lock(train="x:1 > model:m1")
    assert repo.makers("m1") == [(None, "train", "model")]


def test_odd_names(repo: Repository) -> None:
    repo.lock("ä ö/dvc.lock", **{"s@ü": "a b:1 > 'q':2"})
    repo.commit("tab\tand ü")
    (told,) = repo.ask("2").producers
    assert told.subject == "tab\tand ü" and told.stage == "ä ö/dvc.yaml:s@ü"


def test_a_worktree_of_the_repository(repo: Repository, tmp_path: Path) -> None:
    repo.lock(train="x:1 > model:m1")
    first = repo.commit()
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"))
    other = Repository(tmp_path / "tree", repo.env)
    (other.root / ".dvc").mkdir(exist_ok=True)
    assert other.makers("m1") == [(first, "train", "model")]
    assert subprocess.run(
        ["git", "-C", str(other.root), "status", "--porcelain"],
        env=dict(repo.env), capture_output=True, text=True, check=True,
    ).stdout == ""  # fmt: skip


def test_a_ref_that_leads_nowhere_is_named(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m0")
    repo.commit()
    (repo.root / ".git/refs/heads/gone").write_text("1" * 40 + "\n")
    with pytest.raises(MlxError, match=r"^git show-ref failed: .*refs/heads/gone") as caught:
        repo.makers("m0")
    assert "git update-ref -d REF" in str(caught.value.hint)
