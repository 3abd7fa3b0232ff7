"""`mlx add`: what a user relies on when data comes under control."""

import os
from pathlib import Path

import pytest
from tests.support.project import Project


def _objects(project: Project) -> set[str]:
    cache = project.root / ".dvc" / "cache" / "files" / "md5"
    return {"".join(path.parts[-2:]) for path in cache.glob("*/*")}


@pytest.fixture
def data(project: Project) -> Project:
    project.write("data/a.txt", "a\n")
    project.write("data/n/ü b.txt", "b\n")
    project.write("model.bin", b"\0" * 5000, mode=0o755)
    return project


def test_files_and_folders(data: Project) -> None:
    document = data.mlx("add", "data", "model.bin", "--json").json
    assert [one["path"] for one in document["added"]] == ["data", "model.bin"]
    assert document["added"][0]["nfiles"] == 2
    assert document["added"][1]["dvcfile"] == "model.bin.dvc"
    assert data.read(".gitignore") == "/data\n/model.bin\n"
    assert {one["md5"] for one in document["added"]} <= _objects(data)
    assert "up to date" in data.dvc("status").ok().stdout
    assert data.mlx("status", "--json").json["clean"]


def test_again_writes_nothing(data: Project) -> None:
    data.mlx("add", "data").ok()
    before = (data.root / "data.dvc").stat().st_mtime_ns
    data.mlx("add", "data").ok()
    assert (data.root / "data.dvc").stat().st_mtime_ns == before


def test_a_changed_file_of_a_folder(data: Project) -> None:
    data.mlx("add", "data").ok()
    data.write("data/a.txt", "other\n")
    assert data.mlx("status", "--json").json["data"] == [{"path": "data", "state": "modified"}]
    data.mlx("add", "data").ok()
    assert data.mlx("status", "--json").json["clean"]
    assert "up to date" in data.dvc("status").ok().stdout


def test_comments_in_a_dvc_file_stay(data: Project) -> None:
    data.mlx("add", "model.bin").ok()
    text = "# from the lab\n" + data.read("model.bin.dvc") + "desc: the first   # or so\n"
    data.write("model.bin.dvc", text)
    data.write("model.bin", "smaller")
    data.mlx("add", "model.bin").ok()
    assert data.read("model.bin.dvc").startswith("# from the lab\nouts:\n- md5: ")
    assert data.read("model.bin.dvc").endswith("desc: the first   # or so\n")
    assert "isexec" in data.read("model.bin.dvc")  # DVC keeps the file's mode, and so do we
    data.dvc("status", "model.bin.dvc").ok()


def test_a_damaged_object_is_replaced(data: Project) -> None:
    md5 = data.mlx("add", "model.bin", "--json").json["added"][0]["md5"]
    kept = data.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    kept.chmod(0o644)
    kept.write_bytes(b"\1" * 5000)
    data.mlx("add", "model.bin").ok()
    assert kept.read_bytes() == b"\0" * 5000


def test_without_the_cache(data: Project) -> None:
    data.mlx("add", "data", "--no-commit").ok()
    assert _objects(data) == set()
    assert (data.root / "data.dvc").exists()


def test_wildcards(data: Project) -> None:
    data.mlx("add", "--glob", "dat*").ok()
    assert (data.root / "data.dvc").exists()
    assert data.mlx("add", "--glob", "nothing*").code == 2


def test_many_files_are_read_by_several_processes(project: Project) -> None:
    for number in range(2500):
        project.write(f"many/{number % 7}/{number}", f"{number}\n")
    project.mlx("add", "many").ok()
    assert "up to date" in project.dvc("status").ok().stdout
    assert len(_objects(project)) == 2501
    assert [p for p in (project.root / ".dvc/cache/files/md5").iterdir() if p.is_file()] == []


@pytest.mark.parametrize(("path", "says"), [
    ("absent", "'absent' does not exist"),
    ("tracked.txt", "is tracked by Git"),
    ("out", "is written by stage 'make'"),
    (".dvc", "holds the project's own files"),
    ("data.dvc", "is a .dvc file"),
    (".", "holds the project's own files"),
])  # fmt: skip
def test_what_cannot_be_added(data: Project, path: str, says: str) -> None:
    data.write("tracked.txt", "in Git")
    data.pipeline({"make": {"cmd": "echo 1 > out", "outs": ["out"]}})
    data.git("add", "tracked.txt", "dvc.yaml")
    data.mlx("repro").ok()
    data.mlx("add", "data").ok()
    before = data.snapshot()
    refused = data.mlx("add", "model.bin", path)
    assert refused.code == 1, refused
    assert says in refused.stderr
    assert "hint: " in refused.stderr
    assert data.snapshot() == before


def test_two_that_overlap(data: Project) -> None:
    refused = data.mlx("add", "data", "data/a.txt")
    assert refused.code == 1
    assert "overlap" in refused.stderr


def test_from_a_subfolder(data: Project) -> None:
    data.write("sub/x", "1")
    data.mlx("add", "x", cwd="sub").ok()
    assert data.read("sub/.gitignore") == "/x\n"
    assert (data.root / "sub" / "x.dvc").exists()


def test_parts_of_a_tracked_folder_are_left_to_dvc(data: Project) -> None:
    data.mlx("add", "data").ok()
    data.write("data/new.txt", "new\n")
    data.mlx("add", "data/new.txt").ok()
    assert "nfiles: 3" in data.read("data.dvc")


def test_a_folder_that_may_not_be_read(data: Project) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (data.root / "data" / "n").chmod(0)
    refused = data.mlx("add", "data")
    (data.root / "data" / "n").chmod(0o755)
    assert refused.code == 1
    assert "permissions" in refused.stderr


def test_autostage(data: Project) -> None:
    data.dvc("config", "core.autostage", "true").ok()
    data.mlx("add", "data").ok()
    staged = data.git("diff", "--cached", "--name-only").stdout.split()
    assert {"data.dvc", ".gitignore"} <= set(staged)


def test_links_to_files_become_data(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("theirs")
    project.write("d/a", "1")
    (project.root / "d" / "link").symlink_to(tmp_path / "outside")
    project.mlx("add", "d").ok()
    assert not (project.root / "d" / "link").is_symlink()
    assert (tmp_path / "outside").read_text() == "theirs"


def test_commit_records_what_changed(data: Project) -> None:
    data.mlx("add", "data", "model.bin").ok()
    data.write("data/a.txt", "other\n")
    refused = data.mlx("commit", "data.dvc")
    assert refused.code == 1
    assert "'data' has changed" in refused.stderr
    data.mlx("commit", "--force").ok()
    assert data.mlx("status", "--json").json["clean"]
    assert "up to date" in data.dvc("status").ok().stdout


def test_commit_of_a_stage_is_left_to_dvc(data: Project) -> None:
    data.pipeline({"make": {"cmd": "echo 1 > out", "outs": ["out"]}})
    data.mlx("repro", "--no-commit").ok()
    data.mlx("commit", "make").ok()
    assert len(_objects(data)) == 1


def test_all_or_nothing(data: Project) -> None:
    data.mlx("add", "data").ok()
    data.write("data/a.txt", "other\n")
    (data.root / "broken").symlink_to("nowhere")
    before = data.read("data.dvc")
    refused = data.mlx("add", "data", "model.bin", "broken")
    assert refused.code == 1
    assert "'broken' is a link to nothing" in refused.stderr
    assert data.read("data.dvc") == before
    assert not (data.root / "model.bin.dvc").exists()


def test_many_paths_at_once(project: Project, tmp_path: Path) -> None:
    names = [f"{number:03}" for number in range(60)]
    for name in names:
        project.write(f"data/{name}", name)
    trace = tmp_path / "trace"
    project.mlx("add", *(f"data/{name}" for name in names), GIT_TRACE=str(trace)).ok()
    assert trace.read_text().count("check-ignore") < 10
    assert project.read("data/.gitignore") == "".join(f"/{name}\n" for name in names)
    assert project.mlx("status", "--json").json["clean"]
    trace.unlink()
    project.mlx("commit", GIT_TRACE=str(trace)).ok()
    assert trace.read_text().count("check-ignore") < 10


def test_hints_can_be_pasted(data: Project) -> None:
    data.write("my data/a'b.txt", "1\n")
    told = data.mlx("add", "my data/a'b.txt").ok().stderr
    data.sh(told.partition("to record the result: ")[2])
    assert "my data/a'b.txt.dvc" in data.git("ls-files", "-z", "--cached").stdout


def test_a_name_that_no_dvc_file_can_hold(data: Project) -> None:
    name = os.fsdecode(b"na\xffme")
    data.write(name, "1\n")
    refused = data.mlx("add", "--json", name)
    assert refused.code == 1
    assert "rename it" in refused.json["error"]["hint"]
    assert _objects(data) == set()
