"""GitHub's expressions, as far as our workflows use them; anything else is an error."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(==|!=|&&|\|\||!|\(|\))|'((?:[^']|'')*)'|([A-Za-z_][\w.-]*))")
_INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
Context = Mapping[str, Any]


class NotUnderstood(AssertionError):
    """A part of a workflow that this runner does not know; it never guesses."""


def fill(text: str, context: Context, status: str = "success") -> str:
    """Replace all `${{ ... }}` in a text."""
    return _INSIDE.sub(lambda found: _text(evaluate(found[1], context, status)), text)


def holds(condition: str | bool | None, context: Context, status: str) -> bool:
    """Tell whether a step or job with this `if` runs; without a word on it, success is needed."""
    if condition is None:
        return status == "success"
    text = str(condition).strip()
    found = _INSIDE.fullmatch(text)
    inner = found[1] if found else text
    named = re.search(r"\b(always|failure|cancelled|success)\(\)", inner)
    return bool(evaluate(inner, context, status)) and (bool(named) or status == "success")


def evaluate(text: str, context: Context, status: str) -> Any:
    """Return the value of one expression."""
    tokens = _tokens(text)
    value = _either(tokens, context, status)
    if tokens:
        raise NotUnderstood(f"expression {text!r}: {tokens[0]!r}")
    return value


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while text[place:].strip():
        one = _TOKEN.match(text, place)
        if one is None:
            raise NotUnderstood(f"expression {text!r} at {text[place:]!r}")
        kind = "sign" if one[1] else "text" if one[2] is not None else "name"
        found.append((kind, one[1] or (one[2] or "").replace("''", "'") or one[3] or ""))
        place = one.end()
    return found


def _take(tokens: list[tuple[str, str]], sign: str) -> bool:
    if tokens and tokens[0] == ("sign", sign):
        tokens.pop(0)
        return True
    return False


def _either(tokens: list[tuple[str, str]], context: Context, status: str) -> Any:
    value = _both(tokens, context, status)
    while _take(tokens, "||"):
        other = _both(tokens, context, status)
        value = value or other
    return value


def _both(tokens: list[tuple[str, str]], context: Context, status: str) -> Any:
    value = _same(tokens, context, status)
    while _take(tokens, "&&"):
        other = _same(tokens, context, status)
        value = value and other
    return value


def _same(tokens: list[tuple[str, str]], context: Context, status: str) -> Any:
    value = _one(tokens, context, status)
    if _take(tokens, "=="):
        return _text(value).lower() == _text(_one(tokens, context, status)).lower()
    if _take(tokens, "!="):
        return _text(value).lower() != _text(_one(tokens, context, status)).lower()
    return value


def _one(tokens: list[tuple[str, str]], context: Context, status: str) -> Any:
    if _take(tokens, "!"):
        return not _one(tokens, context, status)
    if _take(tokens, "("):
        value = _either(tokens, context, status)
        if not _take(tokens, ")"):
            raise NotUnderstood("a bracket is not closed")
        return value
    if not tokens or tokens[0][0] == "sign":
        raise NotUnderstood(f"an expression ends or goes on with {tokens[:1]}")
    kind, text = tokens.pop(0)
    if kind == "text":
        return text
    if _take(tokens, "("):
        if text not in _FUNCTIONS or not _take(tokens, ")"):
            raise NotUnderstood(f"function {text}")
        return _FUNCTIONS[text](status)
    return _value(text, context)


_FUNCTIONS: dict[str, Callable[[str], bool]] = {
    "always": lambda status: True,
    "success": lambda status: status == "success",
    "failure": lambda status: status == "failure",
    "cancelled": lambda status: status == "cancelled",
}


def _value(name: str, context: Context) -> Any:
    """Return a value of a context; only of a context that is known, and its known parts."""
    found: Any = context
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return ""
        if part not in found:
            if found is context or found is context.get("github"):
                raise NotUnderstood(f"there is no {name}")
            return ""  # an output that was not written, a secret that a fork does not get
        found = found[part]
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
