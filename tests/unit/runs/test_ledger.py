"""The chain of records in Git: nothing is lost, whoever writes at the same time."""

import multiprocessing
from pathlib import Path

import pytest

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.runs import ledger
from mlxkit.runs.ledger import append, find, read_all, read_new
from mlxkit.runs.merge import Merged, merge
from mlxkit.runs.record import InvalidRecord, canonical, digest, encode
from mlxkit.runs.repository import REF

from .records import batch, named, record
from .repo import WHO, Repo

THEIRS = "refs/mlx/remotes/origin/runs"


def ids(repo: Repo) -> set[str]:
    return set(read_all(str(repo.root)).records)


def add(repo: Repo, *numbers: int) -> set[str]:
    made = batch(*(record(one) for one in numbers))
    append(str(repo.root), [made], {}, WHO)
    return set(made.records)


def test_nothing_on_record(repo: Repo) -> None:
    assert read_all(str(repo.root)) == (None, {}, [])
    with pytest.raises(UsageError, match="no run"):
        find(str(repo.root), "abcdef")


def test_append_and_read(repo: Repo) -> None:
    before = repo.state()
    env = canonical({"python": "3"})
    first, second = batch(record(1), record(2)), batch(record(3))
    append(str(repo.root), [first, second], {digest(env): env}, WHO)
    append(str(repo.root), [batch(record(4), snapshot=repo.git("rev-parse", "HEAD"))], {}, WHO)
    found = read_all(str(repo.root))
    assert found.records == {
        name: record(number)
        for number, name in enumerate(
            [*named(record(1), record(2)), *named(record(3)), *named(record(4))], 1
        )
    }
    assert ledger.environment(str(repo.root), digest(env)) == env
    assert ledger.environment(str(repo.root), "0" * 64) is None
    assert ledger.environment(str(repo.root), "../x") is None
    assert repo.git("rev-list", "--first-parent", "--count", REF) == "4", "with the first, empty"
    assert repo.git("rev-parse", f"{REF}^2") == repo.git("rev-parse", "HEAD")
    after = repo.state()
    assert after.keys() - before.keys() == {"refs/mlx/runs"}
    assert {name: after[name] for name in before} == before
    repo.git("fsck", "--strict")


def test_a_snapshot_that_git_no_longer_has(repo: Repo) -> None:
    made = batch(record(1), snapshot="1" * 40)
    append(str(repo.root), [made], {}, WHO)
    assert ids(repo) == set(made.records)


def test_what_is_new_since(repo: Repo) -> None:
    add(repo, 1)
    tip = ledger.tip(str(repo.root))
    assert read_new(str(repo.root), tip) == (tip, {}, [])
    added = add(repo, 2, 3)
    assert set(read_new(str(repo.root), tip).records) == added
    assert len(read_new(str(repo.root), "1" * 40).records) == 3, "a commit that is gone"


def test_find_by_prefix(repo: Repo) -> None:
    several = [record(number) for number in range(60)]
    append(str(repo.root), [batch(*several)], {}, WHO)
    for one in several[:3]:
        name = digest(encode(one))
        assert find(str(repo.root), name) == (name, one)
        assert find(str(repo.root), name[:12].upper()) == (name, one)
    for prefix in ("", "abc", "xyzw", "../..", "a" * 65, "ab cd", "abcd\n"):
        with pytest.raises(UsageError, match="not the id"):
            find(str(repo.root), prefix)


def test_a_prefix_of_several(repo: Repo) -> None:
    twins: dict[str, int] = {}
    number = 0
    while True:  # some hundreds until two begin alike
        short = digest(encode(record(number)))[:4]
        if short in twins:
            break
        twins[short] = number
        number += 1
    add(repo, twins[short], number)
    with pytest.raises(UsageError, match="beginning of 2 runs"):
        find(str(repo.root), short)


def test_records_that_are_none(repo: Repo) -> None:
    """Somebody wrote to the ref by hand: it is told, and the rest is read."""
    good = add(repo, 1)
    name = "ab" + "0" * 62
    blob = repo.git("hash-object", "-w", "--stdin", stdin=encode(record(2)))
    stream = (
        f"commit {REF}\ncommitter x <x@x> 1700000000 +0000\ndata 1\nx\nfrom {REF}^0\n"
        f"M 100644 {blob} runs/ab/{name[2:]}.json\nM 120000 {blob} runs/cd/{name[2:]}.json\n"
        f"M 100644 {blob} runs/readme\nM 100755 {blob} other/{name}\n"
    )
    repo.git("fast-import", "--quiet", stdin=stream.encode())
    found = read_all(str(repo.root))
    assert (set(found.records), found.invalid) == (good, [name])
    with pytest.raises(InvalidRecord):
        find(str(repo.root), name)


def _append_some(root: str, first: int) -> None:
    for number in range(first, first + 6):
        append(root, [batch(record(number))], {}, WHO)


def test_several_at_once_lose_nothing(repo: Repo) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_some, args=(str(repo.root), n)) for n in (0, 10, 20)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert [one.exitcode for one in writers] == [0, 0, 0]
    assert len(ids(repo)) == 18
    assert repo.git("rev-list", "--first-parent", "--count", REF) == "19"


def test_a_failure_is_told_and_leaves_nothing(repo: Repo) -> None:
    add(repo, 1)
    lock = repo.write(".git/refs/mlx/runs.lock", "")
    with pytest.raises(MlxError):
        add(repo, 2)
    lock.unlink()
    assert len(ids(repo)) == 1
    with pytest.raises(MlxError):
        ledger.fast_import(str(repo.root), b"nonsense\n")
    assert not list((repo.root / ".git").glob("fast_import_crash*"))


# Merging with what another clone recorded


def clone(repo: Repo, path: Path) -> Repo:
    repo.git("clone", "-q", str(repo.root), str(path))
    return Repo(path)


def bring(ours: Repo, theirs: Repo) -> Merged:
    ours.git("fetch", "-q", str(theirs.root), f"+{REF}:{THEIRS}")
    return merge(str(ours.root), THEIRS, WHO)


@pytest.fixture
def other(repo: Repo, tmp_path: Path) -> Repo:
    return clone(repo, tmp_path / "other")


def test_merging_is_union(repo: Repo, other: Repo) -> None:
    ours, theirs = add(repo, 1, 2), add(other, 3)
    assert bring(repo, other) == (1, 0)
    assert ids(repo) == ours | theirs
    assert bring(repo, other) == (0, 0)
    assert bring(other, repo) == (2, 0)
    assert repo.git("rev-parse", REF) == other.git("rev-parse", REF), "no merge of a merge"
    repo.git("fsck", "--strict")


def test_the_first_records_come_as_they_are(repo: Repo, other: Repo) -> None:
    theirs = add(other, 3)
    assert bring(repo, other) == (1, 0)
    assert ids(repo) == theirs
    assert repo.git("rev-parse", REF) == other.git("rev-parse", REF)
    more = add(other, 4)
    assert bring(repo, other) == (1, 0)
    assert ids(repo) == theirs | more
    assert bring(repo, other) == (0, 0)


def test_the_same_record_on_both_sides(repo: Repo, other: Repo) -> None:
    assert add(repo, 1) == add(other, 1)
    assert bring(repo, other) == (0, 0)
    assert len(ids(repo)) == 1


def test_a_chain_that_drops_ours(repo: Repo, other: Repo) -> None:
    """The remote's chain goes on from ours, and its tree has less: ours stays whole."""
    ours = add(repo, 1, 2)
    bring(other, repo)
    path = other.git("ls-tree", "-r", "--name-only", REF).splitlines()[0]
    stream = (
        f"commit {REF}\ncommitter x <x@x> 1700000000 +0000\ndata 1\nx\nfrom {REF}^0\nD {path}\n"
    )
    other.git("fast-import", "--quiet", stdin=stream.encode())
    theirs = add(other, 3)
    assert bring(repo, other) == (1, 0)
    assert ids(repo) == ours | theirs


@pytest.mark.parametrize("first", [True, False])
def test_a_chain_with_what_is_no_file(repo: Repo, other: Repo, first: bool) -> None:
    """Links, programs and submodules do not come in beside records."""
    theirs = add(other, 3)
    if not first:
        bring(repo, other)
        theirs |= add(other, 4)
    blob = other.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    lines = [
        f"commit {REF}\ncommitter x <x@x> 1700000000 +0000\ndata 1\nx\nfrom {REF}^0",
        f"M 120000 {blob} link",
        f"M 100755 {blob} runs/ab/{'0' * 62}.json",
        f"M 160000 {other.git('rev-parse', 'HEAD')} module",
    ]
    other.git("fast-import", "--quiet", stdin="\n".join([*lines, ""]).encode())
    assert bring(repo, other).added == 1
    assert ids(repo) == theirs
    names = repo.git("ls-tree", "-r", "--name-only", REF).splitlines()
    assert all(ledger.name_of(name) and "0" * 62 not in name for name in names)


def test_a_chain_with_what_is_not_a_record(repo: Repo, other: Repo) -> None:
    """Neither a wrong name, nor other content below a right name, nor something huge comes in."""
    for first in (True, False):
        theirs = add(other, 5 if first else 6)
        blob = other.git("hash-object", "-w", "--stdin", stdin=b'{"format": 1}')
        bad = digest(b'{"format": 1}')
        lines = [
            f"M 100644 {blob} runs/{bad[:2]}/{bad[2:]}.json",
            f"M 100644 {blob} runs/ab/{'0' * 62}.json",
            f"M 100644 {blob} env/ab/{'0' * 62}.json",
            f"M 100644 {blob} elsewhere{first}",
        ]
        stream = f"commit {REF}\ncommitter x <x@x> 1700000000 +0000\ndata 1\nx\nfrom {REF}^0\n"
        other.git("fast-import", "--quiet", stdin="\n".join([stream.strip(), *lines, ""]).encode())
        merged = bring(repo, other)
        assert (merged.added, merged.refused) == (1, 4 if first else 5)
        assert theirs <= ids(repo)
        names = repo.git("ls-tree", "-r", "--name-only", REF).splitlines()
        assert all(ledger.name_of(name) for name in names)
        assert read_all(str(repo.root)).invalid == []
        assert bring(repo, other) == (0, 0)
    ours = add(repo, 7)
    assert ours <= ids(repo)
