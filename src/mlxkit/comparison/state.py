"""The state of a revision as plain data, in DVC's terms."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Trouble(NamedTuple):
    """Why something could not be read: the error's type as DVC calls it, and its text."""

    type: str
    msg: str


class FileValues(NamedTuple):
    """What a parameter or metrics file says, or why it could not be read."""

    values: Any = None
    error: Trouble | None = None


class Dependency(NamedTuple):
    """What is recorded of a dependency; None where nothing is."""

    hash: str | None
    size: int | None = None
    nfiles: int | None = None


class Output(NamedTuple):
    """What is recorded of an output that is neither metric nor plot."""

    hash: str | None
    size: int | None = None
    nfiles: int | None = None
    use_cache: bool = True
    is_data_source: bool = False


class State(NamedTuple):
    """A revision: paths are relative to the project's root, in the order in which DVC lists them.

    `rev` is a commit's id, or `workspace`; `timestamp` the commit's time, seconds since 1970.
    """

    rev: str
    timestamp: int | None = None
    params: Mapping[str, FileValues] = {}
    metrics: Mapping[str, FileValues] = {}
    deps: Mapping[str, Dependency] = {}
    outs: Mapping[str, Output] = {}
