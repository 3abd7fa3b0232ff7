"""`mlx gc` deletes what nothing refers to, and nothing else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cached import (
    OBJECTS,
    cached,
    dvc_file,
    objects_below,
    place,
    place_folder,
    track,
)
from tests.support.project import Project

NOW = ("--older-than", "0d", "--yes")
Make = Callable[[Project, str], None]


def _commit(project: Project, name: str) -> None:
    """Record the object in a commit on the current branch."""
    track(project, name, name.encode())
    project.tools.commit(project.root, name)


def _file_only(project: Project, name: str) -> None:
    track(project, name, name.encode())


def _staged_only(project: Project, name: str) -> None:
    track(project, name, name.encode())
    project.git("add", f"{name}.dvc")
    os.unlink(project.root / f"{name}.dvc")


def _ref(ref: str) -> Make:
    """Only one ref leads to the commit: no branch, no reflog."""

    def make(project: Project, name: str) -> None:
        commit = project.git("commit-tree", _tree(project, name), "-m", name).stdout.strip()
        project.git("update-ref", ref, commit)

    return make


def _tree(project: Project, name: str) -> str:
    """A Git tree with a `.dvc` file that is in no working tree."""
    project.write("loose", dvc_file(place(project, name.encode()), name))
    blob = project.git("hash-object", "-w", "loose").stdout.strip()
    os.unlink(project.root / "loose")
    project.sh(
        f"printf '100644 blob {blob}\\t{name}.dvc\\n' > ../tree; git mktree < ../tree > ../id"
    )
    return (project.root.parent / "id").read_text().strip()


def _annotated_tag(project: Project, name: str) -> None:
    _ref("refs/heads/for-a-tag")(project, name)
    project.git("tag", "-a", "annotated", "-m", "x", "for-a-tag")
    project.git("tag", "-a", "of-a-tag", "-m", "x", "annotated")
    project.git("update-ref", "-d", "refs/tags/annotated")
    project.git("update-ref", "-d", "refs/heads/for-a-tag")


def _tree_ref(project: Project, name: str) -> None:
    project.git("update-ref", "refs/mlx/trees/1", _tree(project, name))


def _stash(project: Project, name: str) -> None:
    for number in (1, 2):  # only its reflog knows any but the last
        project.write(f"{name}{number}.dvc", dvc_file(place(project, name.encode()), name))
        project.git("stash", "push", "-q", "--include-untracked", f"{name}{number}.dvc")
        name += "x"


def _reset_away(project: Project, name: str) -> None:
    _commit(project, name)
    project.git("reset", "-q", "--hard", "HEAD~1")


def _undone_before_the_merge(project: Project, name: str) -> None:
    project.git("checkout", "-q", "-b", "undone")
    _commit(project, name)
    project.git("rm", "-q", f"{name}.dvc")
    project.git("commit", "-q", "-m", "undo")
    project.git("checkout", "-q", "main")
    project.git("merge", "-q", "--no-ff", "-m", "merge", "undone")
    project.git("branch", "-D", "undone")
    project.sh("rm -f .git/logs/refs/heads/undone; : > .git/logs/HEAD")


def _made_by_a_merge(project: Project, name: str) -> None:
    project.git("checkout", "-q", "-b", "evil", "HEAD~1")
    project.git("commit", "-q", "--allow-empty", "-m", "beside")
    project.git("merge", "-q", "--no-ff", "--no-commit", "main")
    track(project, name, name.encode())
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "with a file of its own")
    project.git("checkout", "-q", "main")


def _other_worktree(project: Project, name: str) -> None:
    project.git("worktree", "add", "-q", "--detach", "../other")
    text = dvc_file(place(project, name.encode()), name)
    (project.root.parent / "other" / f"{name}.dvc").write_text(text)


def _index_of_a_lost_worktree(project: Project, name: str) -> None:
    project.git("worktree", "add", "-q", "--detach", "../lost")
    lost = project.root.parent / "lost"
    (lost / f"{name}.dvc").write_text(dvc_file(place(project, name.encode()), name))
    project.tools.git(lost, "add", ".")
    shutil.rmtree(lost)


def _past_run(project: Project, name: str) -> None:
    key, value = "ab" * 32, "cd" * 32
    entry = f"cmd: x\nouts:\n- path: y\n  md5: {place(project, name.encode())}\n"
    project.write(f".dvc/cache/runs/{key[:2]}/{key}/{value}", entry)


def _pin(project: Project, name: str) -> None:
    project.mlx("pin", place(project, name.encode()), "--reason", "needed").ok()


def _pin_elsewhere(project: Project, name: str) -> None:
    project.git("checkout", "-q", "-b", "with-pin")
    project.write("mlx.pins", f"{place(project, name.encode())}\n")
    project.git("add", "mlx.pins")
    project.git("commit", "-q", "-m", "pin")
    project.git("checkout", "-q", "main")


def _only_fetched(project: Project, name: str) -> None:
    _ref("refs/heads/to-fetch")(project, name)
    project.git("fetch", "-q", ".", "to-fetch")
    project.git("update-ref", "-d", "refs/heads/to-fetch")


def _broken_in_history(project: Project, name: str) -> None:
    md5 = place(project, name.encode())
    project.write(f"{name}/dvc.lock", f"<<<<<<< HEAD\n\tstages: [{{{md5}\n=======\n\0\xff'")
    project.tools.commit(project.root, "broken")
    shutil.rmtree(project.root / name)
    project.tools.commit(project.root, "mended")


def _old_layout(project: Project, name: str) -> None:
    md5 = place(project, name.encode())
    cache = project.root / ".dvc/cache"
    (cache / md5[:2]).mkdir(exist_ok=True)
    shutil.copy2(project.root / OBJECTS / md5[:2] / md5[2:], cache / md5[:2] / md5[2:])
    project.write(f"{name}.dvc", f"outs:\n- md5: {md5}\n  path: {name}\n")


def _running_experiment(project: Project, name: str) -> None:
    text = dvc_file(place(project, name.encode()), name)
    project.write(f".dvc/tmp/exps/standalone/tmp1/{name}.dvc", text)


# In this order: what leaves nothing in the working tree first.
KEPT: dict[str, Make] = {
    "earlier commit": _commit,
    "undone before the merge": _undone_before_the_merge,
    "made by a merge": _made_by_a_merge,
    "broken in history": _broken_in_history,
    "reset away": _reset_away,
    "branch": _ref("refs/heads/side"),
    "remote-tracking branch": _ref("refs/remotes/origin/gone"),
    "tag": _ref("refs/tags/v1"),
    "annotated tag": _annotated_tag,
    "experiment": _ref("refs/exps/ab/" + "c" * 38 + "/brave-one"),
    "record of a run": _ref("refs/mlx/runs"),
    "tree of a run": _tree_ref,
    "only fetched": _only_fetched,
    "stash": _stash,
    "pin elsewhere": _pin_elsewhere,
    "other worktree": _other_worktree,
    "lost worktree": _index_of_a_lost_worktree,
    "past run": _past_run,
    "pin": _pin,
    "staged": _staged_only,
    "old layout": _old_layout,
    "uncommitted": _file_only,
    "running experiment": _running_experiment,
}


# What a user may have set, and what must not change the answer.
SETTINGS = {"log.showRoot": "false", "log.follow": "true", "color.ui": "always"}
SETTINGS |= {"diff.renames": "copies", "log.showSignature": "true", "log.decorate": "full"}


def test_whatever_refers_to_it_keeps_it(project: Project) -> None:
    for name, value in SETTINGS.items():
        project.git("config", name, value)
    for what, make in KEPT.items():
        make(project, what.replace(" ", "-"))
    needed = cached(project)
    assert len(needed) == len(KEPT) + 1  # the stash has two
    junk = {place(project, b"junk"), *place_folder(project, {"a": b"1", "b": b"2"})[1]}
    assert len(junk) == 3

    result = project.mlx("gc", "--json", *NOW).ok().json
    assert cached(project) == needed, _named(needed - cached(project))
    assert result["done"] and result["removed"] == 4 and result["kept"] == len(needed) + 1
    assert result["plan"] == [{"reason": "unreferenced", "objects": 4, "bytes": result["bytes"]}]
    assert project.mlx("gc", "--json", *NOW).ok().json["removed"] == 0


def _named(lost: set[str]) -> str:
    import hashlib

    names = {hashlib.md5(what.replace(" ", "-").encode()).hexdigest(): what for what in KEPT}
    return f"lost: {[names.get(md5, md5) for md5 in lost]}"


def test_without_yes_it_only_tells(project: Project) -> None:
    junk = place(project, b"12345")
    young = place(project, b"young", old=False)
    result = project.mlx("gc").ok()
    assert "nothing refers to it" in result.stdout and "5 B" in result.stdout
    assert "too young" in result.stdout
    assert result.stderr == "nothing was deleted; to do it, say: --yes\n"
    shown = project.mlx("gc", "--json").ok().json
    assert shown == {
        "removed": 0,
        "bytes": 0,
        "kept": 2,
        "plan": [{"reason": "unreferenced", "objects": 1, "bytes": 5}],
        "held": [{"reason": "young", "objects": 1, "bytes": 5}],
        "lost": [],
        "done": False,
    }
    assert junk in project.mlx("gc", "-v").ok().stdout
    project.mlx("gc", "--dry", "--yes").ok()
    assert cached(project) == {junk, young}
    assert project.mlx("gc", "-f").ok().stdout.endswith("deleted 1 object, 5 B; 1 stay\n")
    assert cached(project) == {young}
    assert project.mlx("gc").ok().stdout.endswith("nothing to delete; 1 object in the cache\n")


def test_a_young_folder_stays_complete(project: Project) -> None:
    """Its files may be old: they were there before, and were not written again."""
    folder, files = place_folder(project, {"a": b"1", "n/b": b"2"}, old=False)
    place(project, b"junk")
    project.mlx("gc", "--older-than", "12h", "-y").ok()
    assert cached(project) == {folder, *files}


def test_a_folder_whose_list_is_missing(project: Project) -> None:
    """Any file may be one of it."""
    folder, files = place_folder(project, {"a": b"1", "b": b"2"})
    project.write("data.dvc", dvc_file(folder, "data"))
    junk_folder, junk = place_folder(project, {"a": b"1", "c": b"3"})
    path = project.root / OBJECTS / folder[:2] / folder[2:]
    content = path.read_bytes()
    for damage in (b"", content[:-20], content.replace(b"relpath", b"relpaht")):
        path.unlink(missing_ok=True)
        if damage:
            path.write_bytes(damage)
            path.chmod(0o444)
        result = project.mlx("gc", *NOW).ok()
        assert "the list of 1 folder is not in the cache" in result.stderr
        assert folder in result.stderr and "data.dvc" in result.stderr
        assert cached(project) >= files | junk
        assert junk_folder not in cached(project)
    result = project.mlx("gc", "--ignore-missing", *NOW).ok()
    assert not cached(project) & (files | junk)


SCOPES = [
    ["-w"],
    ["-a"],
    ["-T"],
    ["-aT"],
    ["-A"],
    ["--all-experiments"],
    ["--rev", "v1"],
    ["--rev", "side", "-n", "2"],
    ["-a", "--num", "2"],
    ["--date", "2025-01-01"],
]


@pytest.fixture(scope="module")
def branched(template: Path, tools: object, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four commits on two branches with a tag and an experiment, one object for each."""
    project = Project.copy(template, tmp_path_factory.mktemp("gc") / "branched", tools)  # type: ignore[arg-type]
    for number, day in enumerate(["2024-01-01", "2024-06-01", "2025-03-01"]):
        track(project, "data", f"main {number}".encode())
        folder, _ = place_folder(project, {"a": b"same", "b": f"b{number}".encode()})
        project.write("folder.dvc", dvc_file(folder, "folder"))
        project.git("add", "-A")
        project.sh(f"GIT_COMMITTER_DATE={day}T12:00:00 git commit -q -m {number}")
    project.git("tag", "v1", "HEAD~2")
    project.git("checkout", "-q", "-b", "side", "HEAD~1")
    for number in range(2):
        track(project, "data", f"side {number}".encode())
        project.git("add", "-A")
        project.sh(f"GIT_COMMITTER_DATE=2024-07-01T12:00:00 git commit -q -m side{number}")
    base = project.git("rev-parse", "main").stdout.strip()
    project.git("checkout", "-q", "--detach", "main")
    for number in range(2):
        track(project, "data", f"experiment {number}".encode())
        project.tools.commit(project.root, "experiment")
    project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/brave-one", "HEAD")
    project.git("checkout", "-q", "main")
    track(project, "data", b"not committed")
    place(project, b"junk")
    return project


@pytest.mark.parametrize("flags", SCOPES, ids=" ".join)
def test_a_scope_keeps_what_dvc_keeps(flags: list[str], branched: Project, tmp_path: Path) -> None:
    by_dvc = Project.copy(branched.root, tmp_path / "dvc", branched.tools)
    by_mlx = Project.copy(branched.root, tmp_path / "mlx", branched.tools)
    by_dvc.dvc("gc", "-f", *flags).ok()
    result = by_mlx.mlx("gc", "-y", "--json", *flags).ok().json
    assert cached(by_mlx) == cached(by_dvc)
    assert result["removed"] == len(cached(branched)) - len(cached(by_mlx)) > 0
    if "-A" not in flags:
        assert "out-of-scope" in {one["reason"] for one in result["plan"]}


def test_the_default_keeps_what_any_scope_of_dvcs_keeps(branched: Project, tmp_path: Path) -> None:
    project = Project.copy(branched.root, tmp_path / "p", branched.tools)
    project.mlx("gc", *NOW).ok()
    assert len(cached(branched)) - len(cached(project)) == 1


def test_pins_and_grace_in_a_scope(branched: Project, tmp_path: Path) -> None:
    project = Project.copy(branched.root, tmp_path / "p", branched.tools)
    pinned = project.mlx("pin", "--json", "v1:folder", "side:data").ok().json["pinned"]
    young = place(project, b"young", old=False)
    project.mlx("gc", "-w", "-y", "--older-than", "1h").ok()
    kept = cached(project)
    assert {one["md5"] for one in pinned} < kept and young in kept
    project.mlx("gc", "-w", "-y").ok()
    assert young not in cached(project)
    project.mlx("fetch", "--help").ok()
    project.git("stash", "-q")
    project.git("checkout", "-q", "v1")
    project.dvc("checkout", "folder.dvc").ok()


def test_past_runs_only_when_asked(project: Project) -> None:
    _past_run(project, "run")
    project.mlx("gc", *NOW).ok()
    assert len(cached(project)) == 1
    project.mlx("gc", "--no-run-cache", *NOW).ok()
    assert not cached(project)


def test_a_shared_cache(new_project: Callable[..., Project], tmp_path: Path) -> None:
    one, two = new_project("one"), new_project("two")
    for project in (one, two):
        project.dvc("cache", "dir", "-q", str(tmp_path / "shared")).ok()
        project.write("data", project.root.name)
        project.dvc("add", "-q", "data").ok()
    shared = tmp_path / "shared/files/md5"
    assert len(objects_below(shared)) == 2
    result = one.mlx("gc", *NOW)
    assert result.code == 1 and "other projects may use it" in result.stderr
    assert "-p PATH" in one.mlx("gc", "--older-than", "0d").ok().stderr
    one.mlx("gc", "-p", str(two.root), *NOW).ok()
    one.mlx("gc", "-w", "-y", "-p", "../one", "../two").ok()
    assert len(objects_below(shared)) == 2
    assert one.mlx("gc", "-p", "../three", *NOW).code == 2
    assert one.mlx("gc", "-p", "/", *NOW).code == 4
    one.mlx("gc", "--this-project-only", *NOW).ok()
    assert len(objects_below(shared)) == 1


def test_a_shallow_clone(branched: Project, tmp_path: Path) -> None:
    branched.git("clone", "-q", "--depth", "1", f"file://{branched.root}", str(tmp_path / "c"))
    clone = Project(tmp_path / "c", branched.tools)
    shutil.copytree(branched.root / ".dvc/cache", clone.root / ".dvc/cache")
    before = cached(clone)
    result = clone.mlx("gc", *NOW)
    assert result.code == 1 and "shallow clone" in result.stderr
    assert "shallow clone" in clone.mlx("gc", "--older-than", "0d").ok().stderr
    assert cached(clone) == before
    clone.mlx("gc", "-w", "-y").ok()  # what the working tree needs is no question of history
    assert len(cached(clone)) == 4
    clone.mlx("gc", "--shallow", *NOW).ok()


def test_only_objects_are_deleted(project: Project) -> None:
    old = {
        ".dvc/cache/notes.txt": False,
        f"{OBJECTS}/ab/readme": False,
        f"{OBJECTS}/ab/{'c' * 31}": False,
        f"{OBJECTS}/AB/{'c' * 30}": False,
        f"{OBJECTS}/.mlx-0123456789abcdef.tmp": True,
        f"{OBJECTS}/ab/.{'x' * 22}.tmp": True,
        f"{OBJECTS}/ab/{'c' * 30}.dir.{'x' * 22}.tmp": True,
    }
    for path in old:
        os.utime(project.write(path, "x"), (1, 1))
    young = project.write(f"{OBJECTS}/.mlx-00.tmp", "x")
    result = project.mlx("gc", "--yes", "--json").ok().json
    assert result["plan"] == [{"reason": "leftover", "objects": 3, "bytes": 3}]
    assert result["removed"] == 0 and result["bytes"] == 3
    assert {path: not (project.root / path).exists() for path in old} == old
    assert young.exists()


def test_links_in_the_working_tree_do_not_break(project: Project) -> None:
    """After `git checkout` and before `mlx checkout` they lead to what no file names any more."""
    project.dvc("config", "cache.type", "symlink").ok()
    project.write("data", "one")
    project.write("d/x", "two")
    project.dvc("add", "-q", "data", "d").ok()
    assert (project.root / "data").is_symlink()
    for name in ("data", "d"):
        project.write(f"{name}.dvc", dvc_file(place(project, b"new"), name))
    project.mlx("gc", "-w", "-y").ok()
    assert project.read("data") == "one" and project.read("d/x") == "two"


def test_without_git(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    project.dvc("config", "core.no_scm", "true").ok()
    needed = {track(project, "data", b"1"), place(project, b"2")}
    project.mlx("pin", *needed).ok()
    place(project, b"junk")
    project.mlx("gc", *NOW).ok()
    assert cached(project) == needed


def test_an_empty_repository(project: Project) -> None:
    project.sh("rm -rf .git; git init -q")
    needed = track(project, "data", b"1")
    place(project, b"junk")
    project.mlx("gc", *NOW).ok()
    project.mlx("gc", "-A", "-y").ok()
    assert cached(project) == {needed}


def test_what_a_remote_has_is_dvcs_part(branched: Project, tmp_path: Path) -> None:
    project = Project.copy(branched.root, tmp_path / "p", branched.tools)
    project.dvc("remote", "add", "-q", "-d", "storage", str(tmp_path / "remote")).ok()
    remote = tmp_path / "remote/files/md5"
    shutil.copytree(project.root / OBJECTS, remote)
    before = cached(project), objects_below(remote)
    assert project.mlx("gc", "-c").code == 2
    result = project.mlx("gc", "-w", "-c").ok()
    assert "to do it, say: --yes" in result.stderr
    assert (cached(project), objects_below(remote)) == before
    project.mlx("pin", "side:data").ok()
    assert "knows nothing of your 1 pins" in project.mlx("gc", "-w", "-c", "-y").stderr
    assert (cached(project), objects_below(remote)) == before
    project.mlx("pin", "--remove", "--all").ok()
    project.mlx("gc", "-w", "-c", "-r", "storage", "-y").ok()
    assert objects_below(remote) < before[1] and cached(project) < before[0]


BAD = {
    ("--older-than", "soon"): 2,
    ("--older-than", "-1d"): 2,
    ("--num", "2"): 2,
    ("--rev", "no-such"): 2,
    ("--rev", "a\nb"): 2,
    ("--date", "yesterday"): 2,
    ("-r", "storage"): 2,
    ("data",): 2,
}


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_arguments(arguments: tuple[str, ...], project: Project) -> None:
    result = project.mlx("gc", *arguments, "--yes")
    assert result.code == BAD[arguments], str(result)
    assert result.stderr.startswith("error: ") and "\nhint: " in result.stderr
    document = project.mlx("gc", "--json", *arguments).json
    assert document["error"]["code"] == "usage"


def test_what_cannot_be_read_stops_it(project: Project) -> None:
    """A commit that Git has no more may refer to anything."""
    track(project, "data", b"1")
    project.tools.commit(project.root)
    blob = project.git("rev-parse", "HEAD:data.dvc").stdout.strip()
    track(project, "data", b"2")
    os.unlink(project.root / ".git/objects" / blob[:2] / blob[2:])
    junk = place(project, b"junk")
    result = project.mlx("gc", *NOW)
    assert result.code == 1 and "error: " in result.stderr and "hint: " in result.stderr
    assert junk in cached(project)
    project.write("dvc.yaml", "stages: [")
    assert project.mlx("gc", *NOW).code == 4
    assert junk in cached(project)


def test_waits_for_a_run_and_for_dvc(project: Project) -> None:
    """What a run has made is in no lock file yet."""
    place(project, b"junk")
    for path in (".mlx/repro.lock", ".dvc/tmp/lock"):
        project.write(path, "")
        script = f"flock {path} {' '.join(['mlx', 'gc', '--wait', '0', *NOW])}"
        result = project.tools.sh(project.root, f"{script} || echo code $?")
        assert "code 5" in result.stdout, str(result)
    assert len(cached(project)) == 1


def test_asks_at_a_terminal(project: Project) -> None:
    from tests.support.pseudo import answered

    place(project, b"junk")
    assert "nothing was deleted" in answered(project, "n\n", "gc")
    assert len(cached(project)) == 1
    shown = answered(project, "y\n", "gc")
    assert "Delete 1 file (4 B) for good?" in shown and "deleted 1 object" in shown
    assert not cached(project)
