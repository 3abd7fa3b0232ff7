"""Others' words in a card are shown and do nothing."""

from mlxkit.registry.markdown import MISSING, code, size, table, text


def test_marks_are_shown_as_they_are() -> None:
    assert text("<b>x</b> | [a](b)\n# y") == r"\<b\>x\</b\> \| \[a\](b) \# y"
    assert "\x1b" not in text("\x1b[31mred")
    assert text("&lt;") == r"\&lt;"


def test_code_cannot_be_left() -> None:
    assert code("a") == "`a`"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a") == "`` `a ``"
    assert code("a\n\tb") == "`a  b`"
    assert code("a\x1bb") == "`a�b`"
    assert code("") == MISSING


def test_a_bar_ends_no_cell_and_is_shown() -> None:
    row = table(("A", "B"), [(code("cat x | sort"), text("y|z"))])[-1]
    assert row == r"| `cat x \| sort` | y\|z |"


def test_a_long_table_is_cut_and_says_so() -> None:
    lines = table(("A",), [("x",)] * 250)
    assert lines[-1] == "50 more are left out."


def test_one_byte_is_one() -> None:
    assert [size(one) for one in (None, 1, 2048)] == [MISSING, "1 byte", "2,048 bytes"]
