"""What is only remembered may be damaged or gone, and never stops anybody."""

from pathlib import Path

import pytest

from mlxkit.core.memory import cache_path, recall, remember


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b"null", b"[" * 100_000])
def test_a_damaged_memory_holds_nothing(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(data)
    assert recall(str(path)) == {}


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    path = cache_path(str(tmp_path), "m.json")
    assert recall(path) == {}
    remember(path, dict.fromkeys("abcd", 1), newest=2)
    assert recall(path) == {"c": 1, "d": 1}
    remember(path, {"e": object()})  # no JSON
    assert recall(path) == {"c": 1, "d": 1}


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / ".mlx").write_text("a file")
    path = cache_path(str(tmp_path), "m.json")
    remember(path, {"a": 1})
    assert recall(path) == {}
