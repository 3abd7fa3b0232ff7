"""A repository for each test."""

from pathlib import Path

import pytest
from tests.support.lineage import Repository
from tests.support.tools import Tools


@pytest.fixture
def repo(tools: Tools, tmp_path: Path) -> Repository:
    """One new repository."""
    return Repository.new(tmp_path / "repo", tools.env)
