"""`runs` in mlx.yaml."""

from pathlib import Path

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.runs.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, Settings()), ("", Settings()), ("metrics: {}", Settings()),
        ("runs:", Settings()), ("runs: {record: false}", Settings(record=False)),
        ("runs: {max_file_size: 5}", Settings(max_file_size=5)),
        ("runs: {max_file_size: 0}", Settings(max_file_size=0)),
        ("runs: {max_file_size: 1.5K}", Settings(max_file_size=1536)),
        ("runs: {max_file_size: 2 MiB}", Settings(max_file_size=2 << 20)),
        ("runs: {max_file_size: 1GB}", Settings(max_file_size=1 << 30)),
    ],
)  # fmt: skip
def test_settings(text: str | None, expected: Settings, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "mlx.yaml").write_text(text)
    assert load_settings(str(tmp_path)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("runs: []", "not a mapping"), ("runs: {size: 1}", "unknown key 'size'"),
        ("runs: {1: 1}", "unknown key '1'"), ("runs: {record: 1}", "neither true nor false"),
        ("runs: {max_file_size: -1}", "not a size"), ("runs: {max_file_size: yes}", "not a size"),
        ("runs: {max_file_size: 5X}", "not a size"), ("runs: {max_file_size: [1]}", "not a size"),
    ],
)  # fmt: skip
def test_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mlx.yaml").write_text(f"metrics: {{}}\n{text}\n")
    with pytest.raises(ProjectError, match=said) as raised:
        load_settings(str(tmp_path))
    assert (raised.value.where or "").endswith("mlx.yaml:2")
