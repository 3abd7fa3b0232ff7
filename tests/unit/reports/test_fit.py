"""A comment is never too long; the least important parts are cut first, and that is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.report import make_report, named, seen

from mlxkit.reports.fit import LIMIT, Piece, fit, size
from mlxkit.reports.markdown import render


def piece(section: str, importance: int, rows: int, length: int = 100) -> Piece:
    return Piece(section, importance, "<head>", ["x" * length] * rows, "<tail>", section)


def test_all_is_shown_where_there_is_room() -> None:
    found = fit("first", [piece("a", 2, 3), piece("b", 1, 2)])
    assert found.cut == []
    assert found.text.startswith("firsta<head>xx")
    assert found.text.count("x" * 100) == 5


def test_the_least_important_is_cut_first_and_named() -> None:
    found = fit("", [piece("a", 9, 400), piece("b", 1, 300), piece("c", 5, 500)])
    assert found.text.index("b<head>") < found.text.index("c<head>")
    assert "a<head>" not in found.text, "there was no room for a single row"
    assert found.cut[0] == "a"
    assert found.cut[1].startswith("c (")
    assert "and " in found.text
    assert len(found.cut) == 2


def test_a_row_that_never_fits_takes_its_part_with_it() -> None:
    found = fit("", [piece("a", 1, 1, LIMIT), piece("b", 2, 1)])
    assert "a<head>" not in found.text
    assert "b<head>" in found.text
    assert found.cut == ["a"]


def test_size_is_that_of_utf_16() -> None:
    assert [size(one) for one in ("ab", "ä→", "🔴", "a🔴")] == [2, 2, 2, 3]


NAMES = st.sampled_from(["m", "🔴" * 90, "|*" * 60, "x" * 5000, "<" * 300, "@a#1" * 60])


@settings(max_examples=8, derandomize=True, deadline=None)
@given(NAMES, st.sampled_from([1, 13, 200, 3000]))
def test_a_report_of_any_size_fits(name: str, count: int) -> None:
    told = render(make_report(**named(name, count)))
    assert size(told) <= LIMIT
    assert len(told.encode()) <= 4 * LIMIT
    found = seen(told)  # nothing is left open
    assert "In full" in found.text


@pytest.mark.parametrize("count", [5000])
def test_what_was_cut_is_said_and_failures_stay(count: int) -> None:
    told = render(make_report(**named("metric", count)))
    assert "## ❌ Gate metric failed — metric" in told
    last = told.splitlines()[-1]
    assert "Cut to fit a comment" in last
    assert f"--base {'a' * 12} --rev {'b' * 12} --format html" in last
    assert "left out here" in told


def test_small_reports_are_not_cut() -> None:
    told = render(make_report(**named("metric", 30)))
    assert "Cut to fit" not in told
    assert "left out here" not in told
