"""Shared fixtures: isolated commands and quick new projects."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The helpers are imported as `tests.support`; importlib mode leaves the root off the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.commands import isolated_env
from tests.support.long import mark_long
from tests.support.project import Build, CopyOf, Project, make_template
from tests.support.tools import Tools
from tests.support.warm import Warm

# Started in the background, a shell has us ignore Ctrl-C, and so would every command under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time: what fails once can be looked at again.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make test-long` what is one more of many alike."""
    mark_long(items)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """Commands in one isolated environment for the whole session of this worker."""
    env = isolated_env(tmp_path_factory.mktemp("home"))
    warm = Warm(env)
    yield Tools(env, warm, cold=bool(os.environ.get("COLD")))
    warm.close()


@pytest.fixture(scope="session")
def template(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Git and DVC project with one commit; copied, never changed."""
    return make_template(tools, tmp_path_factory.mktemp("template"))


@pytest.fixture
def new_project(tools: Tools, template: Path, tmp_path: Path) -> Callable[..., Project]:
    """Make a project from the template: `new_project("name")`."""

    def make(name: str = "project") -> Project:
        return Project.copy(template, tmp_path / name, tools)

    return make


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    """One new project."""
    return new_project()


@pytest.fixture(scope="session")
def built(
    template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Build], Path]:
    """Build a project once, however many tests begin with it; copied, never changed."""
    known: dict[Build, Path] = {}

    def root_of(build: Build) -> Path:
        if build not in known:
            folder = tmp_path_factory.mktemp("built") / "project"
            build(Project.copy(template, folder, tools))
            known[build] = folder
        return known[build]

    return root_of


@pytest.fixture
def copy_of(built: Callable[[Build], Path], tools: Tools, tmp_path: Path) -> CopyOf:
    """A copy of what a function makes of a new project: `copy_of(build)`."""
    return lambda build: Project.copy(built(build), tmp_path / "project", tools)
