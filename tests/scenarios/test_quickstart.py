"""docs/quickstart.md, done as it says: every command works, and shows what the page shows."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.support.project import Project
from tests.support.tools import Tools

PAGE = Path(__file__).parents[2] / "docs/quickstart.md"
BEGIN = "mkdir blobs && cd blobs\n"


def _steps(script: str) -> Iterator[str]:
    """Split into commands of mlx, one a line, and what is between them."""
    for part in re.split(r"^(mlx .*\n)", script, flags=re.MULTILINE):
        if part.strip():
            yield part


def test_the_page_pasted(tools: Tools, tmp_path: Path) -> None:
    page = PAGE.read_text()
    script = "".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert script.startswith(BEGIN)
    root = tmp_path / "blobs"
    root.mkdir()
    said = []
    for step in _steps(script.removeprefix(BEGIN)):
        if not step.startswith("mlx "):
            tools.sh(root, step)
            continue
        result = tools.mlx(root, *shlex.split(step.partition(" # ")[0])[1:])
        assert result.code == (3 if "exit code 3" in step else 0), str(result)
        said += result.stdout.splitlines()
    shown = "".join(re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert len(shown.splitlines()) > 10
    assert [line for line in shown.splitlines() if line not in said] == []
    assert (tmp_path / "serving/model.json").exists()
    assert (tmp_path / "report.md").read_text().startswith("## ✅")
    assert Project(root, tools).mlx("status").ok().stdout.startswith("up to date")
