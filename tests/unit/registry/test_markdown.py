"""Others' words in a card are shown and do nothing."""

from mlxkit.registry.markdown import MISSING, code, has_slices, slices_of, table, text


def test_marks_are_shown_as_they_are() -> None:
    assert text("<b>x</b> | [a](b)\n# y") == r"\<b\>x\</b\> \| \[a\](b) \# y"
    assert "\x1b" not in text("\x1b[31mred")
    assert text("&lt;") == r"\&lt;"


def test_code_cannot_be_left() -> None:
    assert code("a") == "`a`"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a") == "`` `a ``"
    assert "|" not in code("a|b")
    assert "\n" not in code("a\nb")
    assert code("") == MISSING


def test_slices_are_told_from_plain_values() -> None:
    values = {"sex": {"f": {"acc": 1, "deep": {}}, "m": {"acc": 2}}}
    assert has_slices(values)
    assert list(slices_of(values)) == [("sex=f", {"acc": 1}), ("sex=m", {"acc": 2})]
    assert not has_slices({"acc": 1, "sex": {}})


def test_a_long_table_is_cut_and_says_so() -> None:
    lines = table(("A",), [("x",)] * 250)
    assert lines[-1] == "50 more are left out."
