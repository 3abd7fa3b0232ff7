"""Metrics and parameters of random histories: the documents are dvc's."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from dvc.utils.serialize import encode_exception
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.measured import METRICS, PARAMS, Version, lay_out, versions
from tests.support.project import Project
from tests.support.tools import Tools

from mlxkit.comparison.asking import ask_metrics, ask_params, compare, show_all
from mlxkit.comparison.documents import document
from mlxkit.pipeline.session import Session
from mlxkit.project import open_project

PAIRS = [("HEAD", "workspace"), ("HEAD~1", "HEAD"), ("HEAD", "HEAD~1"), ("first", "workspace")]
PHASES = [Phase.generate]  # to make failing examples smaller takes minutes
Make = Callable[[], Project]


@pytest.fixture(scope="module")
def make(tools: Tools, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Make a project and go there, in the environment of the tests' own tools."""
    patch = pytest.MonkeyPatch()
    for name, text in tools.env.items():
        patch.setenv(name, text)
    folder = tmp_path_factory.mktemp("measured")

    def new() -> Project:
        project = Project.copy(template, folder / str(len(os.listdir(folder))), tools)
        patch.chdir(project.root)
        return project

    yield new
    patch.undo()


@pytest.mark.parametrize("examples", [12, pytest.param(400, marks=pytest.mark.long)])
def test_documents_of_random_histories_are_those_of_dvc(examples: int, make: Make) -> None:
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(versions(), st.sampled_from(PAIRS), st.booleans())
    def check(history: list[Version], pair: tuple[str, str], unchanged: bool) -> None:
        project = make()
        _commit(project, history)
        with Repo() as repo:
            session = open_project(say=lambda _: None)
            _same_shows(repo, session)
            _same_differences(repo, session, *pair, unchanged)

    check()


def _commit(project: Project, history: list[Version]) -> None:
    """Commit all versions but the last, which is the working tree."""
    for number, version in enumerate(history):
        lay_out(project.root, version)
        project.write("number", str(number))
        if number < len(history) - 1 or len(history) == 1:
            project.tools.commit(project.root, str(number))
        if number == 0:
            project.git("tag", "first")


def _same_shows(repo: Repo, session: Session) -> None:
    _same(repo.metrics.show(all_commits=True), show_all(session, ask_metrics(), commits=True).found)
    _same(repo.params.show(all_commits=True), show_all(session, ask_params(), commits=True).found)
    ask = ask_params(deps_only=True)
    _same(repo.params.show(deps_only=True), show_all(session, ask).found)


def _same_differences(repo: Repo, session: Session, old: str, new: str, unchanged: bool) -> None:
    for ask, diff in ((ask_metrics(), repo.metrics.diff), (ask_params(), repo.params.diff)):
        expected = diff(old, new, all=unchanged)
        actual = compare(session, ask, old, new, unchanged=unchanged)
        assert _sorted(actual.changes) == _sorted(expected.get("diff", {}))
        assert bool(actual.warnings) == any(expected.get("errors", {}).values())
    for ask, diff, paths in (
        (ask_metrics(METRICS[:3]), repo.metrics.diff, METRICS[:3]),
        (ask_params(PARAMS[:2]), repo.params.diff, PARAMS[:2]),
    ):
        expected = diff(old, new, targets=paths).get("diff", {})
        assert _sorted(compare(session, ask, old, new).changes) == _sorted(expected)


def _same(expected: dict[str, Any], found: Any) -> None:
    told = json.loads(json.dumps(expected, default=encode_exception))
    ours = json.loads(json.dumps(document(found, os.getcwd())))
    assert _sorted(_without_texts(ours)) == _sorted(_without_texts(told))


def _without_texts(document: dict[str, Any]) -> dict[str, Any]:
    """Leave of an error its type; of a revision's, that there is one."""
    found: dict[str, Any] = {}
    for revision, told in document.items():
        files = told.get("data", "an error")
        found[revision] = files
        if isinstance(files, dict):
            found[revision] = {
                path: one.get("data", one.get("error", {}).get("type"))
                for path, one in files.items()
            }
    return found


def _sorted(value: Any) -> str:
    """Return a document as text: of numbers that are none, each equals itself there."""
    return json.dumps(value, sort_keys=True, indent=1)
