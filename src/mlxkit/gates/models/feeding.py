"""What rules that call a model share: the recorded file, its format, and the request."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.gates.context import Context
from mlxkit.gates.models.allowed import TRUSTED
from mlxkit.gates.models.formats import Refused, format_of
from mlxkit.gates.models.process import ask
from mlxkit.gates.verdict import Unjudged

_SAME = ("columns", "leave_out", "rows", "call", "within", "limit")


class Asked(NamedTuple):
    """What a model answered, and the md5 of the files behind it."""

    answer: Mapping[str, Any]
    evidence: Mapping[str, str]


def ask_model(task: str, settings: Mapping[str, Any], context: Context, **more: Any) -> Asked:
    """Have a rule's model do a task on its inputs; raises Unjudged, MlxError for missing data."""
    subject = context.subject
    paths = (settings["model"], settings["inputs"])
    model, inputs = (subject.data(path) for path in paths)
    evidence = {subject.key(paths[0]): model.md5, subject.key(paths[1]): inputs.md5}
    try:
        for path, one in zip(paths, (model, inputs), strict=True):
            if one.is_dir:
                raise Unjudged(f"{subject.place(path)} is a folder, not a file")
        request = {
            **{key: settings[key] for key in _SAME},
            "model": model.path,
            "format": safe_format(model.path, subject.place(paths[0])),
            "types": [*TRUSTED, *settings["types"]],
            "inputs": inputs.path,
            "inputs_named": subject.place(paths[1]),
            **more,
        }
        return Asked(_answer(task, request, subject.place(paths[0])), evidence)
    except Unjudged as error:
        raise Unjudged(error.why, evidence) from None


def _answer(task: str, request: Mapping[str, Any], shown: str) -> Mapping[str, Any]:
    try:
        return ask(task, request)
    except Unjudged as error:
        raise Unjudged(f"{shown}: {error.why}") from None


def safe_format(path: str, shown: str) -> str:
    """Return the format of a model's file; raises Unjudged for one that may not be loaded."""
    try:
        return format_of(path)
    except Refused as error:
        raise Unjudged(f"{shown} is not loaded: {error}") from None
    except OSError as error:
        raise Unjudged(f"{shown} cannot be read: {error.strerror}") from None
