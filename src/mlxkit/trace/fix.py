"""Adds deps to a `dvc.yaml` as text, so that its comments and layout stay; checks what came out."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.pipeline.spec import Stage
from mlxkit.trace.findings import Finding

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./@+-]*")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was added to which file, and what is left to the user, in sentences."""

    added: tuple[Finding, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.by_hand)


def add_deps(found: Iterable[Finding], stages: Mapping[str, Stage]) -> Fixed:
    """Add the paths of findings to the deps of their stages; `stages` by key. Raises OSError.

    A stage of a template (`foreach`, `matrix`), and a file whose form is not understood, is left as
    it is, and said.
    """
    wanted: dict[str, list[Finding]] = {}
    for one in found:
        if one.addable:
            wanted.setdefault(one.stage, []).append(one)
    added: list[Finding] = []
    files: dict[str, int] = {}
    by_hand: dict[str, None] = {}
    for key, ones in wanted.items():
        stage = stages[key]
        paths = list(dict.fromkeys(_shown(one.what, stage) for one in ones))
        if _add(stage, paths):
            added += ones
            files[stage.file] = files.get(stage.file, 0) + len(paths)
        else:
            by_hand[_told(stage, paths)] = None
    return Fixed(tuple(added), files, tuple(by_hand))


def _shown(path: str, stage: Stage) -> str:
    """Return a path as the stage would write it: from its working directory."""
    return os.path.relpath(path, stage.wdir).replace(os.sep, "/")


def _told(stage: Stage, paths: Sequence[str]) -> str:
    name = stage.address(os.getcwd())
    if "@" in (stage.name or ""):
        name = f"{name.rpartition('@')[0]} (a template)"
    return f"add to the deps of {name}: {', '.join(paths)}"


def _add(stage: Stage, paths: Sequence[str]) -> bool:
    """Add deps to one stage in its file; tell whether that could be done."""
    from mlxkit.core.yaml_ruamel import parse_for_update

    if stage.name is None or any("${" in path for path in paths):
        return False
    with open(stage.file, encoding="utf-8", newline="") as file:
        text = file.read()
    try:
        before = parse_for_update(text)
        declared = before["stages"][stage.name]
    except Exception:  # whatever ruamel or the file's form says
        return False
    if "foreach" in declared or "matrix" in declared or "cmd" not in declared:
        return False
    new = with_deps(text, declared, paths)
    if new is None or not _as_wanted(new, before, stage.name, paths):
        return False
    try:
        write_atomic(stage.file, new.encode())
    except MlxError:
        return False
    return True


def with_deps(text: str, declared: Any, paths: Sequence[str]) -> str | None:
    """Return the text of a file with deps added to a stage, as ruamel parsed it, or None."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    items = [_scalar(path) for path in paths]
    deps = declared.get("deps")
    if deps:
        return _more(lines, deps, items, newline)
    if "deps" in declared or declared.fa.flow_style():
        return None
    line, column = declared.lc.key("cmd")
    end = _end(lines, line, column)
    indent = " " * column
    block = [f"{indent}deps:{newline}", *(f"{indent}  - {one}{newline}" for one in items)]
    return "".join([*lines[:end], *block, *lines[end:]])


def _more(lines: list[str], deps: Any, items: list[str], newline: str) -> str:
    """Add items after the last one of a list."""
    line, column = deps.lc.item(len(deps) - 1)
    if deps.fa.flow_style():
        close = lines[line].find("]", column)
        if close < 0:
            return "".join(lines)
        head, tail = lines[line][:close], lines[line][close:]
        lines[line] = ", ".join([head.rstrip().rstrip(","), *items]) + tail
        return "".join(lines)
    dash = lines[line].rfind("-", 0, column)
    start = lines[line][:dash] + lines[line][dash:column]
    end = _end(lines, line, dash)
    return "".join([*lines[:end], *(f"{start}{one}{newline}" for one in items), *lines[end:]])


def _end(lines: list[str], line: int, column: int) -> int:
    """Return the line after the value that begins on `line`, whose key or dash is at `column`."""
    end = line + 1
    is_item = lines[line][column : column + 1] == "-"
    for number in range(line + 1, len(lines)):
        content = lines[number].strip()
        indent = len(lines[number]) - len(lines[number].lstrip())
        if not content or content.startswith("#"):
            continue
        own_list = not is_item and indent == column and content.startswith("- ")
        if indent <= column and not own_list:
            break
        end = number + 1
    return end


def _scalar(path: str) -> str:
    import json

    from mlxkit.core.yaml_scalars import is_text

    plain = _PLAIN.fullmatch(path) is not None and is_text(path)
    return path if plain else json.dumps(path, ensure_ascii=False)


def _as_wanted(new: str, before: Any, name: str, paths: Sequence[str]) -> bool:
    """Tell whether the new text says what the old one does, and the new deps besides."""
    import yaml

    from mlxkit.core.yaml_ruamel import parse_for_update

    try:
        after = _plain(parse_for_update(new))
    except (yaml.YAMLError, ValueError):
        return False
    except Exception:  # ruamel's own errors
        return False
    wanted = _plain(before)
    stage = wanted["stages"][name]
    stage["deps"] = [*(stage.get("deps") or []), *paths]
    return bool(after == wanted)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(one) for one in data] if isinstance(data, list) else data
