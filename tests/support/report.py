"""Reports made of plain data, and the Markdown of one as a browser would see it."""

from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.reports.changes import (
    Costs,
    Data,
    End,
    Gates,
    Headline,
    Report,
    Slice,
    SliceTable,
    StageChange,
    Value,
    Values,
)

_VOID = ("hr", "br", "meta")
OLD, NEW = "a" * 40, "b" * 40


def make_report(**given: Any) -> Report:
    """A report in which nothing changed, but for what is given."""
    told: dict[str, Any] = {
        "project": "project",
        "base": End("main", OLD, "before"),
        "head": End("branch", NEW, "after"),
        "headline": Headline("passed", "Gate test passed", "nothing changed"),
        "gates": Gates([Outcome("test", [Verdict("threshold", "pass", "acc 0.8 >= 0.5")])]),
        "metrics": Values([], 3),
        "slices": [],
        "params": Values([]),
        "data": Data(),
        "stages": [],
        "costs": Costs(),
        "lineage": None,
        "notes": [],
    }
    return Report(**{**told, **given})


def named(name: str, count: int = 1) -> dict[str, Any]:
    """Parts of a report with one text in all places that others may have written."""
    values = [Value(name, f"{name}{one}", 0.5, 0.25, -0.25, False) for one in range(count)]
    slices = [Slice(f"{name}{one}", 0.5, 0.25, 9, False) for one in range(count)]
    return {
        "base": End(name, OLD, name),
        "head": End(name, NEW, name),
        "headline": Headline("failed", f"Gate {name} failed", name),
        "gates": Gates([Outcome(name, [Verdict(name, "fail", name)] * count)]),
        "metrics": Values(values, 0, [name]),
        "slices": [SliceTable(name, name, "higher", slices, judged=True)],
        "params": Values([Value(name, name, name, f"{name}2")] * count),
        "data": Data(notes=[name] * count),
        "stages": [StageChange(f"{name}{one}", "ran", [name], [name]) for one in range(count)],
        "notes": [name],
    }


class Seen(HTMLParser):
    """What a page holds: its elements, its text, and comments."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open.pop() == tag, "elements that are closed in another order"

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def seen(markdown: str) -> Seen:
    """Return what GitHub's Markdown makes of a text."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    found = Seen()
    found.feed(parser.render(markdown))
    assert not found.open, "elements that are not closed"
    return found
