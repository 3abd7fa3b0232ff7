"""All that is on record of one version, gathered as plain data for `show` and `card`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mlxkit.attest import check
from mlxkit.comparison.state import Trouble
from mlxkit.comparison.states import States
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.data.history.revision import Revisions
from mlxkit.gates.keep import Kept, Place, newest, records
from mlxkit.gates.override import Override, in_force
from mlxkit.lineage.answer import Answer, Producer
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked, answer
from mlxkit.lineage.recorded import recorded_at
from mlxkit.metrics.load import keep_metrics
from mlxkit.pipeline.session import Session
from mlxkit.registry.artifacts import artifact_at
from mlxkit.registry.content import Content
from mlxkit.registry.held import content_of
from mlxkit.registry.signed import signature
from mlxkit.runs.choose import project_of
from mlxkit.settings.load import FILE, settings_of
from mlxkit.versions.find import Chosen

Files = Mapping[str, Mapping[str, Any]]


class Gate(NamedTuple):
    """A gate's newest verdict at the version's commit, and who let it through."""

    verdict: Kept
    override: Override | None = None


class Attested(NamedTuple):
    """An attestation on record that is about the version; `ok` None where nobody can tell."""

    id: str
    ok: bool | None
    signers: Sequence[str] = ()
    why: str = ""


class About(NamedTuple):
    """A version; `troubles` say what could not be found out, and why."""

    chosen: Chosen
    content: Content | None
    desc: str
    signature: str
    lineage: Answer | None
    made: Producer | None
    params: Files
    metrics: Files
    gates: Mapping[str, Gate]
    attested: Sequence[Attested]
    said: Mapping[str, Any]
    """What `models` in the commit's mlx.yaml says of it."""
    troubles: Sequence[str]

    @property
    def stages(self) -> list[str]:
        """Return the stages that it is in now."""
        return self.chosen.model.stages_of(self.chosen.commit)


def about(session: Session, index: Index, chosen: Chosen) -> About:
    """Gather what is known; raises MlxError where Git cannot be read."""
    assert session.git_root is not None
    revisions = Revisions(session)
    troubles = [chosen.version.event.trouble] if chosen.version else []
    content = None
    try:
        content = content_of(session, revisions, chosen)
    except MlxError as error:
        troubles.append(str(error))
    folder = project_of(session.root, session.git_root)
    declared = artifact_at(revisions.tree(chosen.commit), chosen.model.name, folder)
    found = _lineage(index, chosen, content, folder)
    made = _producer(found, chosen)
    gates = _gates(session.git_root, folder, chosen.commit)
    return About(
        chosen=chosen,
        content=content,
        desc=declared.desc if declared else "",
        signature=signature(session.git_root, chosen.version.event) if chosen.version else "",
        lineage=found,
        made=made,
        params=_params(found, made),
        metrics=_metrics(session, chosen.commit, found, folder, troubles),
        gates=gates,
        attested=_attested(index, found, chosen.commit),
        said=_said(session, revisions, chosen, troubles),
        troubles=[one for one in troubles if one],
    )


def _lineage(index: Index, chosen: Chosen, content: Content | None, folder: str) -> Answer | None:
    if content is None:
        return None
    path = f"{folder}/{content.path}" if folder else content.path
    asked = recorded_at(index, chosen.commit, path)  # which knows of the folder that it may be in
    if asked is None or asked.md5 != content.md5:
        asked = Asked(content.md5, path, content.size)
    return answer(index, asked._replace(commit=chosen.commit))


def _producer(found: Answer | None, chosen: Chosen) -> Producer | None:
    """Return how it came to be: at its commit, else as its history knows best."""
    if found is None:
        return None
    here = (one for one in found.producers if one.commit == chosen.commit)
    return next(here, next((one for one in found.producers if one.stage), None))


def _params(found: Answer | None, made: Producer | None) -> Files:
    """Return the parameters of the stages that led to it, by file."""
    merged: dict[str, dict[str, Any]] = {}
    if found is not None:
        for node in found.upstream():
            for file, values in node.params.items():
                merged.setdefault(file, {}).update(values)
    for file, values in (made.params if made is not None else {}).items():
        merged.setdefault(file, {}).update(values)
    return merged


def _metrics(
    session: Session, commit: str, found: Answer | None, folder: str, troubles: list[str]
) -> Files:
    """Return the commit's metrics files that were made from the version."""
    if found is None:
        return {}
    state = States(session).at([commit])[commit]
    if isinstance(state, Trouble):
        troubles.append(state.msg)
        return {}
    prefix = f"{folder}/" if folder else ""
    after = {path.removeprefix(prefix) for node in found.downstream() for path in node.paths}
    kept = {}
    for path, file in state.metrics.items():
        if path not in after:
            continue
        if file.error is not None:
            troubles.append(f"{path}: {file.error.msg}")
            continue
        values = keep_metrics(file.values)
        if isinstance(values, Mapping):
            kept[path] = values
    return kept


def _gates(git_root: str, folder: str, commit: str) -> dict[str, Gate]:
    known = [one for one in records(Place(git_root, folder)) if one.commit == commit]
    found = {}
    for name in sorted({one.gate for one in known}):
        verdict = newest(known, "verdict", commit, name)
        if verdict is not None:
            through = None if verdict.what.get("passed") else in_force(known, commit, name)
            found[name] = Gate(verdict, through)
    return found


def _attested(index: Index, found: Answer | None, commit: str) -> list[Attested]:
    if found is None:
        return []
    what = f"{commit}:{found.artifact.path}"
    try:
        verdicts = check.verify(index, what, now=datetime.now(UTC))
    except (UsageError, ProjectError) as error:
        number = len(check.on_record(index, Asked(found.artifact.md5)))
        return [Attested("", None, (), error.message)] * number
    return [
        Attested(
            one.id, one.ok, tuple(each.who for each in one.signers),
            "; ".join(each.why for each in one.problems),
        )
        for one in verdicts
        if one.id
    ]  # fmt: skip


def _said(
    session: Session, revisions: Revisions, chosen: Chosen, troubles: list[str]
) -> Mapping[str, Any]:
    tree = revisions.tree(chosen.commit)
    if FILE not in tree.files:
        return {}
    try:
        told = settings_of(tree.content(FILE), f"{chosen.commit[:7]}:{FILE}", session.root)
    except MlxError as error:
        troubles.append(str(error))
        return {}
    known = told["models"]
    name = chosen.model.name
    found = known.get(name) or known.get(name.rpartition(":")[2]) or {}
    return {key: value for key, value in found.items() if value}
