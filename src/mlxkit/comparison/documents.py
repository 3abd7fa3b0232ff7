"""Metrics or parameters of several revisions, as the document that DVC makes of them."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.comparison.revisions import Revision
from mlxkit.comparison.source import Source
from mlxkit.comparison.state import FileValues, State, Trouble
from mlxkit.comparison.states import NO_PROJECT, WORKSPACE, NoProject, States
from mlxkit.core.errors import MlxError

Values = Mapping[str, FileValues]


class Asked(NamedTuple):
    """What is asked of revisions: of the working tree always, of a commit if its state lacks it."""

    of_source: Callable[[Source], Values]
    of_state: Callable[[State], Values] | None = None


def read(
    states: States, revisions: Sequence[Revision], asked: Asked
) -> dict[str, Values | Trouble]:
    """Return what each revision says, by its name.

    Commits from before the project are left out.
    """
    commits = [one.commit for one in revisions if one.commit is not None]
    known: Mapping[str, State | Trouble] = {}
    if asked.of_state is not None:
        known = states.at(commits)
    else:
        states.load(commits)
    found: dict[str, Values | Trouble] = {}
    for name, commit in revisions:
        if asked.of_state is None or commit is None:
            told = _ask(states, commit, asked.of_source)
        else:
            state = known[commit]
            told = state if isinstance(state, Trouble) else asked.of_state(state)
        if not (isinstance(told, Trouble) and told.type == NO_PROJECT):
            found[name] = told
    return found


def document(found: Mapping[str, Values | Trouble], root: str) -> dict[str, Any]:
    """Return what was read as DVC's JSON; paths are relative to the current folder."""
    return {
        name: {"error": told._asdict()}
        if isinstance(told, Trouble)
        else {"data": {shown(path, root): _file(one) for path, one in told.items()}}
        for name, told in found.items()
    }


def plain_values(told: Values | Trouble | None) -> dict[str, Any]:
    """Return the values by file of what could be read."""
    if told is None or isinstance(told, Trouble):
        return {}
    return {path: one.values for path, one in told.items() if one.error is None}


def is_unread(told: Values | Trouble | None, path: str) -> bool:
    """Tell whether a file is there but cannot be read."""
    if told is None or isinstance(told, Trouble):
        return told is not None
    return path in told and told[path].error is not None


def troubles(name: str, told: Values | Trouble | None) -> list[str]:
    """Return what could not be read of a revision, a line each: `REV:PATH: why`."""
    short = short_name(name)
    if isinstance(told, Trouble):
        return [f"nothing of {short} could be read: {told.msg}"]
    errors = [one.error for one in (told or {}).values() if one.error is not None]
    start = f"{short}:" if name not in ("", WORKSPACE) else ""
    return [f"{start}{one.msg}" for one in errors]


def short_name(name: str) -> str:
    """Shorten a commit's id; other names of revisions stay."""
    is_id = len(name) in (40, 64) and set(name) <= set("0123456789abcdef")
    return name[:7] if is_id else name


def shown(path: str, root: str) -> str:
    """Return a path of the project as it is named from the current folder."""
    return os.path.relpath(os.path.join(root, path))


def without_workspace(
    found: Mapping[str, Values | Trouble], branch: str | None
) -> dict[str, Values | Trouble]:
    """Leave the working tree out where it says the same as the branch that is checked out."""
    hide = WORKSPACE in found and found.get(branch or "") == found[WORKSPACE]
    return {name: told for name, told in found.items() if not (hide and name == WORKSPACE)}


def _ask(states: States, commit: str | None, ask: Callable[[Source], Values]) -> Values | Trouble:
    try:
        return ask(states.source(WORKSPACE if commit is None else commit))
    except NoProject as error:
        return Trouble(NO_PROJECT, error.message)
    except MlxError as error:
        return Trouble(type(error).__name__, str(error))


def _file(one: FileValues) -> dict[str, Any]:
    if one.error is not None:
        return {"error": one.error._asdict()}
    return {"data": one.values}
