"""`mlx audit`: what was done is listed, and what was done to the list is found."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cached import cached, place
from tests.support.project import Project
from tests.support.tools import Tools

REF = "refs/mlx/audit"
NOW = ("--older-than", "0d", "--yes")
EVENT = {"kind", "who", "when", "what", "previous", "number", "mlx", "digest", "commit"}


def collect(project: Project, *contents: bytes) -> None:
    """Put objects into the cache that nothing needs, and have them deleted."""
    for content in contents:
        place(project, content)
    project.mlx("gc", *NOW).ok()


def test_nothing_was_done(repository: Project) -> None:
    """Git alone will do: no project is needed."""
    assert repository.mlx("audit").ok().stdout == ""
    assert repository.mlx("audit", "--json").ok().json == {"events": []}
    told = repository.mlx("audit", "verify").ok().stdout
    assert told == "the audit log is whole: 0 events\n"


def test_outside_of_git(repository: Project, tmp_path: Path) -> None:
    for verb in ([], ["verify"]):
        told = repository.tools.mlx(tmp_path, "audit", *verb)
        assert told.code == 4
        assert "not a Git repository" in told.stderr


def test_gc_is_in_the_log(project: Project) -> None:
    collect(project, b"one", b"three")
    (event,) = project.mlx("audit", "--json").ok().json["events"]
    assert event.keys() == EVENT
    assert event["what"] == {"project": "", "cloud": False, "objects": 2, "bytes": 8}
    assert event["who"] == {"name": "Tester", "email": "tester@example.org"}
    assert (event["kind"], event["number"], event["previous"]) == ("gc", 1, "")
    told = project.mlx("audit").ok().stdout.splitlines()
    assert told[0].endswith("  gc  Tester")
    assert "    objects: 2" in told
    assert project.mlx("audit", "verify").ok().stdout == "the audit log is whole: 1 event\n"


def test_gc_that_deletes_nothing(project: Project) -> None:
    project.mlx("gc", *NOW).ok()
    place(project, b"one")
    project.mlx("gc", "--older-than", "0d", "--dry").ok()
    project.mlx("gc", "--older-than", "0d").ok()
    assert project.mlx("audit", "--json").ok().json == {"events": []}


def test_gc_whose_event_cannot_be_written(project: Project) -> None:
    """It is done, so it is told; but who asks for the exit code hears of it."""
    place(project, b"one")
    project.git("config", "commit.gpgSign", "true")
    project.git("config", "gpg.format", "ssh")
    project.git("config", "user.signingKey", "/nowhere/key")
    told = project.mlx("gc", *NOW)
    assert told.code == 1
    assert "not in the audit log" in told.stderr
    assert "could not be signed" in told.stderr
    assert "deleted 1 object" in told.stdout
    assert cached(project) == set()
    place(project, b"two")
    document = project.mlx("gc", *NOW, "--json")
    assert (document.code, document.json["removed"]) == (1, 1)


def test_gc_in_the_cloud(project: Project, tmp_path: Path) -> None:
    project.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    place(project, b"one")
    project.mlx("gc", "--cloud", "-A", "--yes").ok()
    (event,) = project.mlx("audit", "--json").ok().json["events"]
    what = event["what"]
    assert (what["cloud"], what["objects"], what["exit_code"]) == (True, None, 0)
    assert "--cloud" in what["arguments"]


def test_gc_without_git(project: Project) -> None:
    project.dvc("config", "core.no_scm", "true").ok()
    place(project, b"one")
    project.mlx("gc", *NOW, "--this-project-only").ok()
    assert cached(project) == set()
    assert project.mlx("audit", "--json").ok().json == {"events": []}


def test_choosing(project: Project) -> None:
    for number in range(3):
        collect(project, b"x" * number)
    found = project.mlx("audit", "-n", "2", "--json").ok().json["events"]
    assert [event["number"] for event in found] == [3, 2]
    assert project.mlx("audit", "--kind", "promoted", "--json").ok().json == {"events": []}
    assert project.mlx("audit", "--since", "2999-01-01", "--json").ok().json == {"events": []}
    found = project.mlx("audit", "--since", "2020-01-01", "--kind", "gc", "--json").ok().json
    assert len(found["events"]) == 3


@pytest.mark.parametrize(
    "arguments", [["--kind", "nope"], ["--since", "soon"], ["-n", "-1"], ["nope"]]
)
def test_bad_arguments(arguments: list[str], project: Project) -> None:
    told = project.mlx("audit", *arguments)
    assert told.code == 2
    assert told.stdout == ""
    assert project.mlx("audit", *arguments, "--json").json["error"]["code"] == "usage"


def test_failures_of_a_gate_are_told_apart(project: Project) -> None:
    project.write("m.json", '{"acc": 0.5, "auc": 0.6}')
    project.write("dvc.yaml", "metrics: [m.json]\n")
    rules = "    - threshold: {metric: acc, min: 0.7}\n    - threshold: {metric: auc, min: 0.8}\n"
    project.write("mlx.yaml", f"gates:\n  test:\n{rules}")
    project.tools.commit(project.root)
    assert project.mlx("gate").code == 3
    told = project.mlx("audit").ok().stdout
    assert "    failed: acc 0.5 < 0.7; auc 0.6 < 0.8\n" in told


def test_a_log_cut_short(project: Project) -> None:
    collect(project, b"one")
    collect(project, b"two")
    project.git("update-ref", REF, f"{REF}~1")
    told = project.mlx("audit", "verify")
    assert told.code == 3
    assert "event 2, commit " in told.stdout
    assert "cut short" in told.stdout
    document = project.mlx("audit", "verify", "--json")
    assert document.code == 3
    assert document.json.keys() == {"ok", "events", "signed", "unknown_keys", "problems"}
    (problem,) = document.json["problems"]
    assert (document.json["ok"], problem["kind"], problem["event"]) == (False, "tip", 2)


def test_what_a_stranger_wrote_stays_on_its_line(project: Project) -> None:
    """Control characters of an event's text do not reach the terminal."""
    project.git("config", "user.name", "Eve\x1b[2J")
    collect(project, b"one")
    assert "\x1b" not in project.mlx("audit", "-v").ok().stdout


@pytest.fixture
def shared(training: Project, tools: Tools, tmp_path: Path) -> Callable[[str], Project]:
    """Clones of a repository in which records were made, with storage for the data."""
    training.git("init", "-q", "--bare", str(tmp_path / "top.git"))
    training.git("remote", "add", "origin", str(tmp_path / "top.git"))
    training.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    tools.commit(training.root, "remotes")
    training.git("push", "-q", "origin", "main")

    def clone(name: str) -> Project:
        tools.git(tmp_path, "clone", "-q", str(tmp_path / "top.git"), name)
        return Project(tmp_path / name, tools)

    return clone


def test_records_that_were_pushed(training: Project, shared: Callable[[str], Project]) -> None:
    """One event a push that sent any, with which; it is pushed with them, and fetched."""
    training.mlx("repro").ok()
    training.mlx("push").ok()
    training.mlx("push").ok()
    (event,) = training.mlx("audit", "--json").ok().json["events"]
    what = event["what"]
    assert (event["kind"], what["remote"], what["records"]) == ("run-pushed", "origin", 3)
    runs = training.git("ls-tree", "-r", "--name-only", "refs/mlx/runs", "runs/").stdout.split()
    assert sorted(os.path.basename(path)[:6] for path in runs) == sorted(
        one[2:8] for one in what["ids"]
    )
    assert what["tip"] == training.git("rev-parse", "refs/mlx/runs").stdout.strip()
    other = shared("other")
    other.mlx("fetch").ok()
    assert other.mlx("audit", "--json").json == training.mlx("audit", "--json").json
    other.mlx("audit", "verify").ok()


def test_a_damaged_log_at_the_remote(
    training: Project, shared: Callable[[str], Project], tmp_path: Path
) -> None:
    """Data still comes; the log is left as it is, with a word about it."""
    training.mlx("repro").ok()
    training.mlx("push").ok()
    top = tmp_path / "top.git"
    training.sh(
        f"cd '{top}' && git update-ref {REF} "
        f"$(git commit-tree -m 'gc 1' {REF}^{{tree}} < /dev/null)"
    )
    other = shared("other")
    told = other.mlx("fetch", "--json").ok()
    assert "damaged" in told.stderr
    assert other.mlx("audit", "--json").ok().json == {"events": []}
    told = training.mlx("pull", "--json").ok()
    assert "replaced" in told.stderr
    training.mlx("audit", "verify").ok()
