"""Which entries differ: the decision alone, on plain data."""

import random

from mlxkit.data.diff.files import compare
from mlxkit.data.diff.sides import Entry, Hash, Side


def side(entries: dict[str, str | None], *, unlisted: tuple[str, ...] = ()) -> Side:
    """A side: a path that ends in "/" is a directory with a digest of its own."""
    made = {
        path.rstrip("/"): Entry(None if md5 is None else Hash(md5), path.endswith("/"))
        for path, md5 in entries.items()
    }
    parents = {path[:at] for path in made for at, sign in enumerate(path) if sign == "/"}
    return Side(made, parents - made.keys(), set(unlisted))


def told(old: Side, new: Side) -> dict[str, list[str]]:
    found = compare(old, new)
    return {
        "added": [one.path for one in found.added],
        "deleted": [one.path for one in found.deleted],
        "modified": [one.path for one in found.modified],
        "renamed": [f"{one.old_path} {one.path}" for one in found.renamed],
    }


def only(**kinds: list[str]) -> dict[str, list[str]]:
    return {"added": [], "deleted": [], "modified": [], "renamed": [], **kinds}


def test_each_kind() -> None:
    old = side({"same": "1", "gone": "2", "other": "3", "from": "4"})
    new = side({"same": "1", "new": "5", "other": "6", "to": "4"})
    assert told(old, new) == {
        "added": ["new"],
        "deleted": ["gone"],
        "modified": ["other"],
        "renamed": ["from to"],
    }


def test_the_first_with_the_same_content_is_the_one_that_was_renamed() -> None:
    old, new = side({"b": "1", "a.x": "1", "a/x": "1"}), side({"z": "1", "y": "1"})
    assert told(old, new) == only(deleted=["b"], renamed=["a.x z", "a/x y"])


def test_what_never_had_a_digest() -> None:
    assert told(side({"x": None}), side({"x": None})) == only()
    assert told(side({"x": None}), side({"x": "1"})) == only(modified=["x"])
    assert told(side({"x": None}), side({"y": None})) == only(added=["y"], deleted=["x"])


def test_a_file_becomes_a_directory() -> None:
    old, new = side({"d": "1"}), side({"d/": "2.dir", "d/x": "1"})
    assert told(old, new) == only(added=["d/x"], modified=["d"])
    assert told(new, old) == only(deleted=["d/x"], modified=["d/"])


def test_a_directory_without_a_digest_is_no_entry() -> None:
    assert told(side({"d": "1"}), side({"d/x": "2"})) == only(added=["d/x"])


def test_what_cannot_be_listed_is_unknown() -> None:
    old = side({"d/": "1.dir", "e": "5"}, unlisted=("d",))
    new = side({"d/": "2.dir", "d/x": "5", "d/deep/y": "6", "e2": "5"})
    assert told(old, new) == only(modified=["d/"], renamed=["e e2"])
    assert compare(old, new).unlisted == ["d/"]


def test_digests_of_dvc_2_equal_no_others() -> None:
    old = Side({"x": Entry(Hash("1", legacy=True))}, set(), set())
    assert told(old, side({"x": "1"})) == only(modified=["x"])


def test_everything_is_accounted_for() -> None:
    """Whatever changes: what each kind says, applied to the old side, makes the new one."""
    chance = random.Random(1)
    for _ in range(300):
        old, new = (
            {
                f"p{chance.randint(0, 9)}": str(chance.randint(0, 4))
                for _ in range(chance.randint(0, 8))
            }
            for _ in range(2)
        )
        found = compare(side(dict(old)), side(dict(new)))
        made = dict(old)
        for one in (*found.deleted, *found.renamed):
            del made[one.old_path or one.path]
        for one in (*found.added, *found.renamed, *found.modified):
            assert one.new is not None
            made[one.path] = one.new.md5
        assert made == new
        assert not {one.old for one in found.deleted} & {one.new for one in found.added}
