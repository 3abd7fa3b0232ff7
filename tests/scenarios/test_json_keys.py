"""The documents that other programs read: exactly these keys."""

from typing import Any

import pytest
from tests.support.project import Project

REASON = {"kind", "what"}


@pytest.fixture
def changed(trained: Project) -> Project:
    """After a run, a parameter is another one and a tracked file is changed."""
    trained.write("extra.csv", "1\n")
    trained.dvc("add", "-q", "extra.csv").ok()
    trained.write("extra.csv", "2\n")
    trained.write("params.yaml", "train:\n  lr: 0.2\n")
    return trained


def _reasons(stage: dict[str, Any]) -> None:
    for reason in stage["reasons"]:
        assert REASON <= reason.keys() <= REASON | {"detail"}
        assert all(isinstance(value, str) for value in reason.values())


def test_status(changed: Project) -> None:
    document = changed.mlx("status", "--json").ok().json
    assert document.keys() == {"clean", "stages", "data"}
    for stage in document["stages"]:
        assert stage.keys() == {"stage", "state", "reasons"}
        assert stage["state"] in ("fresh", "stale", "running")
        _reasons(stage)
    assert [one["state"] for one in document["stages"]] == ["fresh", "stale", "stale"]
    assert document["data"] == [{"path": "extra.csv", "state": "modified"}]


def test_why(changed: Project) -> None:
    document = changed.mlx("why", "train", "--json").ok().json
    assert document.keys() == {"stage", "state", "reasons", "last"}
    assert document["reasons"] == [
        {"kind": "param-changed", "what": "train.lr", "detail": "0.1 -> 0.2"}
    ]
    last = document["last"]
    assert last.keys() == {"run", "stage", "outcome", "reasons", "ended", "seconds", "error"}
    assert (last["stage"], last["outcome"], last["error"]) == ("train", "ran", None)
    _reasons(last)


def test_why_of_a_group(project: Project) -> None:
    each = {"foreach": ["a", "b"], "do": {"cmd": "echo 1 > ${item}", "outs": ["${item}"]}}
    project.pipeline({"each": each})
    document = project.mlx("why", "each", "--json").ok().json
    assert [one["stage"] for one in document["stages"]] == ["each@a", "each@b"]
    assert {one["last"] for one in document["stages"]} == {None}


def test_why_of_tracked_data(changed: Project) -> None:
    """`mlx repro` would commit it: `why` says why."""
    document = changed.mlx("why", "extra.csv.dvc", "--json").ok().json
    assert document["stage"] == "extra.csv.dvc"
    assert document["reasons"] == [{"kind": "out-changed", "what": "extra.csv"}]


def test_repro(changed: Project) -> None:
    document = changed.mlx("repro", "-P", "--json").ok().json
    assert document.keys() == {"ok", "stages"}
    keys = {"stage", "outcome", "reasons", "seconds", "run"}
    by_name = {one["stage"]: one for one in document["stages"]}
    assert set(by_name) == {"prep", "train", "evaluate", "extra.csv.dvc"}
    assert by_name["prep"].keys() == keys
    assert by_name["prep"]["run"] is None
    assert by_name["train"].keys() == keys | {"log"}
    assert by_name["train"]["log"] == ".mlx/logs/train.log"
    assert by_name["extra.csv.dvc"]["outcome"] == "ran"
    assert isinstance(by_name["train"]["run"], str)
    for stage in document["stages"]:
        _reasons(stage)


def test_repro_with_a_failure(changed: Project) -> None:
    changed.sh("sed -i 's/cat clean.csv params.yaml/false/' dvc.yaml")
    result = changed.mlx("repro", "--json")
    assert result.code == 1
    assert result.json["ok"] is False
    prep, train, evaluate = result.json["stages"]
    assert (prep["outcome"], evaluate["outcome"]) == ("unchanged", "not-reached")
    assert train["error"].keys() == {"code", "message", "hint", "where"}
    assert train["error"]["where"] == "dvc.yaml:8"
    assert train["outcome"] == "failed"


def test_doctor(changed: Project) -> None:
    changed.write(".dvc/tmp/rwlock", "{")
    document = changed.mlx("doctor", "--json").json
    assert document.keys() == {"ok", "problems", "fixed"}
    (problem,) = document["problems"]
    assert problem.keys() == {"kind", "what", "hint", "fixable"}
    document = changed.mlx("doctor", "--fix", "--json").ok().json
    assert document["ok"] is True
    assert [one.keys() for one in document["fixed"]] == [{"kind", "what"}]


def test_an_error(changed: Project) -> None:
    changed.write("dvc.yaml", "stages:\n  a:\n    cmd: x\n    depz: [y]\n")
    for verb in ("repro", "status", "why a", "dag --json"):
        document = changed.mlx(*verb.split(), "--json").json
        assert document.keys() == {"error"}
        assert document["error"].keys() == {"code", "message", "hint", "where"}
    document = changed.mlx("repro", "--json").json
    assert document["error"]["code"] == "project"
    assert document["error"]["where"] == "dvc.yaml:4"
