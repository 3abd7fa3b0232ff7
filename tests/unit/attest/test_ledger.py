"""Envelopes in Git: kept, carried to and fro, joined; nothing gets lost, nothing false comes in."""

import multiprocessing
from pathlib import Path

import pytest

from mlxkit.attest import dsse, ledger
from mlxkit.attest.dsse import Envelope, Signature
from mlxkit.attest.ledger import CHAIN
from mlxkit.core.errors import RemoteError
from mlxkit.runs import chain_carry as carry
from mlxkit.runs.record import digest
from mlxkit.runs.repository import Who

from .conftest import git

WHO = Who("Ann", "Ann <ann@example.org> 1700000000 +0000")


def envelope(number: int) -> bytes:
    payload = b"{}%d" % number
    return dsse.encode(Envelope(payload, dsse.PAYLOAD_TYPE, (Signature("k", b"s"),)))


def add(root: Path, *numbers: int) -> None:
    for number in numbers:
        ledger.append(str(root), envelope(number), WHO)


def kept(root: Path) -> set[bytes]:
    return set(CHAIN.read_all(str(root)).values())


def many(*numbers: int) -> set[bytes]:
    return {envelope(one) for one in numbers}


def test_nothing_yet(repo: Path) -> None:
    assert CHAIN.tip(str(repo)) is None
    assert CHAIN.read_all(str(repo)) == {}


def test_kept_by_digest(repo: Path) -> None:
    add(repo, 1, 2, 1)
    assert kept(repo) == many(1, 2)
    name = digest(envelope(1))
    listed = git(repo, "ls-tree", "-r", "--name-only", CHAIN.ref).splitlines()
    assert CHAIN.path_of(name) in listed and len(listed) == 2
    assert git(repo, "status", "--porcelain") == ""


def test_what_is_not_what_its_name_says(repo: Path) -> None:
    add(repo, 1)
    blob = git(repo, "hash-object", "-w", "--", ".git/config")
    tree = git(repo, "rev-parse", f"{CHAIN.ref}^{{tree}}")
    git(repo, "read-tree", "--index-output=.git/scratch", tree)
    path = CHAIN.path_of("a" * 64)
    git(repo, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    bad = git(repo, "commit-tree", "-m", "bad", git(repo, "write-tree"))
    git(repo, "update-ref", CHAIN.ref, bad)
    assert kept(repo) <= many(1)


def _append(root: str, first: int) -> None:
    for number in range(first, first + 5):
        ledger.append(root, envelope(number), WHO)


def test_several_at_once(repo: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append, args=(str(repo), 10 * n)) for n in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert [one.exitcode for one in workers] == [0, 0, 0]
    assert kept(repo) == many(*(10 * n + k for n in range(3) for k in range(5)))


@pytest.fixture
def origin(repo: Path, tmp_path: Path) -> Path:
    git(repo, "clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    return tmp_path / "origin.git"


def clone(origin: Path, name: str) -> Path:
    path = origin.parent / name
    git(origin, "clone", "-q", str(origin), str(path))
    return path


def told(carried: carry.Carried | None) -> tuple[str, int, int]:
    assert carried is not None
    return carried


def test_to_and_fro(origin: Path) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    assert carry.push(str(one), CHAIN) is None
    add(one, 1, 2)
    assert told(carry.push(str(one), CHAIN)) == ("origin", 2, 0)
    assert told(carry.push(str(one), CHAIN)) == ("origin", 0, 0)
    assert told(carry.fetch(str(two), CHAIN)) == ("origin", 2, 0)
    assert CHAIN.tip(str(one)) == CHAIN.tip(str(two)), "nothing was to be joined"
    add(two, 3)
    assert told(carry.push(str(two), CHAIN))[:2] == ("origin", 1)
    add(one, 4)
    assert told(carry.push(str(one), CHAIN))[:2] == ("origin", 1)
    assert told(carry.fetch(str(two), CHAIN))[:2] == ("origin", 1)
    assert kept(one) == kept(two) == kept(origin) == many(1, 2, 3, 4)
    assert CHAIN.tip(str(one)) == CHAIN.tip(str(two)) == CHAIN.tip(str(origin))


def test_two_that_know_nothing_of_each_other(origin: Path) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    add(one, 1)
    add(two, 2)
    carry.push(str(one), CHAIN)
    carry.push(str(two), CHAIN)
    carry.fetch(str(one), CHAIN)
    assert kept(one) == kept(two) == many(1, 2)


def test_what_a_remote_drops_stays(origin: Path) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    add(one, 1)
    carry.push(str(one), CHAIN)
    carry.fetch(str(two), CHAIN)
    empty = git(origin, "hash-object", "-t", "tree", "-w", "/dev/null")
    tip = CHAIN.tip(str(origin))
    assert tip is not None
    who = ("-c", "user.name=x", "-c", "user.email=x")
    bad = git(origin, *who, "commit-tree", "-m", "x", "-p", tip, empty)
    git(origin, "update-ref", CHAIN.ref, bad)
    carry.fetch(str(two), CHAIN)
    assert kept(two) == many(1)
    carry.push(str(two), CHAIN)
    assert kept(origin) == many(1)


def test_what_is_none_does_not_come_in(origin: Path) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    for data in (b"{}", b"no envelope", b""):
        ledger.append(str(one), data, WHO)
    add(one, 1)
    carry.push(str(one), CHAIN)
    assert told(carry.fetch(str(two), CHAIN)) == ("origin", 1, 3)
    assert kept(two) == many(1)
    assert told(carry.fetch(str(two), CHAIN)) == ("origin", 0, 0)


def test_a_remote_that_is_away(origin: Path, tmp_path: Path) -> None:
    one = clone(origin, "one")
    add(one, 1)
    origin.rename(tmp_path / "away")
    with pytest.raises(RemoteError) as caught:
        carry.push(str(one), CHAIN)
    assert caught.value.where == "remote 'origin'"


def test_without_a_remote(repo: Path) -> None:
    add(repo, 1)
    assert carry.push(str(repo), CHAIN) is None
    assert carry.fetch(str(repo), CHAIN) is None
