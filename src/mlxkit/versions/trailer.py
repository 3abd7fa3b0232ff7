"""What mlx says of a tag, as one line of JSON at the end of its message.

Anyone can write a tag: what is read here is a claim, of the right types and no more.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from mlxkit.core.limits import excess, finite, refuse

KEY = "mlx-model"
FORMAT = 1
_LINE = re.compile(rf"^{KEY}:(.*)$", re.MULTILINE)
_LARGEST = 64 << 10
_TEXTS = ("path", "md5", "version", "from", "stage", "reason", "kind", "by")
_NUMBERS = ("size", "nfiles")


class Unreadable(ValueError):
    """A message has a line for us that is not what it should be."""


def message(subject: str, body: str, told: Mapping[str, Any]) -> str:
    """Return a tag's message."""
    text = json.dumps({"format": FORMAT, **told}, sort_keys=True, separators=(",", ":"))
    middle = f"\n{body.strip()}\n" if body.strip() else ""
    return f"{subject}\n{middle}\n{KEY}: {text}\n"


def read(text: str) -> Mapping[str, Any] | None:
    """Return what a message says for us, None where it says nothing; raises Unreadable."""
    lines = _LINE.findall(text)
    if not lines:
        return None
    try:
        found = json.loads(lines[-1][:_LARGEST], parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"its line '{KEY}:' is no JSON") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or excess(found):
        raise Unreadable(f"its line '{KEY}:' is not of this format")
    if any(not isinstance(found.get(key, ""), str) for key in _TEXTS):
        raise Unreadable(f"its line '{KEY}:' has something that is no text")
    if any(type(found.get(key, 0)) not in (int, type(None)) for key in _NUMBERS):
        raise Unreadable(f"its line '{KEY}:' has something that is no number")
    return found


def without(text: str) -> str:
    """Return a message for people: without that line."""
    return _LINE.sub("", text).strip()
