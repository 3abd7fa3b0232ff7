"""What is kept of a stage's last run."""

from pathlib import Path

import pytest
from tests.unit.pipeline.parts import stage

from mlxkit.core.errors import MlxError
from mlxkit.pipeline import records
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import Result

NAMES = [
    "train",
    "train@a/b",
    "with space",
    "a.b",
    "ümläut",
    "日本語",
    "x" * 200,
    "é" * 120,
    "語" * 90,
    "a" * 400,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name[:8]}-{len(name)}")
def test_a_stage_of_any_name_has_a_log_and_a_record(name: str, tmp_path: Path) -> None:
    """Names of `matrix` stages are made of their values, and get long."""
    root = str(tmp_path)
    one = stage(name, outs=["o"], cmd=["echo 1", "echo 2"])
    log = records.log_path(root, one.address("/p"))
    records.start_log(log, one)
    assert Path(log).read_text() == "+ echo 1\n+ echo 2\n"
    assert Path(log).parent == tmp_path / ".mlx" / "logs"
    records.save(root, Result(one, "ran", (Reason("new", name),), 1.5, "id"))
    found = records.last(root, one)
    assert found is not None and (found["outcome"], found["run"]) == ("ran", "id")


def test_two_stages_never_share_a_log() -> None:
    names = ["a/b", "a%2Fb", "a b", "a_b", "A", "a", "x" * 300 + "1", "x" * 300 + "2"]
    paths = {records.log_path("/p", name) for name in names}
    assert len(paths) == len(names)


def test_the_error_is_kept(tmp_path: Path) -> None:
    one = stage("s")
    records.save(str(tmp_path), Result(one, "failed", error=MlxError("no", where="dvc.yaml:2")))
    found = records.last(str(tmp_path), one)
    assert found is not None and found["error"] == "dvc.yaml:2: no"


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff"])
def test_a_damaged_record_is_none(damage: bytes, tmp_path: Path) -> None:
    one = stage("s")
    assert records.last(str(tmp_path), one) is None
    records.save(str(tmp_path), Result(one, "ran"))
    (path,) = (path for path in (tmp_path / ".mlx").rglob("*.json"))
    path.write_bytes(damage)
    assert records.last(str(tmp_path), one) is None


@pytest.mark.parametrize(("text", "lines", "expected"), [
    ("a\nb\nc\n", 2, ["b", "c"]),
    ("a\nb\nc", 2, ["b", "c"]),
    ("a\n", 5, ["a"]),
    ("", 5, []),
    ("a\n\n\nb\n\n", 2, ["a", "b"]),
    ("10%\r50%\r100%\n", 1, ["100%"]),
    ("10%\r50%\r", 1, ["50%"]),
    ("a\r\nb\r\n", 2, ["a", "b"]),
    ("é" * 300 + "\nend\n", 2, ["é" * 300, "end"]),
    ("1" * 1000 + "\n" + "2" * 1000 + "\n" + "3" * 1000 + "\n", 2, ["2" * 1000, "3" * 1000]),
])  # fmt: skip
def test_the_last_lines(text: str, lines: int, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "log").write_text(text, newline="")
    assert records.tail(str(tmp_path / "log"), lines) == expected


def test_the_last_state_of_a_long_progress_bar(tmp_path: Path) -> None:
    """A bar redraws itself thousands of times in one line that does not end."""
    bar = "".join(f"\repoch 7: {n:>7}/100000 [{'#' * 40}]" for n in range(100_000))
    (tmp_path / "log").write_text("+ train\nloading\n" + bar)
    assert records.tail(str(tmp_path / "log"), 1)[0].startswith("epoch 7:   99999/100000")
    (tmp_path / "log").write_text(bar + "\ndone\n")
    assert records.tail(str(tmp_path / "log"), 1) == ["done"]
    assert records.tail(str(tmp_path / "log"), 2)[-1] == "done"


def test_the_end_of_a_line_without_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * 3_000_000)
    (line,) = records.tail(str(tmp_path / "log"), 1)
    assert set(line) == {"x"}


def test_the_last_lines_of_no_log(tmp_path: Path) -> None:
    assert records.tail(str(tmp_path / "log"), 3) == []


def test_the_last_line_of_a_huge_log_is_found_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as file:
        file.truncate(1 << 34)
        file.seek(1 << 34)
        file.write("\nthe end\n")
    assert records.tail(str(tmp_path / "log"), 1) == ["the end"]
