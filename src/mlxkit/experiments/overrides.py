"""`-S` and `--sweep`: which parameter files each run has, made by DVC's own writers."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.core.files import scratch_folder
from mlxkit.experiments.sweep import Sweep, parse_sweep
from mlxkit.pipeline.spec import DEFAULT_PARAMS, inside
from mlxkit.tools import dvc_overrides

Texts = dict[str, list[str]]
"""Changes in Hydra's grammar by parameter file, as the user names it."""

_USUAL_LIMIT = 1000


class Variant(NamedTuple):
    """What one run changes: texts by file, the values by file and key, and the files' bytes."""

    texts: Texts
    values: dict[str, dict[str, Any]]
    files: dict[str, bytes]
    """By path from the top of the Git repository."""


class Hydra(NamedTuple):
    """Where parameters are composed by Hydra: the project's root, and DVC's configuration of it."""

    root: str
    config: Mapping[str, Any]


def choose_texts(settings: Sequence[str], sweeps: Sequence[str], limit: int | None) -> list[Texts]:
    """Return the changes of each run that is asked for, in order, each once.

    Several sweeps are alternatives: their runs are added up; values that `-S` names are combined
    with each. Raises UsageError for wrong grammar, no runs, and more than 1,000 without `limit`.
    """
    alternatives = [parse_sweep(text) for text in sweeps] or [Sweep()]
    fixed = dvc_overrides.group(settings)
    times = 1
    for texts in fixed.values():
        for one in dvc_overrides.parse(texts):
            times *= one.values
    _check_count(times * sum(one.count for one in alternatives), limit)
    found = []
    for base in _fixed(fixed):
        for sweep in alternatives:
            for combination in sweep.combinations():
                found.append(_joined(base, dvc_overrides.group(combination)))
    return found


def make_variants(
    texts: Iterable[Texts],
    git_root: str,
    hydra: Hydra | None,
    common: Mapping[str, bytes],
    read: dict[str, bytes] | None = None,
) -> list[Variant]:
    """Write each run's parameter files, from those in the working tree; runs that are equal once.

    All runs have the files `common` besides. `read` are parameter files that are known already;
    others that are read are added to it. Raises UsageError for a key that is not there, and for a
    file that is not, or lies elsewhere.
    """
    found: dict[str, Variant] = {}
    read = {} if read is None else read
    with scratch_folder("mlx-params-") as scratch:
        for asked in texts:
            one = asked if hydra is None else {DEFAULT_PARAMS: [], **asked}
            files = dict(common)
            for file, changes in one.items():
                path = _place(file, git_root, composed=hydra is not None)
                copy = os.path.join(scratch, os.path.basename(path))
                if hydra is not None and file == DEFAULT_PARAMS:
                    dvc_overrides.compose(copy, hydra.root, hydra.config, changes)
                else:
                    if path not in read:
                        read[path] = _bytes(os.path.join(git_root, path))
                    with open(copy, "wb") as target:
                        target.write(read[path])
                    dvc_overrides.apply(copy, changes, file)
                files[path] = _bytes(copy)
            values = {file: _values(changes) for file, changes in one.items() if changes}
            variant = Variant(one, values, files)
            found.setdefault(files_digest(files), variant)
    return list(found.values())


def files_digest(files: Mapping[str, bytes]) -> str:
    """Identify files by their paths and bytes."""
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        digest.update(os.fsencode(path) + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


def _check_count(count: int, limit: int | None) -> None:
    if count == 0:
        raise UsageError(
            "this sweep has no runs: a list or range in it is empty", hint="give it values"
        )
    most = limit if limit is not None else _USUAL_LIMIT
    if count > most:
        raise UsageError(
            f"this sweep has {count:,} runs, more than {most:,}",
            hint=f"sweep fewer values, or allow it: --limit {count}",
        )


def _fixed(by_file: Texts) -> Iterator[Texts]:
    from itertools import product

    choices = [list(dvc_overrides.expand(texts)) for texts in by_file.values()]
    for chosen in product(*choices):
        yield dict(zip(by_file, chosen, strict=True))


def _joined(one: Texts, other: Texts) -> Texts:
    return {file: [*one.get(file, ()), *other.get(file, ())] for file in {**one, **other}}


def _place(file: str, git_root: str, *, composed: bool) -> str:
    full = os.path.abspath(file)
    if not inside(os.path.realpath(full), os.path.realpath(git_root)):
        raise UsageError(
            f"parameter file {file} lies outside of the Git repository", hint="name one inside"
        )
    if not os.path.isfile(full) and not composed:
        raise UsageError(
            f"there is no parameter file {file}", hint="name it before the key: FILE:KEY=VALUE"
        )
    return os.path.relpath(os.path.realpath(full), os.path.realpath(git_root))


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _values(changes: Sequence[str]) -> dict[str, Any]:
    """Return the values by key; None for a key that is taken out."""
    return {one.key: None if one.deletes else one.value for one in dvc_overrides.parse(changes)}
