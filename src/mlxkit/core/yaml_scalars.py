"""What a plain YAML 1.2 scalar means, exactly as `ruamel.yaml` resolves it for DVC."""

import datetime
import re
from typing import Final

Scalar = str | int | float | bool | None | datetime.date


class OddScalar(Exception):
    """A plain scalar that is neither text nor a value here (`<<`, `=`)."""


_INF: Final = float("inf")
_NAN: Final = float("nan")  # one object: duplicate `.nan` keys are found by identity

_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), _INF),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -_INF),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), _NAN),
}

# Only a scalar that starts with one of these can be anything but text.
_SUSPECT: Final = frozenset("tTfFnN~<=+-.0123456789")
_NUMERIC: Final = frozenset("+-.0123456789")

# The exponent without a leading digit wants a sign (`.5e+3`): a quirk of ruamel's own pattern.
_NUMBER: Final = re.compile(
    r"""(?P<float>[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
      | [-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
      | [-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?)
    | (?P<int>[-+]?(?:0b[01_]+ | 0o[0-7_]+ | 0x[0-9a-fA-F_]+ | [0-9_]+))
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})
    | (?P<time>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}
        (?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)
    """,
    re.VERBOSE,
)

_BASES: Final = {"0b": 2, "0o": 8, "0x": 16}


def resolve(text: str) -> Scalar:
    """The value of the plain scalar `text`; ValueError for an impossible number or date."""
    if text and text[0] not in _SUSPECT:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC:
        match = _NUMBER.fullmatch(text)
        return text if match is None else _number(text, match.lastgroup)
    if text in ("<<", "="):
        raise OddScalar(text)
    return text


def is_text(text: str) -> bool:
    """Whether a reader takes the plain scalar `text` for a string."""
    if text and text[0] not in _SUSPECT:
        return True
    if text in _WORDS or text in ("<<", "="):
        return False
    return text[0] not in _NUMERIC or _NUMBER.fullmatch(text) is None


def _number(text: str, kind: str | None) -> Scalar:
    if kind == "float":
        return float(text.replace("_", ""))
    if kind == "int":
        return _integer(text.replace("_", ""))
    if kind == "date":
        return datetime.date(int(text[:4]), int(text[5:7]), int(text[8:]))
    return _timestamp(text)


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = _BASES.get(digits[:2], 10)
    return sign * int(digits[2:] if base != 10 else digits, base)


def _timestamp(text: str) -> datetime.date:
    # Time zones get names that only ruamel's own function gives; rare, hence the late import.
    from ruamel.yaml.util import create_timestamp, timestamp_regexp

    match = timestamp_regexp.match(text)
    if match is None:
        raise ValueError(f"invalid timestamp {text!r}")
    value: datetime.date = create_timestamp(**match.groupdict())
    return value
