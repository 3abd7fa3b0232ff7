"""What tools/dvc_delegate.py takes from DVC's inside, used as mlx uses it."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.support.project import Project
from tests.support.tools import Tools

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.tools.dvc_delegate import Delegate
from mlxkit.tools.dvclock import RepoLock

STAGE = {
    "cmd": "cat in > out; mkdir -p d; cp in d/x",
    "deps": ["in"],
    "params": ["lr"],
    "outs": ["out", "d"],
    "metrics": [{"m.json": {"cache": False}}],
}
MAKE = "cat in > out; mkdir -p d; cp in d/x; echo '{}' > m.json"


@pytest.fixture(scope="module")
def made_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage that DVC has run; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("made") / "project", tools)
    project.write("in", "1\n")
    project.write("params.yaml", "lr: 1\n")
    project.pipeline({"s": {**STAGE, "cmd": MAKE}})
    project.dvc("repro").ok()
    return project.root


@pytest.fixture
def made(made_once: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A stage that DVC has run, in the current folder."""
    project = Project.copy(made_once, tmp_path / "project", tools)
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def delegate() -> Callable[[Project], Delegate]:
    """DVC's view of a project, as mlx opens it."""

    def opened(project: Project) -> Delegate:
        root = str(project.root)
        return Delegate(root, RepoLock(root), wait=0)

    return opened


Opened = Callable[[Project], Delegate]


@pytest.mark.parametrize(("change", "told"), [
    (":", []),
    ("echo 2 > in", [("dep-changed", "in", "modified")]),
    ("rm in", [("dep-changed", "in", "deleted")]),
    ("echo 'lr: 2' > params.yaml", [("param-changed", "lr", "modified")]),
    ("echo 'x: 2' > params.yaml", [("param-changed", "lr", "deleted")]),
    ("rm params.yaml", [("dep-changed", "params.yaml", "deleted")]),
    ("echo 2 > out", [("out-changed", "out", "modified")]),
    ("rm out", [("out-missing", "out", "deleted")]),
    ("echo 2 > d/y", [("out-changed", "d", "modified")]),
    ("rm -rf .dvc/cache", [
        ("out-missing", "d", "not in cache"), ("out-missing", "out", "not in cache"),
    ]),
    ("sed -i 's/mkdir/mkdir /' dvc.yaml", [("cmd-changed", "cmd", "")]),
    ("echo '    always_changed: true' >> dvc.yaml", [("always", "always changed", "")]),
])  # fmt: skip
def test_the_reasons_dvc_gives(
    change: str, told: list[tuple[str, str, str]], made: Project, delegate: Opened
) -> None:
    made.sh(change)
    found = delegate(made).why(os.path.abspath("dvc.yaml"), "s")
    assert sorted(found) == told


def test_prepare_and_commit_make_dvcs_own_lock_entry(made: Project, delegate: Opened) -> None:
    expected = made.lock()["s"]
    ours = delegate(made)
    ours.prepare(os.path.abspath("dvc.yaml"), "s")
    made.sh("rm -rf .dvc/cache")
    entry = ours.commit(os.path.abspath("dvc.yaml"), "s", no_commit=False)
    assert entry == expected
    assert type(entry) is dict and type(entry["params"]) is dict, "plain data"
    md5 = expected["outs"][0]["md5"]
    assert os.path.exists(f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}")


def test_commit_without_the_cache(made: Project, delegate: Opened) -> None:
    made.sh("rm -rf .dvc/cache")
    entry = delegate(made).commit(os.path.abspath("dvc.yaml"), "s", no_commit=True)
    assert entry == made.lock()["s"]
    assert not os.path.exists(".dvc/cache/files")


def test_what_dvc_refuses_is_our_error_in_one_line(made: Project, delegate: Opened) -> None:
    ours = delegate(made)
    os.unlink("in")
    with pytest.raises(MlxError) as caught:
        ours.prepare(os.path.abspath("dvc.yaml"), "s")
    assert "in" in caught.value.message
    assert "\n" not in caught.value.message


def test_changed_data_is_brought_in_and_the_file_keeps_its_comments(
    inside: Project, delegate: Opened
) -> None:
    inside.write("data.csv", "1\n")
    inside.dvc("add", "data.csv").ok()
    inside.write("data.csv.dvc", "# numbers\n" + inside.read("data.csv.dvc"))
    inside.write("data.csv", "22\n")
    delegate(inside).bring(os.path.abspath("data.csv.dvc"), force=False, no_commit=False)
    assert inside.read("data.csv.dvc").startswith("# numbers\n")
    (out,) = yaml.safe_load(inside.read("data.csv.dvc"))["outs"]
    assert out["size"] == 3
    assert inside.dvc("status", "--json").ok().json == {}


def test_an_import_is_brought_in_anew(inside: Project, delegate: Opened) -> None:
    source = inside.root.parent / "source.csv"
    source.write_text("1\n")
    inside.dvc("import-url", str(source), "data.csv").ok()
    inside.dvc("unfreeze", "data.csv.dvc").ok()
    source.write_text("22\n")
    ours = delegate(inside)
    assert [one[0] for one in ours.why(os.path.abspath("data.csv.dvc"), None)] == ["dep-changed"]
    ours.bring(os.path.abspath("data.csv.dvc"), force=False, no_commit=False)
    assert inside.read("data.csv") == "22\n"
    assert ours.why(os.path.abspath("data.csv.dvc"), None) == []


@pytest.fixture
def stored(made: Project) -> Project:
    """The stage's results are in a remote, and nowhere else."""
    made.dvc("remote", "add", "-d", "store", "../store").ok()
    made.dvc("push", "--run-cache").ok()
    made.sh("rm -rf .dvc/cache out d")
    return made


def test_objects_are_fetched_with_what_folders_list(stored: Project, delegate: Opened) -> None:
    digests = [out["md5"] for out in stored.lock()["s"]["outs"] if out["path"] != "m.json"]
    delegate(stored).fetch_objects(digests)
    stored.dvc("checkout").ok()
    assert stored.read("d/x") == "1\n"


def test_the_run_cache_is_pulled(stored: Project, delegate: Opened) -> None:
    assert delegate(stored).pull_run_cache() is None
    assert [path for path in stored.root.glob(".dvc/cache/runs/*/*/*") if path.is_file()]


def test_targets_are_pulled(stored: Project, delegate: Opened) -> None:
    delegate(stored).pull(["out"])
    assert stored.read("out") == "1\n"
    assert not os.path.exists("d")


def test_no_remote_is_told(made: Project, delegate: Opened) -> None:
    said = delegate(made).pull_run_cache()
    assert said is not None and "remote" in said
    made.sh("rm -rf .dvc/cache out d")
    with pytest.raises(MlxError):
        delegate(made).pull(["out"])


def test_data_that_the_remote_lacks_is_a_remote_error(stored: Project, delegate: Opened) -> None:
    stored.sh("rm -rf ../store/files")
    with pytest.raises(RemoteError):
        delegate(stored).pull(["out"])


def test_our_lock_is_lent_to_dvc_and_taken_back(made: Project) -> None:
    lock = RepoLock(str(made.root))
    ours = Delegate(str(made.root), lock, wait=0)
    with lock.holding(0):
        assert ours.why(os.path.abspath("dvc.yaml"), "s") == []
        assert lock.held
        with open(".dvc/tmp/lock") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_dvc_is_quiet_and_leaves_no_path_locks(
    made: Project, delegate: Opened, capfd: pytest.CaptureFixture[str]
) -> None:
    made.sh("echo 2 > in")
    ours = delegate(made)
    ours.why(os.path.abspath("dvc.yaml"), "s")
    ours.prepare(os.path.abspath("dvc.yaml"), "s")
    ours.commit(os.path.abspath("dvc.yaml"), "s", no_commit=True)
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
    table = json.loads(made.read(".dvc/tmp/rwlock"))
    assert not table.get("read") and not table.get("write")


def test_a_change_between_two_questions_is_seen(made: Project, delegate: Opened) -> None:
    ours = delegate(made)
    assert ours.why(os.path.abspath("dvc.yaml"), "s") == []
    made.pipeline({"s": {**STAGE, "cmd": "other"}})
    assert ("cmd-changed", "cmd", "") in ours.why(os.path.abspath("dvc.yaml"), "s")
