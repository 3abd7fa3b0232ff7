"""pipeline.dvcfile_merge: what is known of the data from one side, notes a key at a time."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.dvcfile_merge import ByLines, digests, merge_dvcfiles
from mlxkit.pipeline.lock_merge import Merged
from mlxkit.pipeline.lock_sides import Marks
from mlxkit.tools import git_merge

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


def dvcfile(md5: str = ONE, *, top: Any = None, **more: Any) -> str:
    out = {"md5": md5, "size": int(md5[0]), "hash": "md5", "path": "data.csv", **more}
    return str(dumps_yaml({"outs": [out], **(top or {})}))


def merge(folder: Path, base: str, ours: str, theirs: str) -> Merged:
    """Merge with what Git makes of the three by lines, as the driver does."""
    paths = []
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text)
        paths.append(str(folder / name))
    raw, clean = git_merge.merge_file(*paths, ("HEAD", "topic"), 7)
    sides = (text.encode() for text in (base, ours, theirs))
    return merge_dvcfiles(*sides, ByLines(raw.decode(), clean), Marks("HEAD", "topic"))


def test_new_data_on_one_side_notes_on_the_other(tmp_path: Path) -> None:
    """The lines are neighbours: Git alone would see a conflict."""
    base, ours = dvcfile(), dvcfile(TWO)
    theirs = dvcfile(desc="the census", top={"meta": {"owner": "x"}})
    for first, second in ((ours, theirs), (theirs, ours)):
        merged = merge(tmp_path, base, first, second)
        assert merged.conflicts == ()
        assert loads_yaml(merged.text) == loads_yaml(
            dvcfile(TWO, desc="the census", top={"meta": {"owner": "x"}})
        )


def test_the_same_on_both_sides(tmp_path: Path) -> None:
    text = dvcfile(TWO, desc="new")
    assert merge(tmp_path, dvcfile(), text, text) == Merged(text, text)
    assert merge(tmp_path, "", text, text) == Merged(text, text)


def test_different_data_is_a_conflict_that_shows_both(tmp_path: Path) -> None:
    merged = merge(tmp_path, dvcfile(), dvcfile(TWO), dvcfile(THREE))
    assert merged.conflicts == ("data",)
    assert merged.text.startswith("<<<<<<< HEAD\n") or "\n<<<<<<< HEAD\n" in merged.text
    assert TWO in merged.text and THREE in merged.text and ">>>>>>> topic\n" in merged.text
    assert merged.settled == dvcfile(TWO)


def test_facts_that_lines_would_mix_are_a_conflict(tmp_path: Path) -> None:
    """An import: one side took another version of the source, the other has other data."""
    filler = {f"key{number}": number for number in range(6)}

    def imported(rev: str, md5: str) -> str:
        repo = {"url": "https://example.org/x", "rev_lock": rev}
        return str(
            dumps_yaml(
                {
                    "deps": [{"path": "data.csv", "repo": repo}],
                    "x": filler,
                    "outs": [{"md5": md5, "size": 1, "hash": "md5", "path": "data.csv"}],
                }
            )
        )

    base, ours, theirs = imported("a", ONE), imported("b", ONE), imported("a", TWO)
    merged = merge(tmp_path, base, ours, theirs)
    assert merged.conflicts == ("data",)
    assert merged.text == f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> topic\n"


def test_comments_of_both_sides_stay(tmp_path: Path) -> None:
    base = "# the data\n" + dvcfile(ONE, desc="old", remote="r") + "meta:\n  a: 1\n  b: 2\n"
    ours = base.replace("# the data", "# our data").replace(ONE, TWO).replace("size: 1", "size: 2")
    theirs = base.replace("  b: 2", "  b: 3 # their note")
    merged = merge(tmp_path, base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.text == ours.replace("  b: 2", "  b: 3 # their note")


def test_notes_a_key_at_a_time(tmp_path: Path) -> None:
    base = dvcfile(top={"meta": {"a": 1, "b": 1, "c": 1}})
    ours = dvcfile(top={"meta": {"a": 2, "b": 1, "c": 1}})
    theirs = dvcfile(top={"meta": {"a": 1, "b": 2}})
    merged = merge(tmp_path, base, ours, theirs)
    assert loads_yaml(merged.text)["meta"] == {"a": 2, "b": 2}
    clash = merge(tmp_path, base, ours, dvcfile(top={"meta": {"a": 3, "b": 1, "c": 1}}))
    assert clash.conflicts == ("notes",) and "<<<<<<< HEAD" in clash.text
    nested = merge(tmp_path, dvcfile(), dvcfile(desc="x"), dvcfile(desc={"en": "x"}))
    assert nested.conflicts == ("notes",)


@pytest.mark.parametrize("text", ["[]\n", "outs: 1\n", "outs:\n- md5: 1\n", "outs: [\n", ""])
def test_what_is_no_dvc_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError):
        merge(tmp_path, dvcfile(), dvcfile(TWO), text)
    assert digests(text.encode()) == []


def test_digests_for_people() -> None:
    assert digests(dvcfile(TWO).encode()) == [TWO]
