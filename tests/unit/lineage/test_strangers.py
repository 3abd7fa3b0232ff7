"""Histories and records that no honest tool writes: one of them must not stop every question."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.lineage import Repository, md5
from tests.unit.runs.records import batch, record

from mlxkit.core.errors import UsageError
from mlxkit.lineage.formats.openlineage import render
from mlxkit.lineage.inside import cached
from mlxkit.lineage.log import history_of
from mlxkit.lineage.metrics import TEMPLATE, fits
from mlxkit.lineage.what import find
from mlxkit.runs.ledger import append
from mlxkit.runs.record import Item
from mlxkit.runs.repository import Who

WHO = Who("Eve", "Eve <eve@example.org> 1767323045 +0000")
LOCK = "schema: '2.0'\nstages:\n  s:\n    cmd: make\n    outs:\n    - path: {}\n      md5: {}\n"


def recorded(repo: Repository, **fields: Any) -> None:
    """Put a run on record beside a commit that is as it should be."""
    repo.lock(train="x:1 > model:m1")
    repo.commit()
    append(str(repo.root), [batch(record(**fields))], {}, WHO)


@pytest.mark.parametrize("fields", [
    {"user": "\ud800"}, {"stage": "a\udcff"}, {"deps": (Item("a\udcff", "2" * 32),)},
    {"outs": (Item("z", "3" * 32, -1),)}, {"started": "0001-01-01T00:00:00+23:59"},
    {"project": "../.."}, {"host": {"name": {"a": [1]}}},
], ids=str)  # fmt: skip
def test_a_record(repo: Repository, fields: dict[str, Any]) -> None:
    recorded(repo, **fields)
    assert repo.makers("m1")
    assert repo.makers("m1")  # from what the index remembers, too


def test_a_run_that_took_for_ever(repo: Repository) -> None:
    recorded(repo, outs=(Item("z", md5("z"), 1),), seconds=1e300)
    (event,) = json.loads(render(repo.ask("z")))
    assert event["eventTime"] == "2026-01-02T03:04:00.678Z"


@pytest.mark.parametrize(("template", "path", "yes"), [
    ("m.json", "m.json", True), ("m.json", "m_json", False), ("${a}.json", "x.json", True),
    ("${a}.json", ".json", False), ("m/${a}/${b}.json", "m/x/y.json", True),
    ("a${x}a${x}a", "aaaaa", True), ("a${x}a${x}a", "aaaa", False), ("${a}${b}", "x", False),
    ("a${x}" * 30 + "z", "a" * 200, False),
])  # fmt: skip
def test_metrics_named_by_templates(template: str, path: str, yes: bool) -> None:
    assert fits(TEMPLATE.split(template), path) is yes


def test_a_record_is_known_by_its_own_id_alone(repo: Repository) -> None:
    out = Item("z", md5("z"), 1)
    recorded(repo, outs=(out,), extra={"id": "f" * 64})
    (made,) = repo.ask("z").producers
    assert made.run is not None and made.run["id"] != "f" * 64


@pytest.mark.parametrize("text", [
    LOCK.format('"a\\ud800b"', "1" * 32), LOCK.format("z", "1" * 32) + f"      size: {'9' * 30}\n",
    LOCK.format("z", "1" * 32) + f"      size: {'9' * 5000}\n", LOCK.format('"a\\rb"', "1" * 32),
    LOCK.format("../../z", "1" * 32), LOCK.format("z", "ab/etc/passwd"),
], ids=["surrogate", "size", "long size", "line end", "outside", "path for a digest"])  # fmt: skip
def test_a_lock_file(repo: Repository, text: str) -> None:
    repo.lock(train="x:1 > model:m1")
    repo.commit()
    repo.write("dvc.lock", text)
    repo.commit()
    assert repo.makers("m1")
    assert repo.makers("m1")


@pytest.mark.parametrize("time", ["garbage", "9" * 30 + " +0000", "-5 +0000"])
def test_a_commit_without_a_time(repo: Repository, tmp_path: Path, time: str) -> None:
    repo.lock(train="x:1 > model:m1")
    first = repo.commit()
    repo.lock(train="x:1 > model:m2")
    tree = repo.git("rev-parse", f"{repo.commit()}^{{tree}}")
    who = f"Eve <eve@example.org> {time}"
    commit = tmp_path / "commit"
    commit.write_text(f"tree {tree}\nparent {first}\nauthor {who}\ncommitter {who}\n\nodd\n")
    odd = repo.git("hash-object", "-t", "commit", "-w", "--literally", str(commit))
    repo.git("branch", "odd", odd)
    assert repo.makers("m1")
    assert odd in {commit for commit, _, _ in repo.makers("m2")}


def test_messages_and_names_with_other_line_ends(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m1")
    repo.commit()
    repo.lock(train="x:1 > model:m2")
    repo.git("stash", "push", "-q", "-m", "a\x0cb\u2028c\rd")
    repo.git("branch", "a\u2028b")
    assert repo.makers("m1") and repo.makers("m2")
    index = repo.index()
    with pytest.raises(UsageError):
        find(index, "HEAD:a\rb")
    with pytest.raises(UsageError):
        find(index, "HEAD:../../nothing")
    index.close()


def test_a_lightweight_tag_says_which_commit(repo: Repository) -> None:
    repo.write("dvc.yaml", "artifacts:\n  clf: {path: model}\n")
    repo.lock(train="x:1 > model:m1")
    commit = repo.commit()
    repo.git("tag", "clf@v1.0.0")
    index = repo.index()
    for name in ("clf@v1.0.0", "clf@1.0.0"):
        found = find(index, name)
        assert (found.path, found.commit) == ("model", commit)
    with pytest.raises(UsageError):
        find(index, "clf@v1.0.1")
    index.close()


def test_a_version_that_is_no_number(repo: Repository) -> None:
    repo.write("dvc.yaml", "artifacts:\n  clf:\n    path: model\n")
    repo.lock(train="x:1 > model:m1")
    commit = repo.commit()
    for tag in ("clf@v1.2", "clf@v1.²"):
        repo.git("tag", "-a", "-m", "x", tag)
    index = repo.index()
    with pytest.raises(UsageError):
        find(index, "clf@latest")
    repo.git("tag", "-a", "-m", "x", "clf@v1.2.0")
    assert find(index, "clf@latest").commit == commit
    index.close()


def test_a_digest_never_leads_out_of_the_cache(repo: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    assert cached(str(repo.root), f"ab{tmp_path}/secret") is None
    assert cached(str(repo.root), "../../../../secret") is None


def test_the_log_of_a_file_in_a_folder(repo: Repository) -> None:
    def tracked(content: str, **files: str) -> str:
        name = md5(content)
        rows = [f'{{"md5": "{md5(text)}", "relpath": "{path}"}}' for path, text in files.items()]
        repo.write(f".dvc/cache/files/md5/{name[:2]}/{name[2:]}.dir", f"[{', '.join(rows)}]")
        repo.lock(prep=f"raw:1 > part/:{content}")
        return repo.commit(content)

    repo.write(".gitignore", "/.dvc/cache\n")
    one = tracked("one", x="1", y="1")
    tracked("two", x="1", y="2")
    three = tracked("three", x="3", y="2", z="3")
    tracked("four", y="2", z="3")
    repo.lock(prep="raw:1 > part/:elsewhere")
    repo.commit("its list is not here")
    six = tracked("six", x="3", y="2", z="3")
    index = repo.index()
    found = history_of(index, "part/x")
    assert [(one.made.commit, one.made.md5) for one in found.versions] == [
        (six, md5("3")), (three, md5("3")), (one, md5("1"))
    ]  # fmt: skip
    assert (found.folder, found.unlisted) == ("part", 1)
    assert {one.made.path for one in found.versions} == {"part/x"}
    assert len(history_of(index, "part/x", limit=1).versions) == 1
    assert history_of(index, "part/nothing").versions == []
    assert history_of(index, "part").folder == ""
    index.close()
