"""No text of others is markup, a mention, a link or a control code in a report."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.report import NEW, OLD, make_report, named, seen

from mlxkit.reports.escape import code, line, summary, text
from mlxkit.reports.markdown import render

NASTY = [
    "a|b\\|c||",
    "`a` ``b`` ```mermaid",
    "*bold* _it_ __x__ ~~gone~~",
    "[link](http://evil.example) ![img](x)",
    "<script>alert(1)</script> <img src=x onerror=y> &lt;b&gt;",
    "<!-- mlx:report --> -->",
    "</details></code></table>",
    "# heading",
    "- item",
    "1. item",
    "+ item",
    "=====",
    "> quote",
    "    indented",
    "\\",
    "trailing\\",
    "",
    "$x^2$",
]


@pytest.mark.parametrize("raw", NASTY)
def test_what_is_read_is_what_was_written(raw: str) -> None:
    for made in (line(text(raw)), f"- {line(text(raw))}", f"| {code(raw)} |\n| --- |\n"):
        found = seen(made)
        assert found.text.replace("\u200b", "").split() == raw.split()
        assert set(found.tags) <= {"p", "ul", "li", "code", "table", "thead", "tr", "th"}
        assert not found.comments


@pytest.mark.parametrize("raw", ["@ann", "fix #12", "o/r#12", "GH-12", ":tada:", "@o/team"])
def test_nobody_is_notified_and_nothing_is_linked(raw: str) -> None:
    shown = seen(text(raw)).text
    assert not re.search(r"@\w|#\d|GH-\d|:\w+:", shown)
    assert shown.replace("\u200b", "").strip() == raw


@pytest.mark.parametrize(
    "raw",
    ["https://x.example/o/r/issues/1", "see www.x.example", "a_www.x.example", "a@.b@c.example"],
)
def test_addresses_are_not_made_to_links(raw: str) -> None:
    shown = seen(text(raw)).text
    assert "://x" not in shown
    assert "www." not in shown
    assert not re.search(r"@[\w.]", shown)


@pytest.mark.parametrize("raw", NASTY)
def test_the_title_of_a_folded_part_reads_as_it_was_written(raw: str) -> None:
    made = f"<details><summary>{summary(raw)}</summary>\n\nx\n\n</details>\n"
    found = seen(made)
    assert found.text.replace("\u200b", "").split() == [*raw.split(), "x"]
    assert found.tags == ["details", "summary", "p"]


def test_control_codes_are_spelt_out_and_lines_stay_one() -> None:
    assert text("a\x1b[31m\x00b\nc\u202ed\udcff") == "a\\\\x1b\\[31m\\\\x00b c\\\\u202ed\\\\udcff"


def test_long_names_keep_both_ends() -> None:
    assert text("a" * 500 + "z", 21) == "a" * 10 + "…" + "a" * 9 + "z"


ANYTHING = st.text(
    st.one_of(st.characters(), st.sampled_from(list("|`*_<>[]()#@!-&;:~\\$\n\x1b1.+="))),
    max_size=60,
)


@settings(derandomize=True, deadline=None)
@given(ANYTHING)
def test_any_text_is_one_line_without_markup(raw: str) -> None:
    found = seen(line(text(raw)))
    assert set(found.tags) <= {"p"}
    assert not re.search(r"\B@\w|#\d", found.text)


@settings(derandomize=True, deadline=None)
@given(ANYTHING)
def test_any_name_in_all_places_leaves_the_report_as_it_is(raw: str) -> None:
    assume(not OLD.startswith(raw) and not NEW.startswith(raw))  # a commit is named once
    found = seen(render(make_report(**named(raw))))
    plain = seen(render(make_report(**named("name"))))
    assert found.tags == plain.tags
    assert not found.comments
    assert not re.search(r"\B@\w|#\d", found.text)
