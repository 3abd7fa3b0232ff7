"""GTO's grammar of tags: `name@v1.2.3` registers, `name#stage#4` assigns, `!` takes back."""

import re
from functools import total_ordering
from typing import Literal, NamedTuple, Self

from mlxkit.core.errors import UsageError

Action = Literal["register", "deregister", "assign", "unassign", "deprecate"]

_NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9/_-]*[a-zA-Z0-9])?"
_FOLDER = r"[a-zA-Z0-9_./-]+"
_NUMBER = r"0|[1-9]\d*"
_WORD = rf"(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = (
    rf"(?:{_NUMBER})\.(?:{_NUMBER})\.(?:{_NUMBER})"
    rf"(?:-{_WORD}(?:\.{_WORD})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_TAG = re.compile(
    rf"(?P<model>(?:{_FOLDER}=)?{_NAME})"
    rf"(?:(?:#(?P<stage>{_NAME})|@(?P<version>v{_SEMVER}))(?P<cancel>!?)|@(?P<deprecated>deprecated))"
    r"(?:#(?P<counter>[0-9]+))?",
    re.ASCII,
)
_MODEL = re.compile(rf"(?:{_FOLDER}:)?{_NAME}", re.ASCII)
_STAGE = re.compile(_NAME, re.ASCII)
_VERSION = re.compile(
    rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_NAMED = re.compile(
    rf"(?P<model>(?:{_FOLDER}:)?{_NAME})(?:@(?:latest|greatest|v?{_SEMVER})|#{_NAME})", re.ASCII
)
_ALLOWED = "letters, digits, '_', '-' and '/'; the first and last are letters or digits"
LATEST = ("latest", "greatest")


class Meaning(NamedTuple):
    """What a tag's name says; `version` is as in the tag, `v1.2.3`."""

    action: Action
    model: str
    version: str | None = None
    stage: str | None = None
    counter: int | None = None


@total_ordering
class Version:
    """A semantic version, ordered as semver.org says; build metadata do not count."""

    def __init__(self, text: str) -> None:
        """Parse `1.2.3` or `v1.2.3`; raises ValueError."""
        found = _VERSION.fullmatch(text)
        if found is None or re.fullmatch(f"v?{_SEMVER}", text, re.ASCII) is None:
            raise ValueError(f"'{text}' is no version like 1.2.3")
        self.tag = "v" + text.removeprefix("v")
        self.numbers = int(found["major"]), int(found["minor"]), int(found["patch"])
        words = (found["pre"] or "").split(".") if found["pre"] else []
        pre = [(0, int(one), "") if one.isdigit() else (1, 0, one) for one in words]
        self._order = (self.numbers, not pre, pre)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: Self) -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self.tag)

    def bumped(self, part: str) -> "Version":
        """Return the next one, by `major`, `minor` or `patch`; a candidate's is its release."""
        major, minor, patch = self.numbers
        if part == "major":
            rest = (minor, patch) == (0, 0)
            return Version(f"{major + (not (rest and self.is_candidate))}.0.0")
        if part == "minor":
            return Version(f"{major}.{minor + (not (patch == 0 and self.is_candidate))}.0")
        return Version(f"{major}.{minor}.{patch + (not self.is_candidate)}")

    @property
    def is_candidate(self) -> bool:
        """Tell whether it comes before a release: `1.0.0-rc.1`."""
        return not self._order[1]


def parse(tag: str) -> Meaning | None:
    """Return what the name of a tag says, None where it is none of GTO's."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    counter = int(found["counter"]) if found["counter"] and len(found["counter"]) < 19 else None
    model = found["model"].replace("=", ":")
    if found["deprecated"]:
        return Meaning("deprecate", model, counter=counter)
    if found["version"]:
        action: Action = "deregister" if found["cancel"] else "register"
        return Meaning(action, model, version=found["version"], counter=counter)
    action = "unassign" if found["cancel"] else "assign"
    return Meaning(action, model, stage=found["stage"], counter=counter)


def model_named(text: str) -> str | None:
    """Return the model of NAME@VERSION or NAME#STAGE, None where a text is neither."""
    found = _NAMED.fullmatch(text)
    return found["model"] if found else None


def registration(model: str, version: Version) -> str:
    """Return the name of the tag that registers a version."""
    return f"{_in_tag(model)}@{version.tag}"


def assignment(model: str, stage: str, counter: int) -> str:
    """Return the name of the tag that assigns a stage."""
    return f"{_in_tag(model)}#{stage}#{counter}"


def check_model(name: str) -> None:
    """Refuse what GTO, or Git, does not take as a model's name; raises UsageError."""
    if _MODEL.fullmatch(name) is None or not _fits_git(_in_tag(name)):
        raise UsageError(f"{name!r} cannot be the name of a model", hint=f"it may have {_ALLOWED}")


def check_stage(name: str) -> None:
    """Refuse what cannot be a stage's name; raises UsageError."""
    if _STAGE.fullmatch(name) is None or not _fits_git(name):
        raise UsageError(f"{name!r} cannot be the name of a stage", hint=f"it may have {_ALLOWED}")


def to_version(text: str) -> Version:
    """Return the version that a user means; raises UsageError."""
    try:
        return Version(text)
    except ValueError as error:
        raise UsageError(str(error), hint="see: https://semver.org") from None


def _in_tag(model: str) -> str:
    return model.replace(":", "=")


def _fits_git(part: str) -> bool:
    """Tell whether Git takes it as a part of a ref."""
    pieces = part.split("/")
    return (
        ".." not in part
        and all(one and not one.startswith(".") for one in pieces)
        and not any(one.endswith(".lock") for one in pieces)
        and not part.startswith("-")
    )
