"""A stage as DVC resolved it becomes ours: its paths, flags, parameters and needs."""

from typing import Any

import pytest
from dvc.stage.utils import fill_stage_dependencies
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.build import data_stage, pipeline_stages
from mlxkit.pipeline.spec import Dep, Needs, Out, Params, Stage

ROOT = "/p"


def built(data: dict[str, Any], file: str = "/p/dvc.yaml") -> Stage:
    (stage,) = pipeline_stages(ROOT, file, {"s": {"cmd": "run", **data}})
    return stage


def test_paths_are_as_written_and_where_they_are() -> None:
    stage = built({"wdir": "w", "deps": ["../in", "x/./y"], "outs": ["o/"]}, "/p/sub/dvc.yaml")
    assert stage.wdir == "/p/sub/w"
    assert stage.deps == (Dep("../in", "/p/sub/in"), Dep("x/./y", "/p/sub/w/x/y"))
    assert stage.outs == (Out("o/", "/p/sub/w/o"),)
    assert stage.key == "/p/sub/dvc.yaml:s"
    assert stage.lock_path == "/p/sub/dvc.lock"
    assert stage.address("/p") == "sub/dvc.yaml:s"
    assert stage.address("/p/sub") == "s"
    assert stage.address("/p/sub/w") == "../dvc.yaml:s"


def test_an_absolute_path_inside_the_project_is_relative_in_the_lock() -> None:
    stage = built({"wdir": "w", "deps": ["/p/in", "/p/w/x", "/elsewhere/y"], "outs": ["/p/w/o"]})
    assert [dep.path for dep in stage.deps] == ["../in", "x", "/elsewhere/y"]
    assert [dep.abs for dep in stage.deps] == ["/p/in", "/p/w/x", "/elsewhere/y"]
    assert stage.outs[0] == Out("o", "/p/w/o")
    assert stage.delegated is None


@pytest.mark.parametrize(
    "url", ["s3://b/k", "remote://store/x", "https://h/x", "gs://b/k", "hdfs://u@h/p"]
)
@pytest.mark.parametrize("key", ["deps", "outs", "metrics"])
def test_a_url_is_left_to_dvc(url: str, key: str) -> None:
    stage = built({key: [url]})
    assert stage.delegated == f"'{url}' is remote"
    paths = [one.path for one in stage.deps] + [one.path for one in stage.outs]
    assert paths == [url]


@pytest.mark.parametrize("path", ["a:b", "c:/x", "dir/s3:/x", "-x://y", "1s://x"])
def test_a_path_with_a_colon_is_a_path(path: str) -> None:
    assert built({"deps": [path]}).delegated is None


def test_flags_and_kinds_of_outputs() -> None:
    stage = built(
        {
            "outs": ["a", {"b": {"cache": False, "persist": True}}, {"c": {"push": False}}],
            "metrics": [{"m.json": {"cache": False}}],
            "plots": [{"p.csv": {"x": "a", "y": "b"}}],
        }
    )
    assert stage.outs == (
        Out("a", "/p/a"),
        Out("b", "/p/b", cache=False, persist=True),
        Out("c", "/p/c", push=False),
        Out("m.json", "/p/m.json", cache=False, metric=True),
        Out("p.csv", "/p/p.csv", plot=True),
    )


def test_what_else_a_stage_says() -> None:
    stage = built({"frozen": True, "always_changed": True, "desc": "hello", "cmd": ["a", "b"]})
    assert (stage.frozen, stage.always, stage.desc, stage.cmd) == (True, True, "hello", ["a", "b"])


def test_parameters_by_file() -> None:
    stage = built({"params": ["lr", {"conf.toml": ["a", "b"]}, "net.depth", {"all.json": None}]})
    assert stage.params == (
        Params("params.yaml", "/p/params.yaml", ("lr", "net.depth")),
        Params("conf.toml", "/p/conf.toml", ("a", "b")),
        Params("all.json", "/p/all.json", ()),
    )


FILES = ["params.yaml", "a.yaml", "b.json"]
KEYS = st.sampled_from(["x", "y", "z.w"])
ITEMS = st.lists(
    KEYS
    | st.dictionaries(st.sampled_from(FILES), st.none() | st.lists(KEYS, max_size=2), max_size=2),
    max_size=5,
)


@given(ITEMS)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_parameters_are_merged_as_dvc_does(dvc_repo: Any, items: list[Any]) -> None:
    from dvc.stage import PipelineStage

    theirs = PipelineStage(dvc_repo, "dvc.yaml", cmd="run", name="s")
    fill_stage_dependencies(theirs, params=items)
    ours = built({"params": items})
    assert {one.path: list(one.keys) for one in ours.params} == {
        dep.def_path: dep.params for dep in theirs.deps
    }
    assert [one.path for one in ours.params] == [dep.def_path for dep in theirs.deps]


@pytest.mark.parametrize(("meta", "needs"), [
    (None, Needs()),
    ({"author": "me"}, Needs()),
    ({"mlx": None}, Needs()),
    ({"mlx": {}}, Needs()),
    ({"mlx": {"cpus": 2}}, Needs(cpus=2)),
    ({"mlx": {"cpus": 0.5, "gpus": 1}}, Needs(cpus=0.5, gpus=1)),
    ({"mlx": {"memory": 1024}}, Needs(memory=1024)),
    ({"mlx": {"memory": "512M"}}, Needs(memory=512 << 20)),
    ({"mlx": {"memory": "4G"}}, Needs(memory=4 << 30)),
    ({"mlx": {"memory": "4GB"}}, Needs(memory=4 << 30)),
    ({"mlx": {"memory": "4 GiB"}}, Needs(memory=4 << 30)),
    ({"mlx": {"memory": "1.5g"}}, Needs(memory=3 << 29)),
    ({"mlx": {"memory": "10k"}}, Needs(memory=10 << 10)),
    ({"mlx": {"memory": "1T"}}, Needs(memory=1 << 40)),
    ({"mlx": {"exclusive": True}}, Needs(exclusive=True)),
    ({"mlx": {"exclusive": False, "cpus": 1}}, Needs(cpus=1)),
    ("a text", Needs()),
    (["a", "list"], Needs()),
])  # fmt: skip
def test_what_a_stage_asks_of_the_machine(meta: Any, needs: Needs) -> None:
    assert built({"meta": meta}).needs == needs


@pytest.mark.parametrize(("ours", "named"), [
    ("2 cpus", "meta.mlx"),
    ([1], "meta.mlx"),
    ({"cpu": 2}, "'cpu'"),
    ({"cpus": "two"}, "cpus"),
    ({"cpus": True}, "cpus"),
    ({"cpus": -1}, "cpus"),
    ({"gpus": None}, "gpus"),
    ({"gpus": [0, 1]}, "gpus"),
    ({"memory": "lots"}, "memory"),
    ({"memory": "4X"}, "memory"),
    ({"memory": -1}, "memory"),
    ({"memory": True}, "memory"),
    ({"memory": ""}, "memory"),
    ({"exclusive": "no"}, "exclusive"),
    ({"exclusive": "false"}, "exclusive"),
    ({"exclusive": 2}, "exclusive"),
])  # fmt: skip
def test_nonsense_is_refused_and_named(ours: Any, named: str) -> None:
    """Also `exclusive: no`: to YAML 1.2, and so to DVC, that is a text."""
    with pytest.raises(ProjectError) as caught:
        built({"meta": {"mlx": ours}})
    assert named in caught.value.message
    assert "dvc.yaml" in (caught.value.where or "") and "'s'" in str(caught.value)
    assert caught.value.hint


def data(**fields: Any) -> Stage:
    return data_stage(ROOT, "/p/sub/x.dvc", fields)


OUT = {"path": "x", "hash": "md5", "md5": "d41d8cd98f00b204e9800998ecf8427e", "size": 0}


def test_a_dvc_file_is_a_stage_without_a_command() -> None:
    stage = data(outs=[OUT], frozen=True, desc="numbers")
    assert stage.is_source and stage.frozen and stage.desc == "numbers"
    assert stage.outs == (Out("x", "/p/sub/x"),)
    assert stage.recorded == {"outs": [OUT]}
    assert (stage.key, stage.address("/p")) == ("/p/sub/x.dvc", "sub/x.dvc")
    assert stage.delegated is None


def test_the_working_folder_of_a_dvc_file() -> None:
    assert data(outs=[OUT], wdir="..").outs == (Out("x", "/p/x"),)


@pytest.mark.parametrize(("fields", "why"), [
    ({"outs": [OUT], "deps": [{"path": "https://h/x"}]}, "an import"),
    ({"outs": [OUT], "cmd": "make"}, "a pipeline stage in the format of DVC 1"),
    ({"outs": [{"path": "x", "md5": "a" * 32}]}, "data in the format of DVC 2"),
    ({"outs": [{**OUT, "files": [{"relpath": "a", "md5": "b"}]}]}, "data versioned by a cloud"),
    ({"outs": [{**OUT, "cloud": {"s3": {"etag": "1"}}}]}, "data versioned by a cloud"),
    ({"outs": [{**OUT, "path": "s3://b/x"}]}, "data versioned by a cloud"),
])  # fmt: skip
def test_what_only_dvc_can_judge(fields: dict[str, Any], why: str) -> None:
    assert data(**fields).delegated == why


def test_locked_is_the_old_word_for_frozen() -> None:
    assert data(outs=[OUT], locked=True).frozen
