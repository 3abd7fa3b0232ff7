"""The graph of stages: who needs whom, what is refused, and DVC's own order."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.pipeline.conftest import Load
from tests.unit.pipeline.parts import ROOT, declared, out, params, stage

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.graph import Graph, build_graph
from mlxkit.pipeline.spec import Stage


def graph(*stages: Stage) -> Graph:
    return build_graph(declared(*stages))


def names(found: Graph, keys: Any) -> list[str]:
    return [found.stages[key].name or "?" for key in keys]


CHAIN = (
    stage("c", ["b.out"], ["c.out"]),
    stage("a", ["in"], ["a.out"]),
    stage("b", ["a.out"], ["b.out"]),
)


def test_each_stage_comes_after_what_it_needs() -> None:
    found = graph(*CHAIN)
    assert names(found, found.post_order()) == ["a", "b", "c"]
    assert names(found, found.needs["/p/dvc.yaml:b"]) == ["a"]
    assert names(found, found.feeds["/p/dvc.yaml:b"]) == ["c"]


@pytest.mark.parametrize(("made", "read", "connected"), [
    ("d", "d", True), ("d", "d/x", True), ("d", "d/x/y", True), ("d/x/y", "d", True),
    ("d/x", "d/y", False), ("d", "d2", False), ("d", "d.txt", False), ("dd", "d", False),
])  # fmt: skip
def test_a_dependency_meets_outputs_above_and_below_it(
    made: str, read: str, connected: bool
) -> None:
    found = graph(stage("make", outs=[made]), stage("read", [read], ["end"]))
    assert bool(found.needs["/p/dvc.yaml:read"]) is connected


def test_a_parameter_file_that_a_stage_writes_connects() -> None:
    found = graph(
        stage("use", ["in"], ["model"], params=(params("tuned.yaml", "lr"),)),
        stage("tune", outs=["tuned.yaml"]),
    )
    assert names(found, found.post_order()) == ["tune", "use"]


def test_upstream_downstream_and_the_whole_pipeline() -> None:
    found = graph(
        stage("a", outs=["a.out"]),
        stage("b", ["a.out"], ["b.out"]),
        stage("c", ["a.out"], ["c.out"]),
        stage("d", ["c.out"], ["d.out"]),
        stage("alone", outs=["x"]),
    )
    c = "/p/dvc.yaml:c"

    def reached(keys: set[str]) -> set[str]:
        return set(names(found, keys))

    assert reached(found.upstream([c])) == {"a", "c"}
    assert reached(found.downstream([c])) == {"c", "d"}
    assert reached(found.pipeline([c])) == {"a", "b", "c", "d"}
    assert names(found, found.post_order(found.upstream([c]))) == ["a", "c"]


def test_what_a_frozen_stage_needs_is_not_brought_up_to_date() -> None:
    found = graph(stage("b", ["a.out"], ["b.out"], frozen=True), stage("a", outs=["a.out"]))
    active = found.active()
    assert names(active, active.upstream(["/p/dvc.yaml:b"])) == ["b"]
    assert names(found, found.upstream(["/p/dvc.yaml:b"])) != ["b"], "the graph itself is whole"


def test_a_pipeline_of_thousands_of_stages_in_a_row() -> None:
    stages = [stage(f"s{n}", [f"o{n - 1}"], [f"o{n}"]) for n in range(3000, 0, -1)]
    found = graph(*stages)
    assert names(found, found.post_order()) == [f"s{n}" for n in range(1, 3001)]


REFUSED = {
    "two write one path": (
        [stage("a", outs=["x"]), stage("b", outs=["x"])],
        "dvc.yaml:5", ["'b'", "'a'", "'x'"],
    ),
    "twice in one stage": ([stage("a", outs=["x", "x"])], "dvc.yaml:2", ["'a'", "'x'", "twice"]),
    "inside another": (
        [stage("a", outs=["d"]), stage("b", outs=["d/x"])],
        "dvc.yaml:5", ["'b'", "'a'", "'d'", "'d/x'"],
    ),
    "around another": (
        [stage("a", outs=["d/x"]), stage("b", outs=["d"])],
        "dvc.yaml:5", ["'b'", "'a'", "'d'", "'d/x'"],
    ),
    "outside the project": ([stage("a", outs=["../x"])], "dvc.yaml:2", ["'a'", "'../x'"]),
    "a .dvc file": ([stage("a", outs=["x.dvc"])], "dvc.yaml:2", ["'a'", "'x.dvc'"]),
    "a dvc.yaml": ([stage("a", outs=["sub/dvc.yaml"])], "dvc.yaml:2", ["'a'", "'sub/dvc.yaml'"]),
    "its own input": ([stage("a", ["x"], ["x"])], "dvc.yaml:2", ["'a'", "'x'"]),
    "a circle of two": (
        [stage("a", ["y"], ["x"]), stage("b", ["x"], ["y"])], "dvc.yaml:", ["circle", "a", "b"],
    ),
    "a circle of folders": (
        [stage("a", ["d"], ["x"]), stage("b", ["x"], ["d/y"])], "dvc.yaml:", ["circle", "a", "b"],
    ),
}  # fmt: skip
TEXT = "stages:\n  a:\n    cmd: run\n\n  b:\n    cmd: run\n"


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_file_line_and_names(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages, where, words = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text(TEXT)
    here = [_moved(one, str(tmp_path)) for one in stages]
    with pytest.raises(ProjectError) as caught:
        build_graph(declared(*here, root=str(tmp_path)))
    assert caught.value.where is not None
    assert caught.value.where.startswith(where), caught.value.where
    for word in words:
        assert word in caught.value.message
    assert caught.value.exit_code == 4


def _moved(one: Stage, root: str) -> Stage:
    """The same stage in a folder that exists."""

    def at(path: str) -> str:
        return os.path.normpath(path.replace(ROOT, root, 1))

    return one._replace(
        file=at(one.file),
        wdir=root,
        deps=tuple(dep._replace(abs=at(dep.abs)) for dep in one.deps),
        outs=tuple(made._replace(abs=at(made.abs)) for made in one.outs),
    )


def test_a_circle_names_its_stages_and_no_others() -> None:
    with pytest.raises(ProjectError) as caught:
        graph(
            stage("start", outs=["s"]),
            stage("a", ["s", "c.out"], ["a.out"]),
            stage("b", ["a.out"], ["b.out"]),
            stage("c", ["b.out"], ["c.out"]),
            stage("after", ["c.out"], ["end"]),
        )
    told = caught.value.message.split(": ", 1)[1].split(" -> ")
    assert sorted(one.rsplit(":", 1)[1] for one in told[:-1]) == ["a", "b", "c"]
    assert told[0] == told[-1]


def test_a_declaration_inside_an_output_is_refused() -> None:
    """What a stage writes is data: DVC would never see the file again."""
    with pytest.raises(ProjectError) as caught:
        graph(stage("make", outs=["data"]), stage(None, outs=["data/x"], cmd=None, file="d.dvc"))
    assert "data" in caught.value.message
    with pytest.raises(ProjectError) as caught:
        graph(stage("make", outs=["sub"]), stage("inner", outs=["x"], file="sub/dvc.yaml"))
    assert "sub/dvc.yaml" in caught.value.message


def test_an_output_outside_the_project_that_nobody_caches_is_allowed() -> None:
    graph(stage("a", outs=[out("../report.html", cache=False)]))


# Against DVC itself

PLACES = ["a", "b", "d/a/x", "d/a/y", "d/b", "d/c/x", "e", "f/x", "f/y", "g"]
READS = [*PLACES, "d", "d/a", "d/c", "f", "in", "other"]

Raw = dict[str, dict[str, Any]]


@st.composite
def pipelines(draw: st.DrawFn) -> Raw:
    """Stages that read what any other writes; now and then a circle or an overlap."""
    count = draw(st.integers(2, 8))
    ranks = draw(st.permutations(range(count)))
    free = draw(st.permutations(PLACES))
    stages: Raw = {}
    made: dict[str, int] = {}
    for rank in ranks:
        name = f"s{rank}"
        taken = free[rank : rank + 1] + (free[8:9] if rank == 0 else [])
        made.update(dict.fromkeys(taken, rank))
        stages[name] = {"cmd": "run", "outs": list(taken)}
    for rank in ranks:
        later = [path for path, maker in made.items() if maker >= rank]
        allowed = [
            path
            for path in READS
            if not any(one == path or one.startswith(path + "/") for one in later)
        ]
        if draw(st.integers(0, 12)) == 0:
            allowed = READS
        deps = draw(st.lists(st.sampled_from(allowed), max_size=4, unique=True))
        deps = [one for one in deps if one not in stages[f"s{rank}"]["outs"]]
        if deps:
            stages[f"s{rank}"]["deps"] = deps
        if draw(st.integers(0, 9)) == 0:
            stages[f"s{rank}"]["frozen"] = True
    return stages


@given(pipelines())
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_same_order_as_dvc_or_refused_by_both(dvc_repo: Any, load: Load, raw: Raw) -> None:
    compare(dvc_repo, load, raw)


def test_the_same_order_as_dvc_below_a_folder_that_is_read(dvc_repo: Any, load: Load) -> None:
    """DVC finds the outputs in a folder by going through it, not in the order of declaration."""
    makers: Raw = {
        f"s{number}": {"cmd": "run", "outs": [path]}
        for number, path in enumerate(["d/a/x", "d/b", "d/a/y", "d/c/z", "d/b2", "d/a/x2"])
    }
    compare(dvc_repo, load, {"reader": {"cmd": "run", "deps": ["d"]}, **makers})


def compare(dvc_repo: Any, load: Load, raw: Raw) -> None:
    from dvc.exceptions import DvcException
    from dvc.repo.reproduce import get_active_graph, plan_repro

    root = dvc_repo.root_dir
    shutil.rmtree(os.path.join(root, ".mlx"), ignore_errors=True)
    Path(root, "dvc.yaml").write_text(yaml.safe_dump({"stages": raw}, sort_keys=False))
    dvc_repo._reset()
    try:
        expected = [one.addressing for one in plan_repro(get_active_graph(dvc_repo.index.graph))]
    except DvcException as error:
        with pytest.raises(ProjectError):
            build_graph(load(root))
        assert error
        return
    found = build_graph(load(root)).active()
    assert names(found, found.post_order()) == expected
