"""Rules about a model's file on real models, also hostile ones; the score."""

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest
import skops.io as skops_io
from tests.support.commands import run
from tests.support.project import Project
from tests.support.tools import Tools

GATES = """\
gates:
  deployment:
    - latency: {model: model.skops, inputs: rows.csv, p95_ms: 5000, repeats: 20, warm_up: 1}
    - memory: {model: model.skops, inputs: rows.csv, rows: 5, max_mib: 2000}
    - size: {path: model.skops, max: 1M}
    - size: {path: folder, max: 10}
    - security: {path: model.skops, formats: [skops]}
    - reproducible: {}
"""


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run",))


def logistic() -> bytes:
    from sklearn.linear_model import LogisticRegression

    rows = numpy.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    data: bytes = skops_io.dumps(LogisticRegression().fit(rows, [0, 0, 1, 1]))
    return data


def endless() -> bytes:
    """A boosted tree whose inner nodes lead back to the first one."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = numpy.arange(200.0).reshape(100, 2)
    model = HistGradientBoostingClassifier(max_iter=1, early_stopping=False)
    model.fit(rows, rows[:, 0] > 100)
    for tree in (one for stage in model._predictors for one in stage):
        inner = tree.nodes["is_leaf"] == 0
        for side in ("left", "right"):
            tree.nodes[side][inner] = 0
    data: bytes = skops_io.dumps(model)
    return data


def changed(model: bytes, change: Mapping[str, bytes]) -> bytes:
    """Return a skops file with entries of that ending replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = next((one for end, one in change.items() if name.endswith(end)), old.read(name))
            new.writestr(name, data)
    return target.getvalue()


def greedy(model: bytes) -> bytes:
    """A model whose arrays say that they have a million million numbers."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    return changed(model, {".npy": b"\x93NUMPY\x01\x00v\x00" + header + b"\0" * 64})


def foreign(model: bytes) -> bytes:
    """A model that says it holds a function of the system's."""
    with zipfile.ZipFile(io.BytesIO(model)) as old:
        schema = json.loads(old.read("schema.json"))
    schema["__class__"], schema["__module__"] = "Popen", "subprocess"
    return changed(model, {"schema.json": json.dumps(schema).encode()})


@pytest.fixture(scope="module")
def modelled_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.copy(template, tmp_path_factory.mktemp("models") / "project", tools)
    project.write("made.bin", logistic())
    project.write("rows.csv", "id,a,b\n" + "".join(f"{one},{one},1\n" for one in range(30)))
    project.write("folder/x", "12345")
    project.write("folder/y/z", "678")
    project.mlx("add", "-q", "folder", "rows.csv").ok()
    project.pipeline({"train": {"cmd": "cp made.bin model.skops", "deps": ["made.bin"],
                                "outs": ["model.skops"]}})  # fmt: skip
    project.mlx("repro", "-q").ok()
    rules = GATES.replace("rows.csv,", "rows.csv, leave_out: [id],")
    project.write("mlx.yaml", rules)
    tools.commit(project.root, "trained")
    return project.root


@pytest.fixture
def modelled(modelled_once: Path, tools: Tools, tmp_path: Path) -> Project:
    return Project.copy(modelled_once, tmp_path / "project", tools)


def replace_model(project: Project, data: bytes, rules: str) -> None:
    project.write("made.bin", data)
    items = "".join(f"    - {one}\n" for one in rules.splitlines())
    project.write("mlx.yaml", f"gates:\n  g:\n{items}")
    project.mlx("repro", "-q").ok()


def verdicts(project: Project, *args: str, code: int = 3) -> list[tuple[str, str, str]]:
    done = project.mlx("gate", "--json", *args)
    assert done.code == code, done
    return [(one["rule"], one["verdict"], one["why"]) for one in done.json["gates"]]


@pytest.mark.slow
def test_a_model_that_is_as_it_should_be(modelled: Project) -> None:
    document = modelled.mlx("gate", "--json").ok().json
    found = {(one["rule"], one["what"]): one for one in document["gates"]}
    assert {one["verdict"] for one in found.values()} == {"pass"}
    md5 = modelled.lock()["train"]["outs"][0]["md5"]
    latency = found["latency", "model.skops"]
    assert latency["evidence"]["model.skops"] == md5 and set(latency["evidence"]) == {
        "model.skops", "rows.csv"
    }  # fmt: skip
    assert set(latency["figures"]) == {"p50_ms", "p95_ms", "p99_ms"} and latency["value"] > 0
    assert found["memory", "model.skops"]["value"] < 2000
    assert found["size", "folder"]["value"] == 8
    assert found["size", "model.skops"]["value"] == (modelled.root / "model.skops").stat().st_size
    assert {"verify", "committed"} <= {what for rule, what in found if rule == "reproducible"}
    assert document["commit"] and len(document["records"]) == 1
    # What is measured is never twice the same; the verdict is, so it is kept once.
    again = modelled.mlx("gate", "--json", "--rev", "HEAD").ok().json
    assert again["records"] == document["records"]
    assert {one["evidence"].get("model.skops") for one in again["gates"]} == {md5, None}


def test_what_is_too_large_or_too_slow_or_fed_wrongly(modelled: Project) -> None:
    rules = """\
size: {path: model.skops, max: 10}
size: {path: nothing, max: 10}
latency: {model: model.skops, inputs: rows.csv, leave_out: [id], p50_ms: 0.000001, repeats: 10}
latency: {model: model.skops, inputs: rows.csv, columns: [a, c], p50_ms: 1000, repeats: 10}
memory: {model: folder, inputs: rows.csv, max_mib: 100}"""
    replace_model(modelled, logistic(), rules)
    found = verdicts(modelled)
    assert {one[1] for one in found} == {"fail"}
    small, absent, slow, wrong, folder = (one[2] for one in found)
    assert "> 10 bytes" in small and "there is no nothing" in absent
    assert "ms > 1e-06 ms for 1 row (10 calls on this machine)" in slow
    assert "rows.csv has no column c" in wrong and "folder is a folder" in folder


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pickle.dumps(Evil()), "model.skops is not loaded: it is a pickle"),
        (foreign(logistic()), "holds types that are not allowed: subprocess.Popen"),
    ],
)
def test_hostile_files_are_refused_whatever_their_name(
    modelled: Project, data: bytes, why: str
) -> None:
    rule = "security: {path: model.skops}"
    replace_model(modelled, data, rule)
    assert [(one[1], why in one[2]) for one in verdicts(modelled)] == [("fail", True)]


@pytest.mark.slow
def test_a_model_that_never_ends_or_takes_all_memory_is_ended(modelled: Project) -> None:
    rule = "latency: {model: model.skops, inputs: rows.csv, leave_out: [id], p95_ms: 1, within: 3}"
    replace_model(modelled, endless(), rule)
    assert verdicts(modelled) == [
        ("latency", "fail", "model.skops: it took more than 3 s: it was ended")
    ]  # fmt: skip
    replace_model(modelled, greedy(logistic()), rule.replace("within: 3", "within: 30"))
    ((_, word, why),) = verdicts(modelled)
    assert word == "fail" and "MiB of address space" in why, why


def test_data_that_are_not_here_are_no_verdict(modelled: Project, tmp_path: Path) -> None:
    modelled.tools.git(tmp_path, "clone", "-q", str(modelled.root), "clone")
    clone = Project(tmp_path / "clone", modelled.tools)
    done = clone.mlx("gate")
    assert (done.code, done.stdout) == (1, "") and "mlx pull" in done.stderr
    modelled.write("model.skops", b"other")
    done = modelled.mlx("gate")
    assert (done.code, done.stdout) == (1, "") and "is not what the lock records" in done.stderr


def test_what_is_not_committed_is_not_reproducible(modelled: Project) -> None:
    modelled.write("mlx.yaml", "gates: {g: [{reproducible: {rebuild: true}}]}\n")
    modelled.write("made.bin", logistic() + b"x")
    found = verdicts(modelled)
    assert {one[1] for one in found} == {"fail"}
    assert "not committed: made.bin; mlx.yaml" in [one[2] for one in found]
    assert "what is not committed cannot be rebuilt: made.bin" in found[-1][2]
    modelled.write("mlx.yaml", "gates: {g: [{reproducible: {}}]}\n")
    done = modelled.mlx("gate")
    assert "not kept: " in done.stderr and "not committed" in done.stderr
    modelled.git("checkout", "-q", "made.bin")
    modelled.tools.commit(modelled.root, "rules")
    assert [one[1] for one in verdicts(modelled, code=0)] == ["pass", "pass"]


SCORED = """\
gates:
  t:
    - approval: {from: [bo@example.org], not_author: true}
    - reproducible: {verify: false, committed: false, rebuild: true}
"""
BO = {"GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "bo@example.org"}
WORKFLOW = "on: push\njobs: {a: {steps: [{run: mlx repro && mlx gate}]}}\n"


@pytest.mark.slow
def test_a_score_is_of_what_is_on_record(modelled: Project) -> None:
    modelled.write("mlx.yaml", SCORED)
    # What a rebuild runs in its own process is not what the folder has of that name.
    modelled.write("src/typer.py", "raise SystemExit('not this one')\n")
    modelled.tools.commit(modelled.root, "rules")
    document = modelled.mlx("score", "--json").ok().json
    # The records of `repro` tell how the model was made.
    parts = {"data": 0.5, "model": 0, "infrastructure": 0.5, "monitoring": 0}
    assert (document["score"], document["parts"]) == (0, parts)
    modelled.mlx("approve", "t", **BO).ok()
    words = [sys.executable, "-P", "-m", "mlxkit", "gate", "-q"]
    run(words, modelled.root / "src", modelled.tools.env).ok()
    before = modelled.mlx("score", "--json").ok().json["parts"]
    assert before == parts | {"model": 0.5, "infrastructure": 1.0}
    modelled.write(".github/workflows/w.yml", WORKFLOW)
    modelled.tools.commit(modelled.root, "workflow")
    modelled.mlx("approve", "t", **BO).ok()
    assert modelled.mlx("score", "--json").ok().json["parts"]["model"] == 0, "not judged yet"
    modelled.mlx("gate", "-q").ok()
    document = modelled.mlx("score", "--json").ok().json
    assert document["parts"] == {"data": 1, "model": 1, "infrastructure": 2, "monitoring": 0}
    assert document["tests"][21]["missing"] == "nothing: mlx does not watch what serves yet"
    done = modelled.mlx("score", "--least", "1")
    assert (done.code, "the score is 0, below 1" in done.stderr) == (3, True)
    assert "  ✓ model changes are reviewed (approval in gate t, .github/" in done.stdout
    assert modelled.mlx("score", "nowhere").code == 2
    assert modelled.mlx("score", "HEAD~1", "--json").ok().json["parts"] == before
