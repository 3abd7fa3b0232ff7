"""The JSON that other programs rely on, and the exit codes that go with it."""

from typing import Any

import pytest
from tests.support.commands import Result
from tests.support.project import CopyOf, Project

KINDS = {
    "new", "cmd-changed", "dep-changed", "param-changed", "out-changed", "out-missing", "upstream",
    "forced", "always", "env-changed",
}  # fmt: skip

STAGES: dict[str, Any] = {
    "prep": {
        "cmd": "echo noise; echo trouble >&2; cat in > prep.out",
        "deps": ["in"],
        "outs": ["prep.out"],
    },
    "train": {
        "cmd": "cat prep.out params.yaml > model",
        "deps": ["prep.out"],
        "params": ["net.lr"],
        "outs": ["model"],
    },
}


def prepare(project: Project) -> None:
    """Two stages and a tracked file, never run."""
    project.write("in", "in\n")
    project.write("data.csv", "data\n")
    project.write("params.yaml", "net:\n  lr: 1\n")
    project.dvc("add", "data.csv").ok()
    project.pipeline(STAGES)


def run(project: Project) -> None:
    """The same after a run."""
    prepare(project)
    project.mlx("repro").ok()


@pytest.fixture
def fresh(copy_of: CopyOf) -> Project:
    return copy_of(prepare)


@pytest.fixture
def done(copy_of: CopyOf) -> Project:
    return copy_of(run)


def _stages(result: Result, key: str) -> dict[str, dict[str, Any]]:
    """Check the shape of a document with stages; the entries by name."""
    document = result.json
    for entry in document["stages"]:
        assert isinstance(entry["stage"], str)
        assert isinstance(entry[key], str)
        for reason in entry["reasons"]:
            assert reason["kind"] in KINDS, reason
            assert isinstance(reason["what"], str | None), reason
    return {entry["stage"]: entry for entry in document["stages"]}


def _kinds(entry: dict[str, Any]) -> set[str]:
    return {reason["kind"] for reason in entry["reasons"]}


def test_repro_document(fresh: Project) -> None:
    result = fresh.mlx("repro", "--json").ok()
    assert result.json["ok"] is True
    stages = _stages(result, "outcome")
    assert list(stages) == ["prep", "train"]
    for entry in stages.values():
        assert {"stage", "outcome", "reasons", "seconds", "run"} <= entry.keys()
        assert entry["outcome"] == "ran"
        assert isinstance(entry["seconds"], int | float)
        assert "new" in _kinds(entry)


def test_repro_with_nothing_to_do(done: Project) -> None:
    result = done.mlx("repro", "--json").ok()
    assert result.json["ok"] is True
    for entry in _stages(result, "outcome").values():
        assert entry["outcome"] == "unchanged"
        assert entry["reasons"] == []


CHANGES = [
    ("dep-changed", "in", "echo more >> in", "prep"),
    ("param-changed", "net.lr", "echo 'net: {lr: 2}' > params.yaml", "train"),
    ("cmd-changed", "", "sed -i 's/cat prep.out/cat  prep.out/' dvc.yaml", "train"),
    ("out-changed", "model", "echo more >> model", "train"),
    ("out-missing", "model", "rm model", "train"),
]


@pytest.mark.parametrize(("kind", "what", "change", "stage"), CHANGES, ids=[c[0] for c in CHANGES])
def test_reasons(kind: str, what: str, change: str, stage: str, done: Project) -> None:
    done.sh(change)
    shown = _stages(done.mlx("status", "--json").ok(), "state")
    assert shown[stage]["state"] == "stale"
    assert _kinds(shown[stage]) == {kind}
    assert what in str(shown[stage]["reasons"][0]["what"])
    acted = _stages(done.mlx("repro", "--json").ok(), "outcome")
    assert acted[stage]["outcome"] in ("ran", "restored")
    assert acted[stage]["reasons"] == shown[stage]["reasons"], "one value, printed everywhere"


def test_reason_upstream(done: Project) -> None:
    done.sh("echo more >> in")
    shown = _stages(done.mlx("status", "--json").ok(), "state")
    assert shown["train"]["state"] == "stale"
    assert _kinds(shown["train"]) == {"upstream"}
    assert shown["train"]["reasons"][0]["what"] == "prep"


def test_reason_forced(done: Project) -> None:
    for entry in _stages(done.mlx("repro", "--force", "--json").ok(), "outcome").values():
        assert entry["outcome"] == "ran"
        assert "forced" in _kinds(entry)


def test_reason_always(project: Project) -> None:
    project.pipeline({"s": {"cmd": "echo 1 > out", "outs": ["out"], "always_changed": True}})
    project.mlx("repro").ok()
    stages = _stages(project.mlx("repro", "--json").ok(), "outcome")
    assert stages["s"]["outcome"] == "ran"
    assert "always" in _kinds(stages["s"])


def test_status_document(done: Project) -> None:
    result = done.mlx("status", "--json").ok()
    assert result.json["clean"] is True
    assert result.json["data"] == []
    assert {entry["state"] for entry in _stages(result, "state").values()} == {"fresh"}
    assert done.mlx("status", "--check").code == 0


DATA = [
    ("modified", "echo more >> data.csv"),
    ("deleted", "rm data.csv"),
    ("missing-in-cache", "rm -rf .dvc/cache/files"),
]


@pytest.mark.parametrize(("state", "change"), DATA, ids=[d[0] for d in DATA])
def test_status_of_data(state: str, change: str, done: Project) -> None:
    done.sh(change)
    document = done.mlx("status", "--json").ok().json
    assert document["clean"] is False
    states = {entry["path"]: entry["state"] for entry in document["data"]}
    assert states["data.csv"] == state
    assert done.mlx("status", "--check").code == 3
    assert done.mlx("status", "--check", "--json").json == document


def test_failed_stage(fresh: Project) -> None:
    fresh.sh("sed -i 's/cat in > prep.out/false/' dvc.yaml")
    result = fresh.mlx("repro", "--json")
    assert result.code == 1
    assert result.json["ok"] is False
    stages = _stages(result, "outcome")
    assert [entry["outcome"] for entry in stages.values()] == ["failed", "not-reached"]


def test_changed_data_source_is_committed(done: Project) -> None:
    done.sh("echo more >> data.csv")
    result = done.mlx("repro", "-P", "--json").ok()
    assert _stages(result, "outcome")["data.csv.dvc"]["outcome"] == "ran"
    assert done.dvc("status", "--json").json == {}


def test_human_output_has_no_colour_in_a_pipe(fresh: Project) -> None:
    for args in (["status"], ["repro"], ["repro"], ["status"], ["repro", "--help"]):
        result = fresh.mlx(*args).ok()
        assert "\x1b" not in result.stdout + result.stderr, str(result)


def test_quiet(fresh: Project) -> None:
    assert fresh.mlx("repro", "-q").ok().stdout.replace("noise\n", "") == ""


@pytest.mark.parametrize("args", [
    ["repro", "--no-such-flag"], ["repro", "-j", "many"], ["no-such-verb"],
    ["status", "--no-such-flag"],
])  # fmt: skip
def test_bad_arguments(args: list[str], fresh: Project) -> None:
    result = fresh.mlx(*args)
    assert result.code == 2, str(result)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_why(done: Project) -> None:
    done.sh("echo more >> in")
    result = done.mlx("why", "prep", "--json").ok()
    assert "dep-changed" in str(result.json), str(result)
