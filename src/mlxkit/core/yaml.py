"""Reading and writing YAML with DVC's meaning and bytes, at the speed of libyaml.

DVC reads with `ruamel.yaml` (YAML 1.2), which is thirty times slower than libyaml. Here libyaml
parses and we resolve; whatever is odd (tags, directives, tabs, complex keys, any error) goes to
ruamel itself, so the odd is slow but never different. Both are imported at first use.
"""

import re
from typing import Any, Final

from mlxkit.core.errors import ProjectError

__all__ = ["ConflictError", "YamlError", "decode", "dumps", "key_line", "load"]


class YamlError(ProjectError):
    """A YAML file that DVC could not read either."""

    code = "yaml"


class ConflictError(YamlError):
    """A file in which Git has left conflict markers."""


# libyaml and ruamel part ways over these: tabs, other line breaks, byte order marks, control
# characters, directives, document markers, a comment that touches a block scalar's header.
# Compiled at first use (re keeps them): a start that reads no YAML must not pay for it.
_RISKY: Final = (
    r"(?m)[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|^(?:%|---.|\.\.\.)|[|>][-+0-9]{0,2}#"
)
_ALIAS: Final = r"\*[^\s,\]}]"
_CONFLICT: Final = r"(?m)^<{7,}(?: |$)"
_CONFLICT_END: Final = r"(?m)^(?:={7,}|>{7,}(?: .*)?)$"


def load(text: str | bytes, where: str = "") -> Any:
    """Parse one YAML document into plain Python values; an empty one is None.

    Bytes are a file's content: UTF-8, any line ends. Raises YamlError at `where:line`.
    """
    from mlxkit.core.yaml_parse import OddDocument, build

    if isinstance(text, bytes):
        text = decode(text, where)
    try:
        found = build(text) if not re.search(_RISKY, text) else _load_slowly(text, where)
    except OddDocument:
        found = _load_slowly(text, where)
    if "&" in text and re.search(_ALIAS, text):
        from mlxkit.core.yaml_aliases import expands_too_far

        if expands_too_far(found):
            raise YamlError("its aliases stand for too many values", where=where or None)
    return found


def dumps(data: Any) -> str:
    """Write `data` as DVC does: the bytes of ruamel's round-trip dumper at its default width."""
    from mlxkit.core.yaml_emit import dumps as emit

    return emit(data)


def key_line(text: str, path: tuple[str | int, ...]) -> int | None:
    """The 1-based line of the key (or list item) at `path`; None if there is none."""
    from mlxkit.core import yaml_parse

    return yaml_parse.key_line(text, path)


def decode(data: bytes, where: str = "") -> str:
    """The text of a file as DVC reads it: UTF-8, any line ends turned into newlines."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError("is not valid UTF-8", where=_place(where, line)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _load_slowly(text: str, where: str) -> Any:
    import warnings

    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise _explained(text, where, error) from error
    except RecursionError as error:
        raise YamlError("is nested too deeply", where=where or None) from error
    except Exception as error:  # ruamel lets ValueError, KeyError and more escape
        raise YamlError(f"invalid value: {_one_line(str(error))}", where=where or None) from error


def _explained(text: str, where: str, error: Exception) -> YamlError:
    conflict = re.search(_CONFLICT, text)
    if conflict and re.search(_CONFLICT_END, text[conflict.end() :]):
        line = text.count("\n", 0, conflict.start()) + 1
        return ConflictError(
            "has Git merge-conflict markers",
            where=_place(where, line),
            hint="resolve the conflict, then try again",
        )
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    message = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is not None:
        return YamlError(_one_line(message), where=_place(where, mark.line + 1))
    if isinstance(position, int):
        return YamlError(_one_line(message), where=_place(where, text.count("\n", 0, position) + 1))
    return YamlError(_one_line(message), where=where or None)


def _place(where: str, line: int) -> str:
    return f"{where}:{line}" if where else f"line {line}"


def _one_line(message: str) -> str:
    return " ".join(message.split())
