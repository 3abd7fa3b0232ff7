"""A project with plots of every kind, at two commits and changed since."""

import base64
import json

from .project import Project

DEFINED = """
plots:
  - data/hist.yaml:
      x: epoch
      y: acc
  - both:
      x: step
      y:
        data/loss.csv: [loss, val]
  - two files:
      template: simple
      x: step
      y:
        data/loss.csv: loss
        data/more.csv: loss
      y_label: loss of two
  - matrix:
      template: confusion
      x: actual
      y:
        data/classes.csv: predicted
  - shares:
      template: confusion_normalized
      x: actual
      y:
        data/classes.csv: predicted
  - smooth:
      template: smooth
      x: step
      y:
        data/loss.csv: loss
  - jitter:
      template: scatter_jitter
      x: actual
      y:
        data/classes.csv: predicted
  - own:
      template: mine
      x: step
      y:
        data/loss.csv: loss
  - data/lists.json:
      x: epoch
      y: [acc, loss]
  - joined:
      x:
        data/loss.csv: step
      y:
        data/more.csv: loss
  - data/loss.csv
  - absent.csv
  - data/wrong.csv:
      y: nofield
  - data/empty.csv
  - data/rubbish.csv
  - data/nan.csv:
      x: s
      y: v
  - data/text.txt
  - data
"""
STAGES = """
stages:
  make:
    cmd: cp -r made/. .
    deps: [made]
    plots:
      - loss.tsv:
          x: step
          y: loss
          title: Loss </script><script>alert(1)</script>
          x_label: the step
          y_label: the <b>loss</b>
      - nested.json:
          cache: false
          template: scatter
          x: fpr
          y: tpr
      - images
      - bars.csv:
          template: bar_horizontal_sorted
          x: value
          y: name
      - plain.csv:
          header: false
"""
OWN = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": "<DVC_METRIC_DATA>"},
    "title": "<DVC_METRIC_TITLE>",
    "mark": "area",
    "encoding": {
        "x": {"field": "<DVC_METRIC_X>", "type": "quantitative"},
        "y": {"field": "<DVC_METRIC_Y>", "type": "quantitative"},
        "color": {"field": "rev", "type": "nominal"},
    },
}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'


def plotted(project: Project) -> Project:
    """Fill an empty project: commits tagged `one` and `two`, and files changed since."""
    project.write("dvc.yaml", STAGES)
    project.write("data/dvc.yaml", "plots:\n  - loss.csv:\n      x: step\n      y: val\n")
    project.write("top/dvc.yaml", DEFINED.replace("data", "../data"))
    project.write(".dvc/plots/mine.json", json.dumps(OWN))
    for number, tag in ((1, "one"), (2, "two"), (3, None)):
        _fill(project, number)
        project.dvc("repro", "-q").ok()
        if tag:
            project.tools.commit(project.root, tag)
            project.git("tag", tag)
    return project


def _fill(project: Project, number: int) -> None:
    def table(path: str, names: str, rows: list[tuple[object, ...]], by: str = ",") -> None:
        lines = [by.join(map(str, row)) for row in rows]
        project.write(path, "\n".join([names, *lines] if names else lines) + "\n")

    steps = range(8)
    losses = [(one, 1 / (1 + one * number), 1 / (2 + one), f"<i>{one}</i>") for one in steps]
    table("data/loss.csv", "step,loss,val,<b>x</b>", losses)
    table("data/more.csv", "step,loss", [(one, one / number) for one in steps])
    pairs = [("cat", "dog"), ("<b>", "<b>"), ("dog", "dog"), ("cat", "cat")][:number] * 3
    table("data/classes.csv", "actual,predicted", [*pairs, ("dog", "<b>")])
    table("data/nan.csv", "s,v", [(0, 1), (1, "nan"), (2, "-inf"), (3, number)])
    table("data/wrong.csv", "a,b", [(1, 2)])
    project.write("data/empty.csv", "")
    project.write("data/rubbish.csv", bytes(range(256)) * number)
    project.write("data/text.txt", "no table")
    values = [{"epoch": one, "acc": one * number, "loss": -one} for one in steps]
    project.write("data/lists.json", json.dumps({"auc": 1, "deep": {"values": values}}))
    listed = "".join(f"  - epoch: {one}\n    acc: {one / number}\n" for one in steps)
    project.write("data/hist.yaml", f"deep:\n  rows:\n{listed.replace('  -', '    -')}")
    project.write("data/hist.yaml", f"rows:\n{listed}")
    table("made/loss.tsv", "step\tloss", [(one, one * number) for one in steps], "\t")
    table("made/bars.csv", "name,value", [(f"f{one}", one * number) for one in range(4)])
    table("made/plain.csv", "", [(one, one * number) for one in steps])
    roc = [{"fpr": one / 8, "tpr": (one / 8) ** (1 / number), "t": 1} for one in steps]
    project.write("made/nested.json", json.dumps({"roc": roc, "auc": 0.5}))
    for one in range(1, 4):
        project.write(f"made/images/{one}.png", PNG + bytes([number, one]))
    project.write("made/images/10.png", PNG)
    if number == 2:
        project.write("made/images/only.svg", SVG)
    elif number == 3:
        project.sh("rm made/images/only.svg")
