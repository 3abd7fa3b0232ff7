"""`--sweep`: lists and ranges of parameters, counted before any combination is made. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod

from mlxkit.core.errors import UsageError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"((?:{_NUMBER})?)\.\.({_NUMBER})(?:\.\.({_NUMBER}))?")
_INTEGER = re.compile(r"[-+]?\d+")
_OPENING = {"[": "]", "{": "}", "(": ")"}
_EXAMPLE = "write KEY=1,2,5 or KEY=3..8 or KEY=0.1..0.5..0.1, with ';' between keys"


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `first` to at most `last`, in steps."""

    first: Decimal
    last: Decimal
    step: Decimal

    @property
    def count(self) -> int:
        """Return how many there are."""
        return max(0, int((self.last - self.first) // self.step) + 1) if self._onward else 0

    def texts(self) -> Iterator[str]:
        """Yield them as they are written; a range of integers has integers only."""
        for index in range(self.count):
            yield f"{self.first + index * self.step}"

    @property
    def _onward(self) -> bool:
        return self.last >= self.first if self.step > 0 else self.last <= self.first


@dataclass(frozen=True, slots=True)
class Key:
    """A parameter, as `[FILE:]KEY`, and what it shall be in turn: texts, and ranges of numbers."""

    name: str
    values: tuple[str | Range, ...]

    @property
    def count(self) -> int:
        """Return how many values there are."""
        return sum(one.count if isinstance(one, Range) else 1 for one in self.values)

    def settings(self) -> Iterator[str]:
        """Yield `[FILE:]KEY=VALUE` for each value."""
        for one in self.values:
            for text in one.texts() if isinstance(one, Range) else (one,):
                yield f"{self.name}={text}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Keys of which every combination of values is meant; none is one combination, of nothing."""

    keys: tuple[Key, ...] = ()

    @property
    def count(self) -> int:
        """Return how many combinations there are, without making them."""
        return prod(key.count for key in self.keys)

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Yield each combination; the last key changes fastest."""
        return product(*(list(key.settings()) for key in self.keys))


def parse_sweep(text: str) -> Sweep:
    """Read `KEY=VALUES[;KEY=VALUES]...`; raises UsageError for what is not of that form."""
    parts = [part.strip() for part in split(text, ";")]
    keys = [_key(part, text) for part in parts if part]
    if not keys:
        raise UsageError("--sweep names no parameter", hint=_EXAMPLE)
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--sweep '{text}': {name} is there twice", hint="list its values once"
            )
    return Sweep(tuple(keys))


def _key(part: str, text: str) -> Key:
    name, equals, values = part.partition("=")
    name = name.strip()
    if not equals or not name or name.startswith("~"):
        raise UsageError(f"--sweep '{text}': '{part}' has no values", hint=_EXAMPLE)
    listed = [one.strip() for one in split(values, ",")]
    if listed == [""]:
        return Key(name, ())
    if "" in listed:
        raise UsageError(f"--sweep '{text}': an empty value", hint="for an empty text, write ''")
    return Key(name, tuple(_value(one, text) for one in listed))


def _value(text: str, whole: str) -> str | Range:
    found = _RANGE.fullmatch(text)
    if found is None:
        return text
    first, last, step = found.groups()
    if not first:
        raise UsageError(f"--sweep '{whole}': the range '{text}' has no beginning", hint=_EXAMPLE)
    integers = _INTEGER.fullmatch(first) and _INTEGER.fullmatch(last)
    if step is None and not integers:
        raise UsageError(
            f"--sweep '{whole}': the range '{text}' needs a step",
            hint=f"write it so: {text}..0.1",
        )
    size = Decimal(step) if step is not None else Decimal(1)
    if not size:
        raise UsageError(f"--sweep '{whole}': the step of '{text}' is 0", hint=_EXAMPLE)
    return Range(Decimal(first), Decimal(last), size)


def split(text: str, mark: str) -> Sequence[str]:
    """Split at a mark that is neither quoted nor in brackets; raises UsageError for open ones."""
    parts, open_, quote, begin = [], list[str](), "", 0
    index = 0
    while index < len(text):
        char = text[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in _OPENING:
            open_.append(_OPENING[char])
        elif open_ and char == open_[-1]:
            open_.pop()
        elif char == mark and not open_:
            parts.append(text[begin:index])
            begin = index + 1
        index += 1
    if quote or open_:
        raise UsageError(
            f"--sweep '{text}': {quote or open_[-1]} is missing at its end", hint=_EXAMPLE
        )
    return [*parts, text[begin:]]
