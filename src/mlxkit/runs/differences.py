"""What differs between two environments (pure)."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """One thing that is not the same: its `kind`, its name, and what it was and is (None: absent).

    `kind` is python, platform, cuda, conda or distribution.
    """

    kind: str
    name: str
    before: str | None
    now: str | None

    def __str__(self) -> str:
        return f"{self.before or 'none'} -> {self.now or 'none'}"


def read(content: bytes | None) -> dict[str, Any]:
    """Return an environment's JSON as a mapping; an empty one for what is none."""
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """List what differs, Python and platform first, then distributions by name."""
    found = [
        *_changed("python", {"python": _python(before)}, {"python": _python(now)}),
        *_changed("platform", _of(before, "platform"), _of(now, "platform")),
        *_changed("cuda", _of(before, "cuda"), _of(now, "cuda")),
        *_changed("conda", _conda(before), _conda(now)),
        *_changed("distribution", _of(before, "distributions"), _of(now, "distributions")),
    ]
    return [one for one in found if one.before != one.now]


def _changed(
    kind: str, before: Mapping[str, str | None], now: Mapping[str, str | None]
) -> list[Difference]:
    return [
        Difference(kind, name, before.get(name), now.get(name)) for name in sorted({*before, *now})
    ]


def _of(content: Mapping[str, Any], key: str) -> dict[str, str | None]:
    found = content.get(key)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): None if value is None else str(value) for name, value in found.items()}


def _python(content: Mapping[str, Any]) -> str | None:
    told = _of(content, "python")
    return f"{told.get('implementation')} {told.get('version')}" if told else None


def _conda(content: Mapping[str, Any]) -> dict[str, str | None]:
    """Split `mkl-2024.0-h213fc3f_49` into name and version with build."""
    found: dict[str, str | None] = {}
    told = content.get("conda")
    for one in told if isinstance(told, list) else ():
        name, _, rest = str(one).rpartition("-")
        name, _, version = name.rpartition("-")
        found[name] = f"{version}-{rest}"
    return found
