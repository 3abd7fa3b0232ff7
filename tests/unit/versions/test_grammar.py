"""Names of tags as GTO reads them, and versions as semver.org orders them."""

import itertools

import pytest
from gto.constants import check_string_is_valid, fullname_re
from gto.tag import parse_name
from gto.versions import SemVer

from mlxkit.core.errors import UsageError
from mlxkit.versions import grammar
from mlxkit.versions.grammar import Meaning, Version, parse

NAMES = ["m", "a-b", "a_b/c", "-a", "a-", "a b", "a.b", "sub=m", "a/b.c=m", "=m", "a=b=m", "é", ""]
ENDS = [
    "@v1.2.3", "@v1.2.3!", "@v1.2.3#4", "@1.2.3", "@v1.2", "@v01.2.3", "@v1.2.3-rc.1+b", "#prod",
    "#prod#3", "#prod!#3", "#prod!", "#-p#1", "#p#x", "#a/b#1", "@deprecated", "@deprecated#2", "",
    "@v1.2.3#prod", "#prod@v1.2.3", "@v1.2.3-!",
]  # fmt: skip


@pytest.mark.parametrize("tag", [f"{name}{end}" for name in NAMES for end in ENDS])
def test_tags_mean_what_gto_says(tag: str) -> None:
    theirs = parse_name(tag, raise_on_fail=False)
    mine = parse(tag)
    if not theirs:
        assert mine is None
        return
    assert mine is not None
    assert mine.action == theirs["action"].value
    assert (mine.model, mine.version, mine.stage, mine.counter) == (
        theirs["name"], theirs.get("version"), theirs.get("stage"), theirs.get("counter")
    )  # fmt: skip


def test_what_is_written_is_read_back() -> None:
    one = grammar.registration("sub/dir:m", Version("1.2.3"))
    assert one == "sub/dir=m@v1.2.3"
    assert parse(one) == Meaning("register", "sub/dir:m", version="v1.2.3")
    two = grammar.assignment("m", "prod", 7)
    assert two == "m#prod#7"
    assert parse(two) == Meaning("assign", "m", stage="prod", counter=7)


ORDERED = [
    "0.0.1", "0.9.0", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
    "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0",
]  # fmt: skip


def test_versions_are_ordered_as_semver_and_gto_do() -> None:
    for one, other in itertools.combinations(ORDERED, 2):
        assert Version(one) < Version(f"v{other}")
        assert SemVer(f"v{one}") < SemVer(f"v{other}")
    assert Version("1.0.0+a") == Version("1.0.0+b")


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "v1.2", "1.2.3.4", "01.2.3", "1.2.3-", "a", "1.2.٣"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        grammar.to_version(text)


@pytest.mark.parametrize(
    ("version", "part", "after"),
    [
        ("1.2.3", "patch", "1.2.4"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "major", "2.0.0"),
        ("1.0.0-rc.1", "patch", "1.0.0"), ("1.0.0-rc.1", "major", "1.0.0"),
        ("1.2.0-rc.1", "minor", "1.2.0"), ("1.2.3-rc.1", "minor", "1.3.0"),
        ("1.2.3-rc.1", "major", "2.0.0"),
    ],
)  # fmt: skip
def test_the_next_version(version: str, part: str, after: str) -> None:
    assert Version(version).bumped(part).tag == f"v{after}"


@pytest.mark.parametrize(
    "name", ["a b", "-a", "a..b", "a//b", "x.lock/a:m", "a:b:c", "m\n", "ü", ""]
)
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        grammar.check_model(name)


@pytest.mark.parametrize("name", ["m", "census-2", "a/b_c", "sub:m", "sub/dir.x:m"])
def test_names_that_gto_takes(name: str) -> None:
    assert check_string_is_valid(name, fullname_re)
    grammar.check_model(name)
    grammar.check_stage("prod")
    with pytest.raises(UsageError):
        grammar.check_stage("pr:od")
