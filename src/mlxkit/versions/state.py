"""What the tags come to: models, their versions, who is in which stage. Pure; as GTO reads them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mlxkit.versions.grammar import Version
from mlxkit.versions.tags import Event


class Registered(NamedTuple):
    """A version. `name` is as in its tag, `v1.2.0`; `active` unless it was taken back.

    `event` is the tag that registered it.
    """

    name: str
    commit: str
    event: Event
    active: bool = True

    @property
    def version(self) -> Version:
        """Return it for comparing."""
        return Version(self.name)


class Assigned(NamedTuple):
    """A commit that is in a stage; `version` is None where nothing is registered there."""

    stage: str
    commit: str
    event: Event
    version: str | None

    @property
    def shown(self) -> str:
        """Return its version, else the beginning of the commit."""
        return self.version or self.commit[:7]


class Model(NamedTuple):
    """A model: versions with the greatest first, what is in each stage, and all events in order."""

    name: str
    versions: Sequence[Registered]
    stages: Mapping[str, Assigned]
    events: Sequence[Event]
    deprecated: bool = False

    @property
    def active(self) -> list[Registered]:
        """Return the versions that were not taken back."""
        return [one for one in self.versions if one.active]

    @property
    def latest(self) -> Registered | None:
        """Return the greatest version, as GTO does; a candidate is less than its release."""
        return next(iter(self.active), None)

    def at(self, commit: str) -> Registered | None:
        """Return the version that is registered at a commit."""
        return next((one for one in self.active if one.commit == commit), None)

    def find(self, version: Version) -> Registered | None:
        """Return a version, also one that was taken back."""
        return next((one for one in self.versions if one.name == version.tag), None)

    def stages_of(self, commit: str) -> list[str]:
        """Return the stages that a commit is in now."""
        return [name for name, one in self.stages.items() if one.commit == commit]


def models(events: Iterable[Event]) -> dict[str, Model]:
    """Return the models by name; `events` are in order."""
    groups: dict[str, list[Event]] = {}
    for one in events:
        groups.setdefault(one.meaning.model, []).append(one)
    return {name: _model(name, groups[name]) for name in sorted(groups)}


def _model(name: str, events: Sequence[Event]) -> Model:
    versions = _versions(events)
    stages = _stages(events, versions)
    deprecated = events[-1].meaning.action == "deprecate"
    return Model(name, versions, stages, events, deprecated)


def _versions(events: Iterable[Event]) -> list[Registered]:
    found: dict[tuple[str, str], Registered] = {}
    for event in events:
        action, version = event.meaning.action, event.meaning.version
        if version is None:
            continue
        key = (version, event.commit)
        if action == "register":
            found.setdefault(key, Registered(version, event.commit, event))
            found[key] = found[key]._replace(active=True)
        elif key in found:
            found[key] = found[key]._replace(active=False)
    return sorted(found.values(), key=lambda one: (one.version, one.active, one.event.order),
                  reverse=True)  # fmt: skip


def _stages(events: Iterable[Event], versions: Sequence[Registered]) -> dict[str, Assigned]:
    """Return what is in each stage: the commit assigned last, of those not taken back since."""
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.meaning.stage is not None:
            key = (event.meaning.stage, event.commit)
            last.pop(key, None)  # so that the order is that of the last events
            last[key] = event
    known: dict[str, list[Registered]] = {}
    for one in versions:
        known.setdefault(one.commit, []).append(one)
    found: dict[str, Assigned] = {}
    for (stage, commit), event in last.items():
        here = known.get(commit, [])
        active = [one for one in here if one.active]
        if event.meaning.action == "assign" and (active or not here):
            found[stage] = Assigned(stage, commit, event, active[0].name if active else None)
    return dict(sorted(found.items()))
