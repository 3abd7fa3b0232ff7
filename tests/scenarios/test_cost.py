"""`mlx cost`: what runs cost, from what was measured of real processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import CopyOf, Project

PYTHON = os.path.realpath(sys.executable)
BURN = f"{PYTHON} -I -S burn.py && cat in > models/a && head -c 10000000 /dev/zero > big"
SCRIPT = "import time\nwhile time.process_time() < 0.2: pass\n"
PRICES = "cost:\n  currency: EUR\n  cpu_hour: 3600\n"


def spend(project: Project) -> None:
    """After a run at one commit and a failed one at the next, with prices by the second."""
    project.write("in", "1\n")
    project.write("burn.py", SCRIPT)
    project.write("models/.gitignore", "")
    project.pipeline(
        {
            "train": {"cmd": BURN, "deps": ["in"], "outs": ["models/a", "big"]},
            "use": {"cmd": "cat models/a > use", "deps": ["models/a"], "outs": ["use"]},
        }
    )
    project.write("mlx.yaml", PRICES)
    project.tools.commit(project.root, "a pipeline")
    project.mlx("repro").ok()
    project.tools.commit(project.root, "trained")
    project.write("in", "2\n")
    project.write("burn.py", SCRIPT + "raise SystemExit(7)\n")
    assert project.mlx("repro").code == 1


@pytest.fixture
def costly(copy_of: CopyOf) -> Project:
    return copy_of(spend)


def _groups(project: Project, *args: str) -> dict[Any, dict[str, Any]]:
    document = project.mlx("cost", "--json", *args).ok().json
    assert document.keys() == {"by", "currency", "groups", "total"}
    return {one["name"]: one for one in document["groups"]}


def test_by_stage(costly: Project) -> None:
    found = _groups(costly)
    train, use = found["train"], found["use"]
    assert (train["runs"], train["failed"], use["runs"], use["failed"]) == (2, 1, 1, 0)
    assert 0.4 <= train["cpu_seconds"] < 4
    assert train["cpu_seconds"] == pytest.approx(train["price"])
    assert 0.2 <= train["failed_price"] < train["price"]
    if sys.platform.startswith("linux"):
        assert 10_000_000 <= train["written_bytes"] < 10_100_000
        assert use["written_bytes"] == 2
    document = costly.mlx("cost", "--json").ok().json
    assert (document["by"], document["currency"]) == ("stage", "EUR")
    assert document["total"]["runs"] == 3
    assert document["total"]["price"] == pytest.approx(train["price"] + use["price"])


def test_for_people(costly: Project) -> None:
    result = costly.mlx("cost").ok()
    title, first, second, total, failed = result.stdout.splitlines()
    assert title.split() == ["stage", "runs", "failed", "time", "CPU", "read", "written", "EUR"]
    assert (first.split()[0], second.split()[0], total.split()[0]) == ("train", "use", "total")
    assert failed.startswith("of it for 1 failed run: ") and failed.endswith(" EUR")
    assert result.stderr == ""
    assert costly.mlx("cost", "-q").ok().stdout == ""


def test_by_run_newest_first(costly: Project) -> None:
    lines = costly.mlx("cost", "--by", "run").ok().stdout.splitlines()
    assert "train (failed)" in lines[1]
    assert [line.split()[1] for line in lines[2:4]] == ["use", "train"]
    found = _groups(costly, "--by", "run")
    assert all(len(name) == 64 for name in found)


def test_by_model_a_failed_run_is_the_model_s_too(costly: Project) -> None:
    found = _groups(costly, "--by", "model")
    assert {name: one["runs"] for name, one in found.items()} == {"models/a": 2, None: 1}
    assert found["models/a"]["failed"] == 1
    artifacts = {"best": {"path": "use", "type": "model"}, "data": {"path": "big"}}
    text = costly.read("dvc.yaml")
    costly.write("dvc.yaml", f"{text}artifacts: {artifacts}\n")
    found = _groups(costly, "--by", "model")
    assert {name: one["runs"] for name, one in found.items()} == {"best": 1, None: 2}
    assert "(no model)" in costly.mlx("cost", "--by", "model").ok().stdout


def test_by_commit_and_of_some_commits(costly: Project) -> None:
    head = costly.git("rev-parse", "HEAD").stdout.strip()
    before = costly.git("rev-parse", "HEAD~1").stdout.strip()
    found = _groups(costly, "--by", "commit")
    assert {name: one["runs"] for name, one in found.items()} == {before: 2, head: 1}
    text = costly.mlx("cost", "--by", "commit").ok().stdout
    assert f"{before[:8]} a pipeline" in text and f"{head[:8]} trained" in text
    assert _groups(costly, "HEAD~1").keys() == {"train", "use"}
    assert _groups(costly, "HEAD~1..HEAD")["train"]["failed"] == 1
    assert "use" not in _groups(costly, "HEAD~1..HEAD")


def test_a_stranger_s_record_is_no_option_of_git_s(trained: Project, tmp_path: Path) -> None:
    """What a record says its commit is was once handed to `git log` as it is."""
    append = (
        "import sys, json, hashlib; from mlxkit.runs.ledger import Batch, append;"
        "from mlxkit.runs.repository import identify; from mlxkit.runs import record;"
        "told = dict(format=1, stage='train', outcome='ran', started='2026', commit=sys.argv[1]);"
        "data = json.dumps(told).encode();"
        "append('.', [Batch(None, {record.digest(data): data})], {}, identify('.'))"
    )
    option = f"--output={tmp_path}/written"
    done = subprocess.run([sys.executable, "-c", append, option], cwd=trained.root, check=False)
    assert done.returncode == 0
    assert trained.mlx("cost", "--by", "commit").ok().stdout
    assert not (tmp_path / "written").exists()
    assert option not in _groups(trained, "--by", "commit")


def test_since(costly: Project) -> None:
    assert _groups(costly, "--since", "1 day ago").keys() == {"train", "use"}
    assert _groups(costly, "--since", "9999-01-01") == {}


def test_nothing_on_record(project: Project) -> None:
    result = project.mlx("cost").ok()
    assert result.stdout == "no runs are on record\n"
    assert project.mlx("cost", "--json").ok().json["groups"] == []


def test_a_restored_result_is_told_apart(costly: Project) -> None:
    costly.write("in", "1\n")
    (costly.root / "use").unlink()
    costly.mlx("repro", "-s", "use").ok()
    assert _groups(costly)["use"]["restored"] == 1
    assert "1 (+1)" in costly.mlx("cost").ok().stdout


BAD = {
    ("nope",): (2, "there is no revision 'nope'"),
    ("--since", "soon"): (2, "'soon' is no time"),
    ("--by", "moon"): (2, "--by"),
}


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_bad_input(args: tuple[str, ...], project: Project) -> None:
    code, message = BAD[args]
    result = project.mlx("cost", *args)
    assert result.code == code and message in result.stderr, str(result)


def test_a_price_that_is_none(project: Project) -> None:
    project.write("mlx.yaml", PRICES + "  gpu_hour: cheap\n")
    result = project.mlx("cost")
    assert result.code == 4
    assert "mlx.yaml:4: `cost.gpu_hour` is not a number: 'cheap'" in result.stderr
