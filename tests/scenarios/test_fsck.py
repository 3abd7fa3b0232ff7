"""`mlx fsck` finds what is damaged, says who needs it, and puts it right."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.cached import OBJECTS, cached, dvc_file, place, track
from tests.support.project import Project
from tests.support.servers import Servers

pytest_plugins = ["tests.support.servers"]


@pytest.fixture
def pushed(project: Project) -> Project:
    """A file and a folder in two versions each, a past run, and a remote that has it all."""
    project.dvc("remote", "add", "-q", "-d", "storage", "../remote").ok()
    for number in range(2):
        project.write("data", f"data {number}")
        project.write("d/n/x", f"x {number}")
        project.write("d/same", "same")
        project.dvc("add", "-q", "data", "d").ok()
        project.tools.commit(project.root, f"commit {number}")
    project.pipeline({"s": {"cmd": "cat data > out", "deps": ["data"], "outs": ["out"]}})
    project.dvc("repro", "-q").ok()
    project.tools.commit(project.root, "a run")
    shutil.copytree(project.root / ".dvc/cache/files", project.root.parent / "remote/files")
    return project


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _damage(root: Path, text: str) -> str:
    md5 = _md5(text)
    path = root / md5[:2] / md5[2:]
    path.chmod(0o644)
    path.write_text("damaged")
    path.chmod(0o444)
    return md5


def _problems(project: Project, *args: str, code: int = 3) -> list[dict[str, Any]]:
    result = project.mlx("fsck", "--json", *args)
    assert result.code == code, str(result)
    assert result.json["ok"] == (code == 0)
    problems: list[dict[str, Any]] = result.json["problems"]
    return problems


def test_all_is_well(pushed: Project) -> None:
    result = pushed.mlx("fsck", "--json").ok().json
    count = len(cached(pushed))
    assert result == {
        "ok": True,
        "checked": count,
        "bytes": result["bytes"],
        "problems": [],
        "leftovers": 0,
    }
    text = pushed.mlx("fsck", "-r", "storage").ok().stdout
    assert text.startswith(f"read {count} objects, ") and text.endswith(": all is well\n")
    assert pushed.mlx("fsck", "--sample", "2", "--json").ok().json["checked"] == 2
    assert pushed.mlx("fsck", "-q").ok().stdout == ""


def test_damage_is_named_with_who_needs_it(pushed: Project) -> None:
    store = pushed.root / OBJECTS
    now, before = _damage(store, "x 1"), _damage(store, "x 0")
    data = _damage(store, "data 1")
    loose = place(pushed, b"loose")
    _damage(store, "loose")
    problems = {one["md5"]: one for one in _problems(pushed)}
    assert {one["kind"] for one in problems.values()} == {"corrupt"}
    commits = pushed.git("log", "--format=%h", "--abbrev=7").stdout.split()
    assert problems[now]["refers"] == ["d/n/x", f"commit {commits[1]} d.dvc (n/x)"]
    assert problems[before]["refers"] == [f"commit {commits[2]} d.dvc (n/x)"]
    refers = problems[data]["refers"]
    assert refers[:2] == ["data", "out"]
    assert {f"commit {commits[1]} data.dvc", f"commit {commits[0]} dvc.lock"} < set(refers)
    assert any(one.startswith("run-cache ") for one in refers)
    assert problems[loose]["refers"] == []
    text = pushed.mlx("fsck")
    assert text.code == 3 and "nothing refers to it" in text.stdout
    assert "mlx fsck --repair" in text.stderr


def test_repair(pushed: Project) -> None:
    expected = cached(pushed)
    store = pushed.root / OBJECTS
    now = _damage(store, "x 1")
    lost = place(pushed, b"lost")
    _damage(store, "lost")
    problems = {one["md5"]: one["repaired"] for one in _problems(pushed, "--repair")}
    assert problems == {now: True, lost: False}
    assert cached(pushed) == expected
    aside = pushed.root / ".mlx/corrupt"
    assert {path.name for path in aside.iterdir()} == {now, lost}
    assert {path.read_text() for path in aside.iterdir()} == {"damaged"}
    assert pushed.git("status", "--porcelain").stdout == ""
    _problems(pushed, code=0)
    pushed.sh("rm -rf d data out")
    pushed.dvc("checkout", "-q").ok()
    assert pushed.read("d/n/x") == "x 1"


def test_repair_of_a_folder_list(pushed: Project) -> None:
    folder = next(md5 for md5 in cached(pushed) if md5.endswith(".dir"))
    path = pushed.root / OBJECTS / folder[:2] / folder[2:]
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-9])
    (problem,) = _problems(pushed, "--repair", code=0)
    assert problem["repaired"] and path.read_bytes() == content


def test_repair_when_the_remote_is_damaged_too(pushed: Project) -> None:
    _damage(pushed.root / OBJECTS, "x 1")
    _damage(pushed.root.parent / "remote/files/md5", "x 1")
    (problem,) = _problems(pushed, "--repair")
    assert not problem["repaired"]
    (problem,) = _problems(pushed)
    assert problem["kind"] == "missing"


def test_repair_of_a_remote_from_the_cache(pushed: Project) -> None:
    remote = pushed.root.parent / "remote/files/md5"
    md5 = _damage(remote, "x 1")
    os.unlink(remote / _md5("data 1")[:2] / _md5("data 1")[2:])
    problems = {one["kind"]: one for one in _problems(pushed, "-r", "storage")}
    assert problems["corrupt"]["md5"] == md5 and problems["corrupt"]["refers"][0] == "d/n/x"
    assert problems["missing"]["refers"] == ["data", "out"]
    _problems(pushed, "-r", "storage", "--repair")
    assert (remote / md5[:2] / md5[2:]).read_text() == "x 1"
    pushed.dvc("push", "-q").ok()
    _problems(pushed, "-r", "storage", code=0)


def test_a_server(pushed: Project, servers: Servers) -> None:
    remote = servers.remote("s3")
    remote.add_to(pushed)
    pushed.dvc("push", "-q").ok()
    assert _problems(pushed, "-r", "store", code=0) == []
    assert not remote.wrong()
    # The same bytes under another name: as the server has them, nothing is wrong with them.
    md5, other = _md5("x 1"), _md5("data 1")
    store = pushed.root / OBJECTS
    aside = pushed.root / "aside"
    (store / md5[:2] / md5[2:]).rename(aside)
    shutil.copy(store / other[:2] / other[2:], store / md5[:2] / md5[2:])
    pushed.dvc("remote", "add", "-q", "-f", "-d", "store", remote.url.rstrip("/") + "/2").ok()
    for key, value in {**remote.options, **remote.secrets}.items():
        pushed.dvc("remote", "modify", "-q", "store", key, value).ok()
    pushed.dvc("push", "-q").ok()
    (problem,) = _problems(pushed, "-r", "store")
    assert problem["md5"] == md5 and problem["kind"] == "corrupt"
    os.replace(aside, store / md5[:2] / md5[2:])
    (problem,) = _problems(pushed, "-r", "store", "--repair", code=0)
    assert problem["repaired"]
    assert (pushed.root / ".mlx/corrupt" / md5).read_text() == "data 1"
    assert _problems(pushed, "-r", "store", "--sample", "3", code=0) == []
    _damage(store, "x 1")
    (problem,) = _problems(pushed, "--repair", code=0)
    assert (store / md5[:2] / md5[2:]).read_text() == "x 1"


def test_what_the_working_tree_needs_and_is_missing(project: Project) -> None:
    for number in range(25):
        md5 = track(project, f"f{number:02}", b"%d" % number)
        os.unlink(project.root / OBJECTS / md5[:2] / md5[2:])
    project.write("dir.dvc", dvc_file(place(project, b"[]", suffix=".dir"), "dir"))
    problems = _problems(project)
    assert len(problems) == 25 and {one["kind"] for one in problems} == {"missing"}
    result = project.mlx("fsck")
    assert "... and 5 more" in result.stdout and "25 missing" in result.stdout
    assert "mlx fetch" in result.stderr
    assert "f24" in project.mlx("fsck", "-v").stdout


def test_leftovers_are_told(project: Project) -> None:
    path = project.write(f"{OBJECTS}/.mlx-00ff.tmp", "x")
    os.utime(path, (1, 1))
    assert project.mlx("fsck", "--json").ok().json["leftovers"] == 1
    assert "mlx gc deletes them" in project.mlx("fsck").ok().stderr


def test_bad_arguments(project: Project) -> None:
    for arguments in (["-r", "none"], ["--sample", "many"], ["--sample", "0"]):
        result = project.mlx("fsck", *arguments)
        assert result.code == 2 and "\nhint: " in result.stderr, str(result)
    project.dvc("remote", "add", "-q", "gone", "/no/such/folder").ok()
    result = project.mlx("fsck", "-r", "gone")
    assert result.code == 6 and "there is no folder '/no/such/folder'" in result.stderr
    project.dvc("remote", "add", "-q", "versions", "s3://bucket/x").ok()
    project.dvc("remote", "modify", "-q", "versions", "version_aware", "true").ok()
    assert project.mlx("fsck", "-r", "versions").code == 2


def test_pins(pushed: Project) -> None:
    """A digest, its beginning, a path now or inside a folder, a path at a commit."""
    old = _md5("data 0")
    for word, path in {
        old: "",
        _md5("x 0")[:9]: "",
        "d/same": "d/same",
        "HEAD~2:d/n/x": "",
        "HEAD~2:data": "",
        "out": "out",
    }.items():
        pushed.mlx("pin", word, "--reason", path or "why not").ok()
    pins = pushed.mlx("pin", "--json").ok().json["pins"]
    assert {one["md5"] for one in pins} == {old, _md5("x 0"), _md5("same"), _md5("data 1")}
    assert pushed.mlx("pin", "./n/x", "--json", cwd="d").ok().json["pinned"][0]["path"] == "d/n/x"
    assert "pinned already" in pushed.mlx("pin", old).ok().stdout
    assert old in pushed.mlx("pin").ok().stdout
    removed = pushed.mlx("pin", "--remove", "--json", old[:8], "d/same").ok().json["removed"]
    assert {one["md5"] for one in removed} == {old, _md5("same")}
    refers = pushed.git("status", "--porcelain").stdout
    assert "mlx.pins" in refers
    for word in ("", "none", "HEAD:none", "none:data", "abc", "d/none", "0" * 31, old[:8]):
        arguments = ["--remove", word] if word == old[:8] else [word]
        result = pushed.mlx("pin", *arguments)
        assert result.code == 2 and "\nhint: " in result.stderr, str(result)
    assert pushed.mlx("pin", "--reason", "x").code == 2
    assert "nothing to keep" in pushed.mlx("pin", "0" * 32).ok().stderr
