"""What rules look at: the metrics of one revision, others to compare with, what is preferred."""

import difflib
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from mlxkit.core.progress import SILENT, Progress
from mlxkit.gates.verdict import Unjudged, finite
from mlxkit.metrics.preferences import Preference, preference_of
from mlxkit.pipeline.session import Session
from mlxkit.runs.prices import Prices


class File(NamedTuple):
    """What a metrics file says, as it is written, and the md5 of its bytes."""

    values: Any
    md5: str


class Data(NamedTuple):
    """Recorded data on disk, to be read only: an absolute path, and the md5 as a lock has it."""

    path: str
    md5: str
    is_dir: bool = False


class Subject(Protocol):
    """One revision: `name` is what people call it; the working tree has no `commit`."""

    name: str
    commit: str | None

    @property
    def basis(self) -> str | None:
        """Return its commit; of the working tree the one that it was checked out from."""

    def changed_since(self, other: Any) -> set[str]:
        """Return the paths, of Git and of recorded outputs, that differ from another's."""

    def digests(self) -> Mapping[str, str | None]:
        """Return what is recorded of all outputs and data: md5 by path."""

    def place(self, path: str) -> str:
        """Return how people call one of its files."""

    def key(self, path: str) -> str:
        """Return the name of one of its files as evidence."""

    def files(self) -> Sequence[str]:
        """Return the metrics files that it declares."""

    def read(self, path: str) -> File:
        """Return one of them; raises Unjudged for what cannot be read."""

    def data(self, path: str) -> Data:
        """Return a recorded file or folder; raises Unjudged, MlxError where it is not here."""


class Occasion(NamedTuple):
    """Why and where a gate runs; `branch` is None where that is not known."""

    branch: str | None
    event: str


class Found(NamedTuple):
    """A metric's value, and where it stands."""

    value: float
    file: str
    key: str
    evidence: Mapping[str, str]


def _none(gate: str, path: str) -> None:
    """Nothing was accepted yet."""


class Context(NamedTuple):
    """All that a rule may ask. `base` takes the place of a rule's `against`, if given."""

    subject: Subject
    at: Callable[[str], Subject]
    preferences: Mapping[str, Preference]
    base: str | None = None
    gate: Sequence[Mapping[str, Mapping[str, Any]]] = ()
    """All rules of the gate."""
    session: Session | None = None
    """The project, for rules that look further than at files."""
    name: str = ""
    """The gate's."""
    accepted: Callable[[str, str], Subject | None] = _none
    """Returns, for a gate and a path, the last revision before that the gate let pass."""
    occasion: Callable[[], Occasion] = lambda: Occasion(None, "local")
    prices: Prices | None = None
    """Those of the revision that is judged."""
    progress: Progress = SILENT
    """Told by rules that take long."""

    def against(self, settings: Mapping[str, Any]) -> Subject:
        """Return the revision that a rule compares with; raises Unjudged."""
        return self.at(self.base or settings["against"])

    def is_itself(self, base: Subject, evidence: Mapping[str, str]) -> bool:
        """Tell whether a base is the very commit that is judged: then nothing was compared.

        The working tree is its HEAD where all that was read of it is as it is there.
        """
        pairs = [(md5, evidence[key]) for path, md5 in evidence.items()
                 if (key := base.key(path)) in evidence]  # fmt: skip
        same = bool(pairs) and all(ours == theirs for ours, theirs in pairs)
        return same and base.commit is not None and base.commit == self.subject.basis

    def better(self, settings: Mapping[str, Any], key: str) -> int:
        """Return 1 where higher is better, -1 where lower is; raises Unjudged where none knows."""
        told = settings.get("better") or preference_of(key, self.preferences).better
        if told is None:
            raise Unjudged(
                f"which direction of {key} is good is not known: "
                f"add to mlx.yaml: metrics: {{{key.rpartition('.')[2]}: {{better: higher}}}}"
            )
        return 1 if told == "higher" else -1


def find(subject: Subject, name: str) -> Found:
    """Return the metric of that name, `FILE:key` or a key; raises Unjudged, never guesses."""
    path, colon, key = name.rpartition(":")
    if colon:
        return value_in(subject, posixpath.normpath(path), key)
    having = [path for path in subject.files() if _has(subject.read(path).values, key)]
    if not having:
        raise Unjudged(f"no metrics file of {subject.name} has '{key}'")
    if len(having) > 1:
        some = ", ".join(having[:3]) + (", ..." if len(having) > 3 else "")
        raise Unjudged(f"'{key}' is in {len(having)} metrics files: say which, FILE:{key} ({some})")
    return value_in(subject, having[0], key)


def value_in(subject: Subject, path: str, key: str) -> Found:
    """Return the number that a metrics file has under a dotted key; raises Unjudged."""
    file = read(subject, path)
    evidence, place = {subject.key(path): file.md5}, subject.place(path)
    found = list(_values(file.values, key))
    if not found:
        raise Unjudged(f"{place} has no '{key}'{_near(key, _keys(file.values))}", evidence)
    if len(found) > 1:
        raise Unjudged(f"{place} has '{key}' twice", evidence)
    wrong = finite(found[0])
    if wrong:
        raise Unjudged(f"{key} {wrong} ({place})", evidence)
    return Found(found[0], path, key, evidence)


def read(subject: Subject, path: str) -> File:
    """Return a metrics file that the revision declares; raises Unjudged."""
    path = posixpath.normpath(path)
    if path not in subject.files():
        raise Unjudged(f"{subject.name} has no metrics file {path}{_near(path, subject.files())}")
    return subject.read(path)


def matching(subject: Subject, pattern: str) -> list[str]:
    """Return the metrics files whose paths fit a pattern."""
    wanted = posixpath.normpath(pattern)
    return sorted(one for one in subject.files() if fnmatchcase(one, wanted))


def _near(name: str, known: Iterable[str]) -> str:
    """Ask for the name that is most like a wrong one."""
    found = difflib.get_close_matches(name, known, n=1)
    return f": did you mean '{found[0]}'?" if found else ""


def _keys(values: Any, above: str = "") -> Iterator[str]:
    """Yield the dotted keys of a metrics file's values."""
    for name, inner in values.items() if isinstance(values, Mapping) else ():
        if isinstance(inner, Mapping):
            yield from _keys(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _has(values: Any, key: str) -> bool:
    return any(True for _ in _values(values, key))


def _values(values: Any, key: str) -> Iterator[Any]:
    """Find a dotted key; parts of it may have dots of their own."""
    if not isinstance(values, Mapping):
        return
    for name, inner in ((str(one), inner) for one, inner in values.items()):
        if name == key:
            yield inner
        elif key.startswith(name + "."):
            yield from _values(inner, key[len(name) + 1 :])
