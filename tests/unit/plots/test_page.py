"""The page: whole, alone, and safe whatever stands in the data."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from mlxkit.plots.drawn import Prepared, make_ready
from mlxkit.plots.page import Page, render, script
from mlxkit.tools import vegalite
from mlxkit.tools.dvc_plots import Revision, draw

pytest.importorskip("vl_convert")

HOSTILE = "</script><script>alert(1)</script><!--\u2028&amp;'\"<img src=x onerror=alert(2)>"


class Parsed(HTMLParser):
    """Elements with their attributes, and the text in each kind of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)


def page_of(revisions: dict[str, Revision], tmp_path: Any, bundle: str = "/* vega */") -> str:
    ready = _ready(revisions, tmp_path)
    notes = [f"not drawn: {HOSTILE}"]
    return render(Page(f"P {HOSTILE}", list(revisions), ready.charts, ready.images, notes), bundle)


def _ready(revisions: dict[str, Revision], tmp_path: Any) -> Prepared:
    return make_ready(draw(revisions, str(tmp_path)), list(revisions))


def revision(rows: list[dict[str, Any]], **said: Any) -> Revision:
    name = f"{HOSTILE}.csv"
    return Revision(
        {"dvc.yaml": {name: said}, "": {"i.png": {}}},
        {name: {"data": rows}, "i.png": {"data": b"\x89PNG" + HOSTILE.encode()}},
    )


def test_hostile_texts_stay_texts(tmp_path: Any) -> None:
    rows = [{HOSTILE: number, "v": number, "note": HOSTILE} for number in range(3)]
    said = {"title": HOSTILE, "x": HOSTILE, "x_label": HOSTILE, "y": "v"}
    revs = {HOSTILE: revision(rows, **said), "b": revision(rows, **said)}
    parsed = Parsed(page_of(revs, tmp_path))
    tags = [tag for tag, _ in parsed.elements]
    assert tags.count("script") == 3  # the data, Vega, our own
    assert not any(name.startswith("on") for _, attrs in parsed.elements for name in attrs)
    assert {attrs["src"][:5] for tag, attrs in parsed.elements if tag == "img"} == {"data:"}  # type: ignore[index]
    data = json.loads(parsed.texts["script"][0])
    chart = data["charts"][0]
    assert list(chart["rows"]["columns"]) == [HOSTILE, "v", "rev"]
    assert HOSTILE in json.dumps(data["colours"], ensure_ascii=False).replace('\\"', '"')
    assert "".join(parsed.texts["h1"]) == f"P {HOSTILE}"


def test_nothing_is_loaded_from_anywhere(tmp_path: Any) -> None:
    text = page_of({"a": revision([{"v": 1}]), "b": revision([{"v": 2}])}, tmp_path)
    parsed = Parsed(text)
    for tag, attrs in parsed.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attrs.get(name) or "data:").startswith("data:"), (tag, attrs)
    assert not re.search(r"@import|url\(|https?:", text)
    policy = next(a for t, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy["content"])


def test_revisions_have_the_same_colours_everywhere(tmp_path: Any) -> None:
    one = [{"v": 1}]
    revs = {"a": revision(one), "b": revision([]), "c": revision(one)}
    data = json.loads(Parsed(page_of(revs, tmp_path)).texts["script"][0])
    light = data["colours"]["light"]
    colour = data["charts"][0]["document"]["encoding"]["color"]["scale"]
    assert colour == {"domain": ["a", "c"], "range": [light["a"], light["c"]]}


def test_an_image_that_a_revision_lacks_has_its_place(tmp_path: Any) -> None:
    there = Revision({"": {"i.svg": {}}}, {"i.svg": {"data": b"<svg/>"}})
    gone = Revision({"": {"i.svg": {}}}, {"i.svg": {"error": FileNotFoundError("i.svg")}})
    text = page_of({"a": there, "b": gone}, tmp_path)
    assert text.count("<figure>") == 1 and text.count('<figure class="gone">') == 1
    assert 'src="data:image/svg+xml;base64,' in text


def test_the_data_come_once_and_small(tmp_path: Any) -> None:
    rows = [{"s": str(one), "v": str(one % 97), "w": "x" * 50} for one in range(20_000)]
    text = page_of({"a": revision(rows, x="s", y="v")}, tmp_path)
    assert len(text) < 100_000
    assert "2,000 of 20,000 points are shown" in text


def test_vegas_script_is_kept(tmp_path: Any) -> None:
    made = script(str(tmp_path))
    assert "vegaEmbed" in made and "</script" not in made.lower()
    (kept,) = tmp_path.iterdir()
    kept.write_text("kept")
    assert script(str(tmp_path)) == "kept"


@pytest.mark.parametrize("template", [
    "linear", "simple", "smooth", "scatter", "scatter_jitter", "confusion",
    "confusion_normalized", "bar_horizontal", "bar_horizontal_sorted",
])  # fmt: skip
@pytest.mark.parametrize("revisions", ["a", "ab"])
def test_each_template_can_be_drawn(template: str, revisions: str, tmp_path: Any) -> None:
    from mlxkit.plots.picture import chart
    from mlxkit.plots.style import config

    rows = [{"s": str(one), "v": str(one % 3)} for one in range(9)]
    said = {"template": template, "x": "s", "y": "v"}
    found = _ready({one: revision(rows, **said) for one in revisions}, tmp_path)
    (drawn,) = found.charts
    picture = vegalite.picture(chart(drawn, list(revisions)), "svg", config(dark=False))
    assert picture.startswith(b"<svg") and b"<path" in picture


def test_two_sources_of_one_revision_differ_in_colour(tmp_path: Any) -> None:
    data = {"data": [{"s": 1, "v": 2, "w": 3}]}
    said = {"x": "s", "y": {"f.csv": ["v", "w"]}}
    one = Revision({"dvc.yaml": {"two": said}}, {"f.csv": data})
    (drawn,) = _ready({"a": one}, tmp_path).charts
    from mlxkit.plots.style import dress

    colour = dress(drawn.plot, ["a"])["encoding"]["color"]
    assert colour["field"] == "field" and colour["scale"] == {"domain": ["v", "w"]}


def test_a_document_that_wants_the_network_gets_none() -> None:
    from mlxkit.core.errors import MlxError

    wanting = {"data": {"url": "http://localhost:9/x.csv"}, "mark": "bar", "encoding": {}}
    with pytest.raises(MlxError, match="not allowed"):
        vegalite.picture(wanting, "svg", {})


def test_what_is_wrong_with_several_revisions_is_said_once(tmp_path: Any) -> None:
    bad = revision([{"v": 1}], y="nofield")
    found = make_ready(
        [one for one in draw({"a": bad, "b": bad}, str(tmp_path)) if one.kind == "vega"], ["a", "b"]
    )
    (why,) = found.empty
    assert why.startswith(HOSTILE) and why.count("Could not find") == 1 and "a, b: " in why
