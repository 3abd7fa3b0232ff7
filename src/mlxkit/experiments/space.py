"""Where `--search` searches: the grammar of `--sweep`, with ranges that need no step. Pure."""

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from mlxkit.core.errors import UsageError
from mlxkit.experiments.sweep import Range, parse_sweep, split

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(\s+log)?")
_STEPPED_LOG = re.compile(rf"{_NUMBER}\.\.{_NUMBER}\.\.{_NUMBER}\s+log")
_INTEGER = re.compile(r"[-+]?\d+")
_MOST_CHOICES = 10_000
_DIGITS = 5
"""Significant digits of a number from a continuous range: enough, and people can read it."""


class Dimension(Protocol):
    """What one parameter may be: texts outside, a number inside Optuna."""

    @property
    def count(self) -> int | None:
        """How many values there are; None where there is no end of them."""

    def texts(self) -> Iterator[str]: ...
    def distribution(self, kinds: Any) -> Any: ...
    def text(self, inner: Any) -> str: ...
    def inner(self, text: str) -> Any: ...
    def draw(self, chance: random.Random) -> str: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """One of some texts, in no order."""

    values: tuple[str, ...]

    @property
    def count(self) -> int | None:
        return len(self.values)

    def texts(self) -> Iterator[str]:
        yield from self.values

    def distribution(self, kinds: Any) -> Any:
        return kinds.CategoricalDistribution(range(len(self.values)))

    def text(self, inner: Any) -> str:
        return str(self.values[inner])

    def inner(self, text: str) -> Any:
        return self.values.index(text)

    def draw(self, chance: random.Random) -> str:
        return chance.choice(self.values)


@dataclass(frozen=True, slots=True)
class Grid:
    """One of the numbers of a range with a step; Optuna is told its place."""

    range: Range

    @property
    def count(self) -> int | None:
        return self.range.count

    def texts(self) -> Iterator[str]:
        return self.range.texts()

    def distribution(self, kinds: Any) -> Any:
        return kinds.IntDistribution(0, self.range.count - 1)

    def text(self, inner: Any) -> str:
        return f"{self.range.first + inner * self.range.step}"

    def inner(self, text: str) -> Any:
        place = next((at for at, one in enumerate(self.texts()) if one == text), None)
        if place is None:
            raise ValueError(text)
        return place

    def draw(self, chance: random.Random) -> str:
        return self.text(chance.randrange(self.range.count))


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number on a logarithmic scale."""

    low: int
    high: int

    @property
    def count(self) -> int | None:
        return self.high - self.low + 1

    def texts(self) -> Iterator[str]:
        return map(str, range(self.low, self.high + 1))

    def distribution(self, kinds: Any) -> Any:
        return kinds.IntDistribution(self.low, self.high, log=True)

    def text(self, inner: Any) -> str:
        return str(inner)

    def inner(self, text: str) -> Any:
        return int(text)

    def draw(self, chance: random.Random) -> str:
        drawn = round(math.exp(chance.uniform(math.log(self.low), math.log(self.high))))
        return str(min(max(drawn, self.low), self.high))


@dataclass(frozen=True, slots=True)
class Real:
    """Any number between two, on a logarithmic scale with `log`."""

    low: float
    high: float
    log: bool = False

    @property
    def count(self) -> int | None:
        return None if self.high > self.low else 1

    def texts(self) -> Iterator[str]:
        yield self.text(self.low)

    def distribution(self, kinds: Any) -> Any:
        return kinds.FloatDistribution(self.low, self.high, log=self.log)

    def text(self, inner: Any) -> str:
        rounded = float(f"{inner:.{_DIGITS}g}")
        return repr(min(max(rounded, self.low), self.high))

    def inner(self, text: str) -> Any:
        return float(text)

    def draw(self, chance: random.Random) -> str:
        if self.log:
            return self.text(math.exp(chance.uniform(math.log(self.low), math.log(self.high))))
        return self.text(chance.uniform(self.low, self.high))


@dataclass(frozen=True, slots=True)
class Space:
    """The parameters to search over, by `[FILE:]KEY`."""

    dimensions: Mapping[str, Dimension]

    @property
    def count(self) -> int | None:
        """Return how many sets of values there are; None where there is no end of them."""
        count = 1
        for one in self.dimensions.values():
            if one.count is None:
                return None
            count *= one.count
        return count

    def all(self) -> Iterator[dict[str, str]]:
        """Yield every set of values of a space that has an end."""
        for row in product(*(one.texts() for one in self.dimensions.values())):
            yield dict(zip(self.dimensions, row, strict=True))

    def values(self, settings: Sequence[str]) -> dict[str, str] | None:
        """Return what `[FILE:]KEY=VALUE` texts choose here; None where that is not of this space.

        Texts for other parameters are left out.
        """
        chosen = {name: text for name, _, text in (one.partition("=") for one in settings)}
        try:
            for name, dimension in self.dimensions.items():
                dimension.inner(chosen[name])
        except (KeyError, ValueError):
            return None
        return {name: chosen[name] for name in self.dimensions}


def parse_space(text: str) -> Space:
    """Read `KEY=VALUES[;KEY=VALUES]...`: lists, ranges, and `LOW..HIGH log`.

    Raises UsageError for what is not of that form, or has no values.
    """
    found: dict[str, Dimension] = {}
    for part in split(text, ";"):
        if part.strip():
            name, dimension = _dimension(part.strip())
            if name in found:
                raise _wrong(part, f"{name} is there twice")
            found[name] = dimension
    if not found:
        raise UsageError(
            "there is nothing to search over", hint="give parameters: --sweep 'KEY=0.001..0.1 log'"
        )
    return Space(found)


def _dimension(part: str) -> tuple[str, Dimension]:
    name, _, values = part.partition("=")
    name, values = name.strip(), values.strip()
    match = _RANGE.fullmatch(values)
    if _STEPPED_LOG.fullmatch(values):
        raise _wrong(part, "a range has a step or is logarithmic, not both")
    if name and match is not None:
        low, high, log = match.groups()
        whole = _INTEGER.fullmatch(low) and _INTEGER.fullmatch(high)
        if log or not whole:
            return name, _range(part, low, high, log=bool(log), whole=bool(whole))
    key = parse_sweep(part).keys[0]
    if not key.count:
        raise _wrong(part, "there are no values")
    if len(key.values) == 1 and isinstance(key.values[0], Range):
        return key.name, Grid(key.values[0])
    if key.count > _MOST_CHOICES:
        raise _wrong(part, f"{key.count:,} choices are too many")
    listed = [one.removeprefix(f"{key.name}=") for one in key.settings()]
    return key.name, Choices(tuple(dict.fromkeys(listed)))


def _range(part: str, low: str, high: str, *, log: bool, whole: bool) -> Dimension:
    if float(low) > float(high):
        raise _wrong(part, "the range ends before it begins")
    if log and float(low) <= 0:
        raise _wrong(part, "a logarithmic range begins above 0")
    if math.isinf(float(low)) or math.isinf(float(high)):
        raise _wrong(part, "a number is too large")
    return Whole(int(low), int(high)) if whole else Real(float(low), float(high), log)


def _wrong(part: str, why: str) -> UsageError:
    return UsageError(
        f"--sweep '{part}': {why}",
        hint="a search takes lists and ranges: a,b,c  1..8  0.1..0.9  0.1..0.9..0.2  0.001..1 log",
    )
