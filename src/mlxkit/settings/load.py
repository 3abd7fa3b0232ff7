"""Reads `mlx.yaml`: checked by the model where it is new, remembered as plain data where not.

To import pydantic and build the model costs more than most commands, so a valid file's plain form
is kept under the digest of its text, of mlx's version and of the model's own files.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from mlxkit import __version__
from mlxkit.core.errors import ProjectError
from mlxkit.core.files import regular
from mlxkit.core.limits import excess
from mlxkit.core.memory import cache_path, recall, remember
from mlxkit.core.yaml import decode, key_line, load

FILE = "mlx.yaml"
_MODEL = (
    "base.py",
    "cards.py",
    "data_rules.py",
    "leaderboard.py",
    "one_of.py",
    "model.py",
    "model_rules.py",
    "rules.py",
    "when.py",
)
_KEPT = 16
_DEFAULTS: Mapping[str, Any] = {
    "metrics": {},
    "runs": {"record": True, "max_file_size": 1 << 20},
    "cost": None,
    "verify": {"tolerance": {}},
    "attest": None,
    "leaderboard": None,
    "gates": {},
    "models": {},
}
"""What the model makes of nothing: most projects say no more, and shall not pay for the model."""
_NO_TEXT = r"[^\t\n -~\u00a0-\ud7ff\ue000-\U0010ffff]"
_LARGEST = 10**1000
"""Any number that can be shown: the model says where it is too large."""
_SHOWN = 60


def settings(root: str) -> Mapping[str, Any]:
    """Return all that the project's `mlx.yaml` says, with defaults; without the file, those.

    Raises ProjectError, with file and line, for what is not as it should be.
    """
    path = os.path.join(root, FILE)
    try:
        with open(path, "rb", opener=regular) as file:
            data = file.read()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        shown = os.path.relpath(path)
        raise ProjectError(f"cannot be read: {error.strerror}", where=shown) from None
    return settings_of(data, os.path.relpath(path), root)


def section(root: str, name: str) -> Any:
    """Return one part of the settings; raises ProjectError as `settings` does."""
    return settings(root)[name]


def settings_of(data: bytes, shown: str, root: str) -> Mapping[str, Any]:
    """Return what a file of these bytes says; errors name it as `shown`. Raises ProjectError."""
    if not data:
        return deepcopy(_DEFAULTS)
    memory = cache_path(root, "settings.json")
    key = _key(data)
    known = recall(memory)
    if key not in known:
        known[key] = _checked(data, shown)
        remember(memory, known, newest=_KEPT)
    plain: Mapping[str, Any] = known[key]
    return plain


def _checked(data: bytes, shown: str) -> Mapping[str, Any]:
    text = decode(data, shown)
    document = load(text, shown)
    _refuse_odd(document, text, shown)
    from pydantic import ValidationError

    from mlxkit.settings.model import Settings

    try:
        found = Settings.model_validate({} if document is None else document)
    except ValidationError as error:
        from mlxkit.settings.explain import explain

        raise explain(error, text, shown, Settings.model_json_schema()) from None
    plain: Mapping[str, Any] = found.model_dump(mode="json")
    return plain


def _refuse_odd(document: Any, text: str, shown: str) -> None:
    """Refuse what no name, path or number of a project has; raises ProjectError."""
    too_much = excess(document, _LARGEST)
    if too_much:
        raise ProjectError(too_much, where=shown)
    for place, value in _walk(document):
        wrong = ""
        odd = [one for one in (*place[-1:], value) if isinstance(one, str)]
        odd = [one for one in odd if re.search(_NO_TEXT, one)]
        if odd:
            wrong = f"has a control character: {odd[0][:_SHOWN]!r}"
        elif isinstance(value, dict) and len(set(map(str, value))) < len(value):
            wrong = "has a key twice, as number and as text"
        if wrong:
            line = key_line(text, place)
            raise ProjectError(wrong, where=f"{shown}:{line}" if line else shown)


def _walk(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield all values of a document, with their places."""
    yield place, value
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _walk(inner, (*place, key))


def _key(data: bytes) -> str:
    folder = os.path.dirname(__file__)
    stamp = [os.stat(os.path.join(folder, name)).st_mtime_ns for name in _MODEL]
    return hashlib.sha256(f"{__version__} {stamp}\n".encode() + data).hexdigest()
