"""The files of a running stage, as a look finds them one after the other."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mlxkit.live import series
from mlxkit.live.series import Series, Source, Watch, order
from mlxkit.live.watched import sources
from mlxkit.metrics.preferences import Preference
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.spec import Out, Stage


def told(found: list[Series]) -> dict[str, Any]:
    return {one.name: (one.value, one.points) for one in found}


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_files_that_come_change_and_go(out: Path) -> None:
    watch = Watch([Source(str(out / "m.json"))])
    assert watch.look() == []
    write(out / "m.json", {"loss": 2})
    assert told(watch.look()) == {"loss": (2, (2.0,))}
    write(out / "m.json", {"loss": 1.5})
    assert told(watch.look()) == {"loss": (1.5, (2.0, 1.5))}
    (out / "m.json").unlink()
    assert watch.look() == []
    write(out / "m.json", {"loss": 9})
    assert told(watch.look()) == {"loss": (9, (9.0,))}


def test_what_was_there_before_is_not_shown_until_it_changes(out: Path) -> None:
    write(out / "m.json", {"loss": 2})
    write(out / "c.csv", "step,acc\n0,1\n")
    watch = Watch([Source(str(out / "m.json")), Source(str(out / "c.csv"), plot=True)])
    assert watch.look() == []
    write(out / "m.json", {"loss": 10})
    with (out / "c.csv").open("a") as file:
        file.write("1,2\n")
    assert told(watch.look()) == {"acc": (2.0, (1.0, 2.0)), "loss": (10, (10.0,))}


def test_what_is_older_than_a_time_is_not_shown(out: Path) -> None:
    write(out / "m.json", {"loss": 2})
    os.utime(out / "m.json", (1000, 1000))
    assert Watch([Source(str(out))], since=1000.5).look() == []
    assert told(Watch([Source(str(out))], since=999.5).look()) == {"loss": (2, (2.0,))}


def test_a_folder_of_dvclive(out: Path) -> None:
    watch = Watch([Source(str(out))])
    write(out / "metrics.json", {"step": 1, "train": {"loss": 0.5}, "best": 3})
    write(out / "plots" / "metrics" / "train" / "loss.tsv", "step\tloss\n0\t1\n1\t0.5\n")
    write(out / "plots" / "metrics" / "lr.tsv", "step\tlr\n0\t1\n")
    write(out / "plots" / "images" / "x.png", "no picture")
    write(out / "params.yaml", "")
    assert told(watch.look()) == {
        "lr": (1.0, (1.0,)),
        "train.loss": (0.5, (1.0, 0.5)),
        "step": (1, ()),
        "best": (3, (3.0,)),
    }


def test_names_in_several_files(out: Path) -> None:
    watch = Watch([Source(str(out))])
    for model in ("a", "b"):
        write(out / model / "test.json", {"loss": 1, model: 2})
    write(out / "curve.csv", "step,acc\n0,1\n")
    write(out / "other.csv", "step,acc\n0,1\n")
    names = {one.name for one in watch.look()}
    assert names == {"a/test:loss", "b/test:loss", "a", "b", "curve:acc", "other:acc"}


def test_a_file_that_is_metric_and_plot(out: Path) -> None:
    path = str(out / "m.json")
    watch = Watch([Source(path), Source(path, plot=True)])
    write(out / "m.json", {"loss": 1, "rows": [{"step": 0, "acc": 2}]})
    assert told(watch.look()) == {"acc": (2.0, (2.0,)), "loss": (1, (1.0,))}


def test_a_file_that_may_not_be_read_and_one_that_is_a_folder(out: Path) -> None:
    (out / "m.json").mkdir(parents=True)
    os.symlink("nowhere", out / "n.json")
    os.symlink(out, out / "loop")
    assert Watch([Source(str(out)), Source(str(out / "m.json"))]).look() == []


def test_a_folder_of_many_files(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "_MOST_ENTRIES", 20)
    monkeypatch.setattr(series, "_MOST_FILES", 5)
    watch = Watch([Source(str(out))])
    for number in range(100):
        write(out / f"{number}.json", {f"m{number}": number})
    assert len(watch.look()) == 5


def test_order() -> None:
    moving, still = (1.0, 2.0), (1.0, 1.0)
    names = [("step", moving), ("n", still), ("x", moving), ("valid.acc", still), ("loss", moving)]
    found = [Series(name, 1, points) for name, points in names]
    known = {"loss": Preference("lower"), "acc": Preference("higher"), "none": Preference()}
    assert [one.name for one in order(found, known)] == ["loss", "valid.acc", "x", "n", "step"]


def declared(*stages: Stage, **others: Any) -> Declared:
    return Declared("/p", {}, stages=list(stages), **others)


def test_which_files_belong_to_a_stage() -> None:
    outs = (
        Out("m.json", "/p/m.json", metric=True),
        Out("c.csv", "/p/c.csv", plot=True),
        Out("live", "/p/live"),
    )
    stage = Stage("/p/dvc.yaml", "train", "/p", "x", outs=outs)
    plots = [
        {"live/plots/sklearn/cm.json": {"x": "a"}},
        "free.csv",
        {"Title": {"y": {"live/curve.csv": ["a"], "c.csv": "b"}}},
    ]
    known = declared(
        stage,
        metrics=["/p/live/metrics.json", "/p/sub/../free.json"],
        plots={"/p/dvc.yaml": {"plots": plots, "stages": {}}},
    )
    assert sources(stage, known) == [
        Source("/p/m.json"),
        Source("/p/c.csv", plot=True),
        Source("/p/live/metrics.json"),
        Source("/p/live/plots/sklearn/cm.json", plot=True),
        Source("/p/live/curve.csv", plot=True),
        Source("/p/live/plots/metrics", plot=True),
    ]


@pytest.mark.parametrize("plots", [None, {}, [], [None], [{"a": None}], "a.csv"], ids=str)
def test_plots_of_any_form(plots: Any) -> None:
    stage = Stage("/p/dvc.yaml", "train", "/p", "x")
    known = declared(stage, plots={"/p/dvc.yaml": {"plots": plots}})
    assert sources(stage, known) == []
