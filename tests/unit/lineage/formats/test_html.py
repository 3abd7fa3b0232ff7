"""The page: whole in itself, right for any text and any number of nodes."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import mlxkit.lineage.formats.html as page_module
from mlxkit.lineage.formats.html import render

from .answers import HOSTILE, chain, hostile

VOID = {"meta", "input", "link", "br", "img", "hr"}


class Page(HTMLParser):
    """A page taken apart: its elements, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def data(self) -> Any:
        return json.loads(self.texts["script"][0])

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [about for _, about in self.elements if name in (about.get("class") or "").split()]


@pytest.mark.parametrize("count", [1, 2, 12, 2000])
def test_every_node_is_there(count: int) -> None:
    answer = chain(count)
    page = Page(render(answer))
    assert len(page.of_class("node")) == count
    assert len(page.of_class("edge")) == len(answer.edges)
    nodes = page.data()["nodes"]
    assert [node["md5"] for node in nodes] == [node.md5 for node in answer.nodes]
    assert nodes[0]["commit"] == answer.artifact.commit
    assert nodes[0]["params"] == [
        ["params.yaml: train.lr", "0.1"],
        ["params.yaml: layers", "[1, 2]"],
    ]
    assert nodes[0]["metrics"] == [["metrics.json: accuracy", "0.93"]]
    for number, about in enumerate(page.of_class("node")):
        assert about["id"] == f"n{number}"
        assert answer.nodes[number].path in str(about["aria-label"])


def test_nothing_is_asked_of_the_network() -> None:
    text = render(chain(12))
    page = Page(text)
    for _, about in page.elements:
        assert not {"src", "href", "srcset", "action", "onclick", "style"} & about.keys()
    assert not re.search(r"https?://|@import|url\((?!#)|fetch\(|XMLHttp|innerHTML|eval\(", text)


def test_only_its_own_script_may_run() -> None:
    """The policy names the digests of the page's script and style; nothing else is allowed."""
    page = Page(render(hostile()))
    (policy,) = [str(about["content"]) for tag, about in page.elements if about.get("http-equiv")]
    assert policy.startswith("default-src 'none'")
    for kind, text in (("script", page.texts["script"][1]), ("style", page.texts["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_text_of_strangers() -> None:
    """It is text everywhere: two scripts, no handler, and all of it comes back unchanged."""
    text = render(hostile())
    page = Page(text)
    assert len(page.texts["script"]) == 2
    assert not any(key.startswith("on") for _, about in page.elements for key in about)
    assert [node.get("path", "") for node in page.data()["nodes"]] == HOSTILE
    assert "<" not in page.texts["script"][0]
    assert len(page.of_class("node")) == len(HOSTILE)
    labels = [str(about["aria-label"]) for about in page.of_class("node")]
    assert labels[0].startswith("</script><script>alert(1)</script>, ")
    text.encode("utf-8", "replace")


def test_it_can_be_used_without_a_mouse() -> None:
    page = Page(render(chain(5)))
    nodes = page.of_class("node")
    assert [about["tabindex"] for about in nodes] == ["0", "-1", "-1", "-1", "-1"]
    assert all(about["role"] == "button" for about in nodes)
    assert len(page.texts["title"]) == 6  # the page's, and one a node
    for tag, about in page.elements:
        if tag == "button":
            assert about.get("aria-label") or about.get("title")
    assert ("html", {"lang": "en"}) in page.elements


def test_light_dark_and_paper() -> None:
    style = Page(render(chain(1))).texts["style"][0]
    for media in ("prefers-color-scheme: dark", "@media print", "max-width: 700px"):
        assert media in style


def test_notes_are_shown() -> None:
    page = Page(render(chain(2)._replace(notes=("a <b>shallow</b> clone",))))
    assert page.texts["li"] == ["a <b>shallow</b> clone"]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_script_can_be_parsed() -> None:
    script = Path(page_module.__file__).with_name("page.js")
    subprocess.run(["node", "--check", str(script)], check=True)
