"""Plots as a user asks for them: a page, pictures, and clear words where there is nothing."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from tests.support.long import sampled
from tests.support.plotted import plotted
from tests.support.project import Project
from tests.support.tools import Tools

pytest.importorskip("vl_convert")


@pytest.fixture(scope="module")
def shared(tools: Tools, template: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return plotted(Project.copy(template, tmp_path_factory.mktemp("plots") / "p", tools))


def _page(project: Project, *args: str) -> tuple[Path, str]:
    result = project.mlx("plots", *args).ok()
    path = Path(unquote(urlparse(result.stdout.strip()).path))
    return path, result.stderr


def test_one_page_of_all_revisions(shared: Project) -> None:
    path, said = _page(shared, "diff", "one", "two", "workspace")
    assert path == shared.root / "dvc_plots" / "index.html"
    text = path.read_text(encoding="utf-8")
    assert "<h2>Loss &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;</h2>" in text
    for name in ("workspace", "one", "two"):
        assert f"</i>{name}</li>" in text
    assert text.index("<h2>images/3.png") < text.index("<h2>images/10.png")
    assert "not drawn: absent.csv: " not in said
    assert "top/absent.csv: workspace, one, two: No such file" in said
    assert "Could not find provided field (&#x27;nofield&#x27;)" in text
    assert [one.name for one in path.parent.iterdir()] == ["index.html"]


def test_a_file_for_each_plot(shared: Project) -> None:
    words = ("plots", "diff", "one", "two", "--format", "png", "-o", "pictures")
    result = shared.mlx(*words, "--targets", "both", "matrix", "images").ok()
    files = {one.name: one.read_bytes() for one in (shared.root / "pictures").iterdir()}
    assert sorted(f"pictures/{name}" for name in files) == sorted(result.stdout.split())
    assert files["both.png"].startswith(b"\x89PNG") and len(files["both.png"]) > 10_000
    assert files["images_1--one.png"] != files["images_1--two.png"]
    assert "images_only--two.svg" in files and "images_only--one.svg" not in files


def test_svg(shared: Project) -> None:
    words = ("plots", "show", "both", "matrix", "--format", "svg", "-o", "vectors")
    names = shared.mlx(*words).ok().stdout.split()
    assert names == ["vectors/both.svg", "vectors/matrix.svg"]
    text = shared.read("vectors/matrix.svg")
    assert text.startswith("<svg") and "&lt;b&gt;" in text and "<b>" not in text


@pytest.mark.long
def test_a_browser_draws_every_chart(shared: Project) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser")
    path, _ = _page(shared, "diff", "one", "two", "-o", "seen")
    text = path.read_text(encoding="utf-8")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={shared.root / 'browser'}", "--window-size=1000,9000"),
            *("--virtual-time-budget=60000", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    charts = text.count('class="chart"')
    assert charts > 10
    assert done.stdout.count(" shown") == charts
    assert "cannot be drawn" not in done.stdout.split("<script")[0]


def test_no_plots(project: Project) -> None:
    result = project.mlx("plots", "show").ok()
    assert result.stdout == "" and "no plots are declared" in result.stderr
    assert not (project.root / "dvc_plots").exists()
    assert project.mlx("plots", "diff", "--json").ok().json == {}


WRONG = [
    ("diff nowhere", 2, "'nowhere' is no revision"),
    ("show a.csv --format gif", 2, "'gif' is no format"),
    ("show a.csv --show-vega --json", 2, "exclude each other"),
    ("show --show-vega", 2, "name it"),
    ("show none.csv", 1, "No such file or directory: 'none.csv'"),
    ("show a.csv -x nofield", 1, "Could not find provided field ('nofield')"),
    ("show a.csv -t nosuch", 1, "Template 'nosuch' not found"),
    ("show a.csv -t list.json", 1, "template 'list.json'"),
    ("show a.csv -t cut.json", 1, "template 'cut.json' cannot be read"),
    ("show a.csv -t no_anchor.json", 1, "is not using '<DVC_METRIC_DATA>' anchor"),
    ("show a.csv -t odd.json --format png", 1, "Vega-Lite cannot draw it"),
    ("show empty.csv", 1, "there are no points in its data"),
    ("show rubbish.csv", 1, "is not valid utf8"),
    ("show cut.json", 1, "cut.json"),
    ("show rubbish.txt", 1, "file type error"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "code", "said"), sampled(WRONG, 3))
def test_what_cannot_be(args: str, code: int, said: str, project: Project) -> None:
    project.write("a.csv", "a,b\n1,2\n")
    project.write("empty.csv", "")
    project.write("rubbish.csv", bytes(range(256)))
    project.write("rubbish.txt", bytes(range(256)))
    project.write("list.json", "[1]")
    project.write("cut.json", "{")
    project.write("no_anchor.json", '{"mark": "line"}')
    project.write("odd.json", '{"data": {"values": "<DVC_METRIC_DATA>"}, "mark": "nonsense"}')
    result = project.mlx("plots", *args.split())
    assert result.code == code, str(result)
    assert said in result.stderr + result.stdout
    assert "bug" not in result.stderr


BAD = [
    "plots: {a: [\n",
    "plots: {a.csv: 1}\n",
    "stages: {s: 3}\n",
    "plots: [3]\n",
    "plots: [{a.csv: 3}]\n",
    "stages: {s: {cmd: x, plots: [3]}}\n",
]


@pytest.mark.parametrize("bad", sampled(BAD, 3))
def test_one_bad_revision_does_not_hide_the_others(bad: str, project: Project) -> None:
    project.write("a.csv", "a,b\n1,2\n3,4\n")
    project.write("dvc.yaml", "plots: [a.csv]\n")
    project.tools.commit(project.root, "good")
    project.write("dvc.yaml", bad)
    project.tools.commit(project.root, "bad")
    project.write("dvc.yaml", "plots: [a.csv]\n")
    document = project.mlx("plots", "diff", "HEAD", "HEAD~1", "--json").ok().json
    assert [one["rev"] for one in document["errors"]] == ["HEAD"]
    assert document["data"]["a.csv"][0]["revisions"] == ["HEAD~1"]


def test_a_bad_revision_is_told_on_the_page(project: Project) -> None:
    project.write("a.csv", "a,b\n1,2\n3,4\n")
    project.write("dvc.yaml", "plots: {a: [\n")
    project.tools.commit(project.root, "bad")
    project.write("dvc.yaml", "plots: [a.csv]\n")
    path, said = _page(project, "diff")
    text = path.read_text(encoding="utf-8")
    assert said.startswith("HEAD: ") and "dvc.yaml" in said
    assert "<h2>a.csv</h2>" in text and '<p class="note">HEAD: ' in text


def test_an_image_that_the_cache_lacks(project: Project) -> None:
    project.write("dvc.yaml", "stages:\n  s:\n    cmd: cp s.svg i.svg\n    plots: [i.svg]\n")
    project.write("s.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    project.dvc("repro", "-q").ok()
    project.tools.commit(project.root, "one")
    project.sh("rm -rf .dvc/cache/files && rm i.svg")
    result = project.mlx("plots", "show")
    assert result.code == 1
    assert "is not in the cache; run: mlx fetch" in result.stderr


def test_without_the_extra(project: Project) -> None:
    project.write("a.csv", "a,b\n1,2\n")
    hidden = "import sys; sys.modules['vl_convert'] = None; from mlxkit.cli.app import run; "
    words = ["plots", "show", "a.csv"]
    for args, code in ((words, 1), ([*words, "--json"], 0), ([*words, "--show-vega"], 0)):
        done = subprocess.run(
            [sys.executable, "-c", f"{hidden}sys.exit(run({args}))"],
            cwd=project.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert ("pip install 'mlxkit[plots]'" in done.stderr) == (code == 1)
