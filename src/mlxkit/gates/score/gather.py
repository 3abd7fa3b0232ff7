"""Gathers what is on record of a commit: verdicts, workflows, runs, experiments, tags, the log."""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import ProjectError
from mlxkit.experiments.refs import list_experiments
from mlxkit.gates.evaluate import Rule
from mlxkit.gates.keep import Place, newest, records
from mlxkit.gates.score.evidence import Evidence, Kept
from mlxkit.gates.score.workflows import FOLDER, read_workflows
from mlxkit.gates.subject import Revision, Revisions
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of, project_records
from mlxkit.runs.record import canonical, digest
from mlxkit.tools import git

_TAG = re.compile(r"(?P<model>.+)#(?P<stage>[^#]+)#[0-9]+\Z")
_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py\Z")


def gather(session: Session, rev: str) -> Evidence:
    """Return the evidence of a commit; raises UsageError, ProjectError, MlxError."""
    git_root = session.git_root
    if git_root is None:
        raise ProjectError("without Git nothing is on record", hint="run: git init")
    revisions = Revisions(session)
    subject = revisions.judged(rev)
    assert subject.commit is not None
    gates = revisions.settings(subject)["gates"]
    place = Place(git_root, project_of(session.root, git_root))
    files = git.list_files(git_root, subject.commit)
    return Evidence(
        subject.commit,
        list(_kept(place, subject.commit, gates)),
        read_workflows(_content(git_root, files, _workflows(files))),
        _whole_run(session, git_root, subject),
        len(list_experiments(git_root)),
        _tested(git_root, files, subject, place.project),
        _promoted(git_root),
        bool(log.entries(git_root, lambda event: event.kind == Kind.ROLLED_BACK, 1)),
    )


def _kept(place: Place, commit: str, gates: Mapping[str, Sequence[Rule]]) -> Iterator[Kept]:
    """Yield the rules whose kind passed in the newest verdict of the gate as it is there."""
    known = records(place)
    for gate, rules in gates.items():
        record = newest(known, "verdict", commit, gate)
        if record is None or record.what.get("rules") != digest(canonical(list(rules))):
            continue
        told = [one for one in record.what.get("verdicts", ()) if isinstance(one, Mapping)]
        for rule in rules:
            ((kind, settings),) = rule.items()
            own = [one for one in told if one.get("rule") == kind]
            passed = [one for one in own if one.get("verdict") == "pass"]
            if passed and all(one.get("verdict") in ("pass", "skipped") for one in own):
                parts = frozenset(str(one.get("what")) for one in passed)
                yield Kept(gate, kind, settings, parts)


def _workflows(files: Mapping[str, str]) -> list[str]:
    return [
        one for one in files
        if posixpath.dirname(one) == FOLDER and one.endswith((".yml", ".yaml"))
    ]  # fmt: skip


def _content(git_root: str, files: Mapping[str, str], paths: Sequence[str]) -> dict[str, bytes]:
    data = git.read_objects(git_root, [files[one] for one in paths])
    return {path: data[files[path]] for path in paths}


def _whole_run(session: Session, git_root: str, subject: Revision) -> bool:
    """Tell whether run records have all that the stages of the commit wrote."""
    made = {out.md5 for one in project_records(session.root, git_root).values() for out in one.outs}
    wanted = subject.made()
    return bool(wanted) and all(md5 is not None and md5 in made for md5 in wanted)


def _tested(git_root: str, files: Mapping[str, str], subject: Revision, project: str) -> bool:
    """Tell whether test files name every Python file that a stage depends on."""
    code = {posixpath.splitext(posixpath.basename(one))[0] for one in subject.code()}
    tests = [one for one in files if _TEST.search(one) and _inside(one, project)]
    if not code or not tests:
        return False
    data = b"\n".join(_content(git_root, files, tests).values())
    return all(re.search(rb"\b" + re.escape(os.fsencode(one)) + rb"\b", data) for one in code)


def _inside(path: str, project: str) -> bool:
    return not project or path.startswith(project.rstrip("/") + "/")


def _promoted(git_root: str) -> dict[str, int]:
    told = git.run(git_root, "for-each-ref", "--format=%(refname:strip=2)", "refs/tags")
    found: dict[str, set[str]] = {}
    for line in os.fsdecode(told).splitlines():
        tag: Any = _TAG.match(line)
        if tag:
            found.setdefault(tag["model"], set()).add(tag["stage"].lstrip("!"))
    return {model: len(stages) for model, stages in found.items()}
