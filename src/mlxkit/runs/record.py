"""A run record: what one stage read, did and made. Plain data, named by the digest of its JSON."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.limits import excess, finite, refuse

FORMAT = 1
SHOWN = 12
"""So many digits of an id are shown to people."""
LARGEST = 32 << 20
"""Bytes; a larger record is not one of ours."""
_MOST = 1 << 63
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Values = Mapping[str, Any]


class InvalidRecord(MlxError):
    """What should be a run record is not one."""

    code = "invalid-record"


class Item(NamedTuple):
    """A dependency, an output, or a file left out of the snapshot; `kind` is metric or plot."""

    path: str
    md5: str | None = None
    size: int | None = None
    nfiles: int | None = None
    sha256: str | None = None
    kind: str | None = None
    extra: Values = MappingProxyType({})
    """What a later format says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stage that ran, was restored or failed; fields as docs/design/lineage.md tells them.

    Paths are relative to the top of the Git repository, or absolute where they lie outside. They
    may be a stranger's words: to be shown, and never to be opened because a record says so.
    """

    stage: str
    outcome: str
    started: str
    project: str = ""
    cmd: str | list[str] | None = None
    deps: tuple[Item, ...] = ()
    params: Mapping[str, Values] = field(default_factory=dict)
    params_digest: str | None = None
    outs: tuple[Item, ...] = ()
    reasons: tuple[Values, ...] = ()
    commit: str | None = None
    snapshot: str | None = None
    tree: str | None = None
    dirty: bool = False
    left_out: tuple[Item, ...] = ()
    left_out_more: int = 0
    env: str | None = None
    host: Values = field(default_factory=dict)
    user: str | None = None
    mlx: str | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    cost: Values = field(default_factory=dict)
    experiment: str | None = None
    """The name of the experiment that was being made."""
    extra: Values = field(default_factory=dict)
    """Keys of later formats."""


def digest(data: bytes) -> str:
    """Return the id of a record, or of an environment, from its bytes."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def canonical(document: Any) -> bytes:
    """Return JSON with one form for each value: keys sorted, no spaces, UTF-8.

    What is not UTF-8 in the name of a file is escaped, as JSON can.
    """
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "backslashreplace")


def encode(record: Record) -> bytes:
    """Return the bytes that a record is kept as."""
    return canonical(document(record))


def document(record: Record) -> dict[str, Any]:
    """Return a record as JSON says it."""
    told: dict[str, Any] = {"format": FORMAT, **record.extra}
    for one in fields(record):
        if one.name != "extra":
            told[one.name] = getattr(record, one.name)
    for name in ("deps", "outs", "left_out"):
        told[name] = [_item_document(item) for item in told[name]]
    for name in ("left_out_more", "experiment"):
        if not told[name]:
            del told[name]
    return told


def plain(value: Any) -> Any:
    """Return a parameter's value as JSON can say it: what has no word there becomes text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def decode(data: bytes, name: str) -> Record:
    """Read a record that is named `name`; raises InvalidRecord.

    Records come from other people's machines: the name must be the digest of the bytes, and each
    field must be what it should be.
    """
    if len(data) > LARGEST or digest(data) != name:
        raise InvalidRecord(f"run record {name[:SHOWN]} is damaged: it is not what its id says")
    try:
        found = json.loads(data, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"run record {name[:SHOWN]} is not JSON: {error}") from None
    try:
        return _record(found)
    except _Wrong as error:
        raise InvalidRecord(f"run record {name[:SHOWN]} is not one: {error}") from None


class _Wrong(Exception):
    """A field that is not what it should be."""


def _item_document(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {**item.extra, "path": item.path, "md5": item.md5, "size": item.size}
    for name in ("nfiles", "sha256", "kind"):
        if getattr(item, name) is not None:
            told[name] = getattr(item, name)
    return told


_TEXTS = ("project", "params_digest", "user", "mlx", "experiment")
_IDS = {"commit": _COMMIT, "snapshot": _COMMIT, "tree": _COMMIT, "env": _SHA256}
"""They are handed to Git: anything else could be an option of its."""
_MAPPINGS = ("host", "cost")
_NEEDED = ("stage", "outcome", "started")
_ITEMS = ("deps", "outs", "left_out")


def _record(found: Any) -> Record:
    told = _mapping(found, "it")
    too_much = excess(told)
    if too_much:
        raise _Wrong(f"it {too_much}")
    _check(told, "format", int, "a number")
    if (told.get("format") or 0) < 1:
        raise _Wrong("it has no format")
    known = {one.name for one in fields(Record)} - {"extra"}
    given: dict[str, Any] = {key: told[key] for key in known if told.get(key) is not None}
    for name in _NEEDED:
        if not isinstance(given.get(name), str) or not given[name]:
            raise _Wrong(f"`{name}` is not text")
    for name in _TEXTS:
        _check(given, name, str, "text")
    for name, form in _IDS.items():
        _check(given, name, str, "text")
        if name in given and not form.fullmatch(given[name]):
            raise _Wrong(f"`{name}` is not an id")
    for name in _MAPPINGS:
        _check(given, name, dict, "a mapping")
    _check(given, "seconds", (int, float), "a number")
    for name in ("exit_code", "left_out_more"):
        _check(given, name, int, "a number")
    _check(given, "dirty", bool, "true or false")
    for name in _ITEMS:
        given[name] = tuple(_item(one, name) for one in _list(given.get(name), name))
    given["reasons"] = tuple(
        _mapping(one, "a reason") for one in _list(given.get("reasons"), "reasons")
    )
    params = _mapping(given.get("params", {}), "`params`")
    given["params"] = {path: _mapping(one, "`params`") for path, one in params.items()}
    _check_command(given.get("cmd"))
    extra = {key: value for key, value in told.items() if key not in known and key != "format"}
    if told["format"] != FORMAT:
        extra["format"] = told["format"]
    return Record(**given, extra=extra)


def _check(given: Values, name: str, kind: type | tuple[type, ...], what: str) -> None:
    value = given.get(name)
    right = value is None or (isinstance(value, kind) and (kind is bool or value is not True))
    small = not isinstance(value, int) or -_MOST < value < _MOST
    if not (right and small) or (value is False and kind is not bool):
        raise _Wrong(f"`{name}` is not {what}")


def _check_command(cmd: Any) -> None:
    lines = cmd if isinstance(cmd, list) else [cmd or ""]
    if not all(isinstance(line, str) for line in lines):
        raise _Wrong("`cmd` is neither text nor a list of texts")


def _item(found: Any, name: str) -> Item:
    told = _mapping(found, f"an item of `{name}`")
    path = told.get("path")
    if not isinstance(path, str) or not path or "\0" in path:
        raise _Wrong(f"an item of `{name}` has no path")
    for key in ("md5", "sha256", "kind"):
        _check(told, key, str, "text")
    for key in ("size", "nfiles"):
        _check(told, key, int, "a number")
    known = set(Item._fields) - {"extra"}
    extra = {key: value for key, value in told.items() if key not in known}
    return Item(**{key: told[key] for key in known if key in told}, extra=extra)


def _mapping(value: Any, what: str) -> Values:
    if not isinstance(value, dict):
        raise _Wrong(f"{what} is not a mapping")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Wrong(f"`{name}` is not a list")
    return value
