"""pipeline.lock_sides: conflict markers written, and told apart."""

import pytest

from mlxkit.pipeline.lock_sides import Marks, split, wrap


@pytest.mark.parametrize("size", [7, 9])
def test_what_was_wrapped_is_split_again(size: int) -> None:
    text = "a\n" + wrap("b\n", "", Marks("HEAD", "topic (x = y)", size)) + "c\n"
    assert split(text) == ("a\nb\nc\n", "a\nc\n")


def test_the_ancestor_between_both_is_neither() -> None:
    text = "<<<<<<< a\nour\n||||||| base\nold\n=======\ntheir\n>>>>>>> b\n"
    assert split(text) == ("our\n", "their\n")


def test_without_markers_both_are_the_text() -> None:
    text = "a: <<<<<<<\n  =======\n\u2028b"
    assert split(text) == (text, text)


@pytest.mark.parametrize("marks", ["<", "<=", "=>", "<>", "<|>", "<<=>>", "<==>", "<=>>", "|"])
def test_markers_that_do_not_pair(marks: str) -> None:
    assert split("".join(f"{mark * 7}\n" for mark in marks)) is None
