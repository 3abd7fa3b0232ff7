"""pipeline.lock_merge against a merge of dictionaries, and against DVC's own writer."""

import copy
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml, modify_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_merge import Merged, merge_locks
from mlxkit.pipeline.lock_sides import Marks, split

fast = settings(
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
MD5 = "d41d8cd98f00b204e9800998ecf8427e"
GONE = None
MARKS = Marks("HEAD", "topic")
Entry = dict[str, Any]
Edits = dict[str, Entry | None]


def entry(version: int = 0, **params: Any) -> Entry:
    made: Entry = {
        "cmd": "python train.py " + "--option value " * (version * 3),
        "deps": [{"path": "data/é.txt", "hash": "md5", "md5": MD5, "size": 3}],
    }
    if params:
        made["params"] = {"params.yaml": params}
    out = {"path": "out", "hash": "md5", "md5": f"{version:032x}.dir", "size": version, "nfiles": 2}
    return {**made, "outs": [out]}


def text_of(stages: dict[str, Any], **extra: Any) -> str:
    return str(dumps_yaml({"schema": "2.0", "stages": stages, **extra}))


def edited(folder: Path, text: str, edits: Edits) -> str:
    """What DVC makes of a lock when it removes stages, then runs others, one after the other."""
    path = folder / "by-dvc.lock"
    path.write_text(text)
    for name in [name for name, new in edits.items() if new is GONE]:
        with modify_yaml(str(path)) as lock:
            lock["stages"].pop(name, None)
    for name, new in edits.items():
        if new is not GONE:
            with modify_yaml(str(path)) as lock:
                lock["stages"].update({name: copy.deepcopy(new)})
    return path.read_text()


def merge(base: str, ours: str, theirs: str, marks: Marks = MARKS) -> Merged:
    return merge_locks(base.encode(), ours.encode(), theirs.encode(), marks)


def stages_of(text: str) -> dict[str, Entry]:
    return dict(loads_yaml(text).get("stages") or {})


names = st.sampled_from(["a", "prep", "train@0.1", "k: v", "'q'", "zz"])
entries = st.builds(
    entry,
    st.integers(0, 3),
    lr=st.sampled_from([1, 1.0, True, "1", 1e-05]),
)
start = st.dictionaries(names, entries, max_size=5)
edits_of = st.dictionaries(names, st.none() | entries, max_size=4)


@fast
@given(start, edits_of, edits_of)
def test_any_two_branches(
    tmp_path: Path, stages: Any, our_edits: Edits, their_edits: Edits
) -> None:
    """The merge by stages, in the form of DVC; a conflict is where both differ from the base."""
    base = text_of(stages)
    ours, theirs = (edited(tmp_path, base, edits) for edits in (our_edits, their_edits))
    old, mine, other = stages_of(base), stages_of(ours), stages_of(theirs)
    take: Edits = {}
    clashes = []
    for name in [*mine, *(name for name in other if name not in mine)]:
        before, now, then = (repr(side.get(name)) for side in (old, mine, other))
        if then in (now, before):
            continue
        if now == before:
            take[name] = other.get(name)
        else:
            clashes.append(name)
    merged = merge(base, ours, theirs)
    assert list(merged.conflicts) == clashes
    assert merged.settled == (edited(tmp_path, ours, take) if take else ours)
    sides = split(merged.text)
    assert sides is not None
    assert sides[0] == merged.settled
    assert repr(sorted(stages_of(sides[1]).items())) == repr(
        sorted(
            (name, one)
            for name, one in {
                **stages_of(merged.settled),
                **{name: other.get(name) for name in clashes},
            }.items()
            if one is not None
        )
    )
    assert merged.text.count("<<<<<<< HEAD\n") == merged.text.count(">>>>>>> topic\n")
    assert merged.text.count("<<<<<<< HEAD\n") == len(clashes)
    if not clashes:
        assert merged.text == merged.settled
        back = merge(base, theirs, ours)
        assert stages_of(back.text) == stages_of(merged.text), "either way round"


def test_new_stages_come_last_as_if_theirs_had_run_on_top_of_ours() -> None:
    base = text_of({"a": entry(), "b": entry()})
    ours = text_of({"a": entry(), "b": entry(1), "x": entry(), "y": entry()})
    theirs = text_of({"a": entry(2), "b": entry(), "w": entry(), "y": entry()})
    merged = merge(base, ours, theirs)
    assert merged.conflicts == ()
    assert list(stages_of(merged.text)) == ["a", "b", "x", "y", "w"]
    assert merged.text == text_of(
        {"a": entry(2), "b": entry(1), "x": entry(), "y": entry(), "w": entry()}
    )


def test_a_conflict_is_marked_around_the_entry_and_nothing_else() -> None:
    base = text_of({"a": entry(), "b": entry(), "c": entry()})
    ours = text_of({"a": entry(1), "b": entry(), "c": entry()})
    theirs = text_of({"a": entry(2), "b": entry(), "c": entry(3)})
    merged = merge(base, ours, theirs, Marks("HEAD", "topic (a: subject)", 9))
    block = {
        version: text_of({"a": entry(version)}).removeprefix("schema: '2.0'\nstages:\n")
        for version in (1, 2)
    }
    rest = text_of({"b": entry(), "c": entry(3)}).removeprefix("schema: '2.0'\nstages:\n")
    assert merged.text == (
        "schema: '2.0'\nstages:\n"
        f"<<<<<<<<< HEAD\n{block[1]}=========\n{block[2]}>>>>>>>>> topic (a: subject)\n{rest}"
    )
    assert dict(merged.theirs) == {"a": entry(2)}


@pytest.mark.parametrize(
    ("ours", "theirs", "conflicts", "left"),
    [
        ({"a": 1}, {"a": 1}, [], {"a": 1}),
        ({"a": 1}, {"a": 2}, ["a"], {"a": 1}),
        ({}, {"a": 0}, [], {}),
        ({"a": 0}, {}, [], {}),
        ({}, {}, [], {}),
        ({}, {"a": 1}, ["a"], {}),
        ({"a": 1}, {}, ["a"], {"a": 1}),
        ({"a": 0, "n": 1}, {"a": 0, "n": 1}, [], {"a": 0, "n": 1}),
        ({"a": 0, "n": 1}, {"a": 0, "n": 2}, ["n"], {"a": 0, "n": 1}),
    ],
)
def test_each_pair_of_changes(ours: Any, theirs: Any, conflicts: Any, left: Any) -> None:
    def made(side: dict[str, int]) -> str:
        return text_of({"k": entry(), **{name: entry(one) for name, one in side.items()}})

    merged = merge(made({"a": 0}), made(ours), made(theirs))
    assert list(merged.conflicts) == conflicts
    assert merged.settled == made(left)


def test_what_ours_removed_is_shown_where_theirs_has_it() -> None:
    base = text_of({name: entry() for name in "abc"})
    ours = text_of({name: entry() for name in "ac"})
    merged = merge(base, ours, text_of({"a": entry(), "b": entry(1), "c": entry()}))
    assert "\n<<<<<<< HEAD\n=======\n  b:\n" in merged.text
    assert merged.text.index("  a:\n") < merged.text.index("  b:\n") < merged.text.index("  c:\n")


def test_both_added_the_file() -> None:
    ours, theirs = text_of({"a": entry(), "s": entry(1)}), text_of({"b": entry(), "s": entry(2)})
    merged = merge("", ours, theirs)
    assert merged.conflicts == ("s",)
    assert list(stages_of(merged.settled)) == ["a", "s", "b"]


def test_comments_and_forms_of_ours_stay_as_under_dvc(tmp_path: Path) -> None:
    base = text_of({"a": entry(), "b": entry()})
    ours = "# kept by hand\n" + base.replace("  b:\n", "  b: # mine\n").replace(
        "size: 3", "size: 4"
    )
    theirs = text_of({"a": entry(), "b": entry(), "c": entry(1)})
    merged = merge(base, ours, theirs)
    assert merged.text == edited(tmp_path, ours, {"c": entry(1)})
    assert "# kept by hand" in merged.text and "# mine" in merged.text


def test_a_lock_in_flow_style_is_merged_as_dvc_would(tmp_path: Path) -> None:
    base = "{schema: '2.0', stages: {a: {cmd: x}, b: {cmd: x}}}\n"
    ours, theirs = (
        base.replace("a: {cmd: x}", "a: {cmd: y}"),
        base.replace("b: {cmd: x}", "b: {cmd: z}"),
    )
    merged = merge(base, ours, theirs)
    assert merged.text == edited(tmp_path, ours, {"b": {"cmd": "z"}})
    with pytest.raises(ProjectError, match="no blocks of their own"):
        merge(base, ours, base.replace("a: {cmd: x}", "a: {cmd: z}"))


# --- data sets


def dataset(name: str, rev: str) -> Entry:
    return {"name": name, "url": "s3://a", "type": "url", "rev": rev}


def test_data_sets_are_merged_by_name(tmp_path: Path) -> None:
    stages = {"a": entry()}
    base = text_of(stages, datasets=[dataset("x", "1"), dataset("y", "1")])
    ours = text_of(stages, datasets=[dataset("x", "2"), dataset("y", "1")])
    theirs = text_of({"a": entry(1)}, datasets=[dataset("x", "1"), dataset("z", "1")])
    merged = merge(base, ours, theirs)
    assert merged.text == text_of({"a": entry(1)}, datasets=[dataset("x", "2"), dataset("z", "1")])
    assert merge(text_of(stages), text_of(stages), base).text == base


def test_data_sets_that_clash_are_left_to_git() -> None:
    sides = (text_of({"a": entry()}, datasets=[dataset("x", rev)]) for rev in "123")
    with pytest.raises(ProjectError, match="data set 'x' changed on both sides"):
        merge(*sides)


# --- what is no lock


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  cmd: x\n", "'schema' is missing"),
        ("", "is empty"),
        ("schema: '2.0'\nstages: [\n", "expected"),
        ("schema: '2.0'\n<<<<<<< x\nstages: {}\n=======\n>>>>>>> y\n", "merge-conflict markers"),
        ("schema: '3.0'\nstages: {}\n", "unknown schema '3.0'"),
    ],
)
def test_a_side_that_is_no_lock_is_named(text: str, said: str) -> None:
    good = text_of({"a": entry()})
    for ours, theirs, label in ((text, good, "HEAD"), (good, text, "topic")):
        with pytest.raises(ProjectError, match=said) as caught:
            merge(good, ours, theirs)
        assert (caught.value.where or "").startswith(label)


def test_an_ancestor_that_cannot_be_read_only_makes_conflicts() -> None:
    """DVC 1 wrote it, say. What is the same on both sides is merged, nothing else is known."""
    ours = text_of({"a": entry(), "b": entry(1), "c": entry()})
    theirs = text_of({"a": entry(), "b": entry(2)})
    assert merge("a:\n  cmd: x\n", ours, theirs).conflicts == ("b", "c")


def test_an_ancestor_that_git_merged_with_a_conflict() -> None:
    """Of two branches that were merged with each other before, Git merges the ancestors first."""
    first = text_of({"a": entry(1), "b": entry()})
    second = text_of({"a": entry(2), "b": entry()})
    virtual = merge(text_of({"a": entry(), "b": entry()}), first, second, Marks(size=9)).text
    ours = text_of({"a": entry(3), "b": entry()})
    theirs = text_of({"a": entry(3), "b": entry(1)})
    merged = merge(virtual, ours, theirs)
    assert merged.conflicts == () and merged.text == theirs
    assert merge(virtual, ours, second).conflicts == ("a",)
