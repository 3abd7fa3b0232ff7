"""Gathers what is on record of a commit: verdicts, workflows, runs, experiments, tags, the log."""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlxkit.audit import log
from mlxkit.audit.event import Event, Kind
from mlxkit.core.errors import ProjectError
from mlxkit.data.artifacts import owner
from mlxkit.experiments.refs import list_experiments
from mlxkit.gates.evaluate import Rule
from mlxkit.gates.ledger import Place, newest, records
from mlxkit.gates.revisions import Revisions
from mlxkit.gates.score.evidence import Evidence, Kept
from mlxkit.gates.score.projects import Projects, projects
from mlxkit.gates.score.workflows import FOLDER, read_workflows
from mlxkit.gates.subject import Revision
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of, project_records
from mlxkit.runs.record import canonical, digest
from mlxkit.tools import git
from mlxkit.versions.tags import list_events

_RAN = ("ran", "rebuild")
"""Outcomes of runs; others tell of files that were put there."""
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
    known = projects(place.project, files)
    return Evidence(
        subject.commit,
        list(_kept(place, subject.commit, gates)),
        read_workflows(_content(git_root, files, _workflows(files)), known),
        _whole_run(session, git_root, subject),
        _experiments(git_root, known),
        _tested(git_root, files, subject, known),
        _promoted(git_root, subject.commit, known),
        _rolled_back(git_root, known),
    )


def _kept(place: Place, commit: str, gates: Mapping[str, Sequence[Rule]]) -> Iterator[Kept]:
    """Yield the rules whose kind passed in the newest verdict of the gate as it is there."""
    known = records(place)
    for gate, rules in gates.items():
        record = newest(known, "verdict", commit, gate)
        if record is None or record.what.get("rules") != digest(canonical(list(rules))):
            continue
        yield from passed(gate, rules, record.what["verdicts"])


def passed(gate: str, rules: Sequence[Rule], told: Sequence[Mapping[str, Any]]) -> Iterator[Kept]:
    """Yield the rules that surely passed by these verdicts, which name their kinds; pure.

    Where one of a kind was skipped, it may be any that has a `when`.
    """
    for rule in rules:
        ((kind, settings),) = rule.items()
        own = [one for one in told if one.get("rule") == kind]
        words = {one.get("verdict") for one in own}
        if words == {"pass"} or (words == {"pass", "skipped"} and settings.get("when") is None):
            parts = frozenset(str(one.get("what")) for one in own if one["verdict"] == "pass")
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
    """Tell whether runs on record made all that the stages of the commit wrote."""
    known = project_records(session.root, git_root).values()
    made = {out.md5 for one in known if one.outcome in _RAN for out in one.outs}
    wanted = subject.made()
    return bool(wanted) and all(md5 is not None and md5 in made for md5 in wanted)


def _experiments(git_root: str, known: Projects) -> int:
    """Return how many experiments changed something of the project, and not of others alone."""
    pairs = [f"{one.commit} {one.baseline}\n" for one in list_experiments(git_root)]
    if not pairs:
        return 0
    others = (f":(top,literal,exclude){one}" for one in sorted(known.others))
    try:
        told = git.run(
            git_root, "diff-tree", "--stdin", "--name-only", "--no-renames", "--",
            f":(top,literal){known.own}", *others, stdin="".join(pairs).encode(),
        )  # fmt: skip
    except git.GitError:
        return 0  # nobody knows what they changed: their baselines are not here
    commits = {one.split()[0].encode() for one in pairs}
    return len(commits & set(told.splitlines()))


def _tested(git_root: str, files: Mapping[str, str], subject: Revision, known: Projects) -> bool:
    """Tell whether test files name every Python file that a stage depends on."""
    code = {posixpath.splitext(posixpath.basename(one))[0] for one in subject.code()}
    tests = [one for one in files if _TEST.search(one) and known.has(one)]
    if not code or not tests:
        return False
    data = b"\n".join(_content(git_root, files, tests).values())
    return all(re.search(rb"\b" + re.escape(os.fsencode(one)) + rb"\b", data) for one in code)


def _promoted(git_root: str, commit: str, known: Projects) -> dict[str, int]:
    """Return how many stages each model of the project has been in."""
    found: dict[str, set[str]] = {}
    for event in list_events(git_root).events:
        stage, model = event.meaning.stage, event.meaning.model
        if stage is not None and event.meaning.action == "assign":
            found.setdefault(model, set()).add(stage)
    return {
        model: len(stages)
        for model, stages in found.items()
        if owner(git_root, commit, model, known.own) == known.own
    }


def _rolled_back(git_root: str, known: Projects) -> bool:
    def ours(event: Event) -> bool:
        return event.kind == Kind.ROLLED_BACK and event.what.get("project") == known.own

    return bool(log.entries(git_root, ours, 1))
