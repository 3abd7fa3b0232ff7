"""All that is on record of one version, gathered as plain data for `show` and `card`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mlxkit.attest import check
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.data.artifacts import artifact_at
from mlxkit.data.history.revision import Revisions
from mlxkit.gates.ledger import Kept, Place, newest, records
from mlxkit.gates.override import Override, checked, in_force
from mlxkit.lineage.answer import Answer, Producer
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked, answer
from mlxkit.lineage.recorded import recipe_ids_at, recorded_at
from mlxkit.metrics.slices import is_named_so, judged_files
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Content
from mlxkit.registry.metrics import Files, measured, metrics_of
from mlxkit.registry.recorded import content_of, require_own
from mlxkit.registry.signed import signature
from mlxkit.settings.load import FILE, settings_of
from mlxkit.versions.find import Chosen


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
    recipes: Collection[int] | None
    """What that was asked by: those of its commit, None for all of history."""
    made: Producer | None
    params: Files
    metrics: Files
    """Of files that were made of it, then (`own`) of what its own stage reported, or led to."""
    own: Sequence[str]
    sliced: Collection[str]
    """Which metrics files hold slices: by their name, or because a rule of a gate says so."""
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
        troubles.append(f"{error} ({error.hint})" if error.hint else str(error))
    folder = require_own(session, chosen)
    found, recipes = _lineage(index, chosen, content, folder)
    metrics, own = metrics_of(
        session, chosen.commit, *measured(index, found, recipes), folder, troubles
    )
    made = _producer(found)
    settings = _settings(session, revisions, chosen, troubles)
    gates = _gates(session.git_root, folder, chosen.commit)
    return About(
        chosen=chosen,
        content=content,
        desc=_described(revisions, chosen, folder, troubles),
        signature=signature(session.git_root, chosen.version.event) if chosen.version else "",
        lineage=found,
        recipes=recipes,
        made=made,
        params=_params(found, made),
        metrics=metrics,
        own=own,
        sliced=judged_files(settings.get("gates", {})) | set(filter(is_named_so, metrics)),
        gates=gates,
        attested=_attested(index, found, chosen.commit),
        said=_said(settings, chosen),
        troubles=[one for one in troubles if one],
    )


def _described(revisions: Revisions, chosen: Chosen, folder: str, troubles: list[str]) -> str:
    tree = revisions.tree(chosen.commit)
    try:
        known = artifact_at(tree, chosen.model.name, folder, revisions.declared)
    except MlxError as error:
        troubles.append(str(error))
        return ""
    return known.desc if known else ""


def _lineage(
    index: Index, chosen: Chosen, content: Content | None, folder: str
) -> tuple[Answer | None, Collection[int] | None]:
    """Return how its commit says that it came to be, and by which recipes.

    The same bytes may have been made in other ways, too. Those count, without recipes, only where
    the commit says nothing of them.
    """
    if content is None:
        return None, None
    path = f"{folder}/{content.path}" if folder else content.path
    asked = recorded_at(index, chosen.commit, path)  # which knows of the folder that it may be in
    if asked is None or asked.md5 != content.md5:
        asked = Asked(content.md5, path, content.size)
    asked = asked._replace(commit=chosen.commit)
    recipes = recipe_ids_at(index, chosen.commit)
    found = answer(index, asked, recipes=recipes)
    if found.producers or found.downstream():
        return found, recipes
    return answer(index, asked), None


def _producer(found: Answer | None) -> Producer | None:
    """Return how it came to be, by a run on record where there is one."""
    made = [one for one in found.producers if one.cmd is not None] if found is not None else []
    return next((one for one in made if one.run is not None), next(iter(made), None))


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


def _gates(git_root: str, folder: str, commit: str) -> dict[str, Gate]:
    place = Place(git_root, folder)
    known = [one for one in records(place) if one.commit == commit]
    found = {}
    for name in sorted({one.gate for one in known}):
        verdict = newest(known, "verdict", commit, name)
        if verdict is not None:
            through = None if verdict.what.get("passed") else in_force(known, commit, name)
            sure = through is not None and not checked(place, known, through, ()).doubt
            found[name] = Gate(verdict, through if sure else None)
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


def _settings(
    session: Session, revisions: Revisions, chosen: Chosen, troubles: list[str]
) -> Mapping[str, Any]:
    """Return what mlx.yaml says at the version's commit; nothing where it is invalid."""
    tree = revisions.tree(chosen.commit)
    if FILE not in tree.files:
        return {}
    try:
        return settings_of(tree.content(FILE), f"{chosen.commit[:7]}:{FILE}", session.root)
    except MlxError as error:
        troubles.append(str(error))
        return {}


def _said(settings: Mapping[str, Any], chosen: Chosen) -> Mapping[str, Any]:
    known = settings.get("models", {})
    name = chosen.model.name
    found = known.get(name) or known.get(name.rpartition(":")[2]) or {}
    return {key: value for key, value in found.items() if value}
