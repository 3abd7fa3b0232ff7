"""What tracing and linting find, as plain data."""

from typing import NamedTuple

UNDECLARED_INPUT = "undeclared-input"
UNUSED_DEP = "unused-dep"
UNDECLARED_OUTPUT = "undeclared-output"
ENV_VARIABLE = "env-variable"
NETWORK = "network"
UNDECLARED_IMPORT = "undeclared-import"
BROKEN_SOURCE = "broken-source"

NAMED = frozenset({ENV_VARIABLE, NETWORK})
"""Kinds whose `what` is a name; that of all others is an absolute path."""


class Finding(NamedTuple):
    """One thing that a stage does and does not declare, or the other way round."""

    kind: str
    stage: str
    """The key of the stage."""
    what: str
    why: str
    addable: bool = False
    """Whether a further dep puts it right."""
