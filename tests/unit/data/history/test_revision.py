"""What commits record, read from Git's objects."""

from typing import Any

import pytest
from tests.support.project import CopyOf, Project

from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.data.history.revision import Recorded, Revisions, recorded_at, recorded_now
from mlxkit.data.targets import prefixes_of
from mlxkit.pipeline.session import Session
from mlxkit.project import open_project
from mlxkit.tools import git

A, B = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def opened(project: Project, folder: str = ".") -> Session:
    return open_project(str(project.root / folder), say=lambda _: None)


def record(project: Project) -> None:
    """A project with a `.dvc` file, a directory, plain stages and one from a template."""
    project.write("data.csv", "1\n")
    project.write("raw/a/b.csv", "2\n")
    project.write("raw/c.csv", "3\n")
    project.dvc("add", "-q", "data.csv", "raw").ok()
    project.write("sub/.keep", "")
    stage: dict[str, Any] = {
        "cmd": "echo 1 > one; echo 2 > two; echo 3 > three",
        "outs": ["one", {"two": {"push": False, "remote": "store"}}, {"three": {"cache": False}}],
    }
    project.pipeline({"s": stage, "never": {"cmd": "echo", "outs": ["x"]}})
    each = {"foreach": ["${kind}", "b"], "do": {"cmd": "echo 1 > ${item}", "outs": ["${item}"]}}
    project.write("sub/params.yaml", "kind: a\n")
    project.pipeline({"each": each}, "sub/dvc.yaml")
    project.dvc("repro", "-q", "s", "sub/dvc.yaml:each").ok()
    project.tools.commit(project.root, "recorded")
    project.git("tag", "v1")


@pytest.fixture
def recorded(copy_of: CopyOf) -> Project:
    return copy_of(record)


def test_what_is_recorded(recorded: Project) -> None:
    found = recorded_at(opened(recorded), "v1")
    assert found == {
        "data.csv": Recorded("b026324c6904b2a9cb4b88d6d61c81d1", 2, file="data.csv.dvc"),
        "raw": Recorded("2a0a06bdb00ac4d9e44ff2b7ac1e9ae6.dir", 4, 2, file="raw.dvc")._replace(
            md5=found["raw"].md5
        ),
        "one": Recorded("b026324c6904b2a9cb4b88d6d61c81d1", 2, None, True, None, "dvc.yaml", "s"),
        "two": Recorded(
            "26ab0db90d72e28ad0ba1e22ee510510", 2, None, False, "store", "dvc.yaml", "s"
        ),
        "x": Recorded(None, file="dvc.yaml", stage="never"),
        "sub/a": found["one"]._replace(file="sub/dvc.yaml", stage="each@a"),
        "sub/b": found["one"]._replace(file="sub/dvc.yaml", stage="each@b"),
    }
    assert found["raw"].is_dir and not found["one"].is_dir
    assert found == recorded_now(opened(recorded))


def test_the_past_keeps_its_own_parameters(recorded: Project) -> None:
    before = recorded_at(opened(recorded), "v1")
    recorded.write("sub/params.yaml", "kind: z\n")
    recorded.dvc("remove", "data.csv.dvc").ok()
    recorded.tools.commit(recorded.root, "later")
    revisions = Revisions(opened(recorded))
    assert revisions.recorded("v1") == before
    assert revisions.recorded("HEAD~1") == before
    later = revisions.recorded("HEAD")
    assert {"sub/z", "sub/b"} < set(later)
    assert not {"data.csv", "sub/a"} & set(later)


def test_templates_are_filled_in_once(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recorded_at(opened(recorded), "v1")
    monkeypatch.setattr("mlxkit.tools.dvc.resolve_project_file", None)
    assert recorded_at(opened(recorded), "v1") == before
    recorded.write(".mlx/cache/templates.json", "{")
    with pytest.raises(TypeError):
        recorded_at(opened(recorded), "v1")


def test_other_names_of_a_commit(recorded: Project) -> None:
    session = opened(recorded)
    found = recorded_at(session, "HEAD")
    recorded.git("tag", "-a", "-m", "x", "annotated")
    commit = recorded.git("rev-parse", "HEAD").stdout.strip()
    for name in ("main", "annotated", commit, commit[:9], "HEAD^{}", ":/recorded"):
        assert recorded_at(session, name) == found


@pytest.mark.parametrize("name", ["nope", "", "-q", "--all", "HEAD:data.csv.dvc", "a\0b", "HEAD~9"])
def test_no_commit(name: str, recorded: Project) -> None:
    with pytest.raises(UsageError, match="no revision"):
        recorded_at(opened(recorded), name)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("data.csv.dvc", "outs:\n<<<<<<< HEAD\n- md5: 1\n=======\n- md5: 2\n>>>>>>> x\n"),
        ("data.csv.dvc", "- a\n"),
        ("data.csv.dvc", "outs: 3\n"),
        ("dvc.yaml", "stages:\n  s:\n    cmd: x\n    outs: 3\n"),
        ("dvc.yaml", "stages: [1]\n"),
        ("dvc.lock", "schema: '2.0'\nstages:\n  s: 3\n"),
        ("sub/dvc.yaml", "stages:\n  s:\n    cmd: ${nothing}\n"),
    ],
)
def test_a_file_that_was_invalid(path: str, text: str, recorded: Project) -> None:
    recorded.write(path, text)
    recorded.tools.commit(recorded.root, "broken")
    recorded.git("checkout", "-q", "HEAD~1", "--", ".")
    with pytest.raises(ProjectError) as caught:
        recorded_at(opened(recorded), "HEAD")
    assert (caught.value.where or "").startswith(f"HEAD:{path}")


def test_an_invalid_file_now_does_not_matter_for_the_past(recorded: Project) -> None:
    session = opened(recorded)
    recorded.write("data.csv.dvc", "outs: 3\n")
    assert "data.csv" in recorded_at(session, "HEAD")


def test_data_of_dvc_2_and_of_clouds(recorded: Project) -> None:
    recorded.write("old.dvc", f"outs:\n- md5: {A}\n  path: old\n")
    files = f"  files:\n  - relpath: b\n    md5: {B}\n  - relpath: a\n    md5: {A}\n"
    recorded.write("cloud.dvc", f"outs:\n- path: cloud\n  hash: md5\n{files}")
    recorded.write("wdir.dvc", f"wdir: sub\nouts:\n- path: there\n  hash: md5\n  md5: {A}\n")
    recorded.tools.commit(recorded.root, "old")
    found = recorded_at(opened(recorded), "HEAD")
    assert found["old"].legacy and not found["data.csv"].legacy
    assert found["cloud"].entries == (("a", A), ("b", B))
    assert found["cloud"].is_dir
    assert "sub/there" in found


def test_files_in_data_and_ignored_ones_declare_nothing(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "outs:\n- path: {}\n  hash: md5\n  md5: 0123456789abcdef0123456789abcdef\n"
    recorded.write(".gitignore", "")
    recorded.write("raw/inner.dvc", text.format("inner"))
    recorded.write("hidden/deep/h.dvc", text.format("h"))
    recorded.write("other/.dvc/config", "")
    recorded.write("other/o.dvc", text.format("o"))
    recorded.write("seen.dvc", text.format("seen"))
    recorded.write(".dvcignore", "# a comment\nhidden/deep\n")
    recorded.git("add", "-f", "-A")
    recorded.git("commit", "-q", "-m", "hidden")
    found = recorded_at(opened(recorded), "HEAD")
    assert "seen" in found
    assert not {"raw/inner", "hidden/deep/h", "other/o"} & set(found)
    with monkeypatch.context() as patched:  # DVC is asked once of the same rules and files
        patched.setattr("mlxkit.tools.dvc.ignore_filter", None)
        assert recorded_at(opened(recorded), "HEAD") == found
    recorded.write(".dvcignore", "# a comment\nseen.dvc\n")
    recorded.tools.commit(recorded.root, "seen no more")
    found = recorded_at(opened(recorded), "HEAD")
    assert "hidden/deep/h" in found
    assert "seen" not in found


def test_a_project_in_a_subfolder(project: Project) -> None:
    project.sh("rm -rf .dvc .dvcignore; mkdir in; cd in; dvc init -q --subdir; echo 1 > x")
    project.sh("cd in; dvc add -q x; mkdir ../beside; echo 'outs: 3' > ../beside/y.dvc")
    before = opened(project, "in")
    assert recorded_at(before, "HEAD") == {}
    project.tools.commit(project.root, "in")
    assert list(recorded_at(opened(project, "in"), "HEAD")) == ["x"]


def test_targets(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recorded.root)
    found = recorded_at(opened(recorded), "HEAD")

    def paths(target: str) -> set[str]:
        return set(prefixes_of(target, str(recorded.root), found))

    assert paths("data.csv.dvc") == paths("data.csv") == {"data.csv"}
    assert paths("s") == paths("dvc.yaml:s") == {"one", "two"}
    assert paths("sub/dvc.yaml") == paths("sub/dvc.yaml:each") == paths("sub") == {"sub/a", "sub/b"}
    assert paths("sub/dvc.yaml:each@a") == {"sub/a"}
    assert paths("raw/a/") == {"raw/a"}
    assert paths("nothing") == paths("three") == paths("..") == set()
    monkeypatch.chdir(recorded.root / "sub")
    assert paths("each@b") == {"sub/b"}
    assert paths("../raw") == {"raw"}


def test_an_object_that_git_does_not_have(project: Project) -> None:
    with pytest.raises(MlxError, match="has no object"):
        git.read_objects(str(project.root), ["0" * 40])
