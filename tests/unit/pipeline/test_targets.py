"""What a user names, and the stages that are meant."""

from pathlib import Path

import pytest
from tests.unit.pipeline.parts import declared, stage

from mlxkit.core.errors import UsageError
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.graph import Graph, build_graph
from mlxkit.pipeline.spec import Stage
from mlxkit.pipeline.targets import addresses, find_stages, order_stages


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declared:
    """Stages at the root and in a folder, a group, tracked data; seen from the root."""
    root = tmp_path.resolve()
    monkeypatch.chdir(root)
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "data").mkdir()
    at = str(root) + "/"
    found = declared(
        stage("prep", ["raw/x"], ["clean"], file=at + "dvc.yaml"),
        stage("train", ["clean"], ["models/a"], file=at + "dvc.yaml"),
        stage("each@one", outs=["one"], file=at + "dvc.yaml"),
        stage("each@two words", outs=["two"], file=at + "dvc.yaml"),
        stage("eachother", outs=["other"], file=at + "dvc.yaml"),
        stage("use", ["models/a"], ["sub/used"], file=at + "sub/dvc.yaml"),
        stage(None, outs=["raw"], cmd=None, file=at + "raw.dvc"),
        root=str(root),
    )
    found.stages = [_at(one, str(root)) for one in found.stages]
    found.groups = {at + "dvc.yaml": ["each"]}
    found.files.append(at + "empty/dvc.yaml")
    return found


def _at(one: Stage, root: str) -> Stage:
    """The same stage in a folder that exists."""
    return one._replace(
        deps=tuple(dep._replace(abs=dep.abs.replace("/p", root, 1)) for dep in one.deps),
        outs=tuple(out._replace(abs=out.abs.replace("/p", root, 1)) for out in one.outs),
    )


def names(project: Declared, *targets: str, **how: bool) -> list[str]:
    return [one.address(project.root) for one in find_stages(project, targets, **how)]


ALL_HERE = ["prep", "train", "each@one", "each@two words", "eachother"]


@pytest.mark.parametrize(("target", "found"), [
    ("train", ["train"]),
    ("dvc.yaml:train", ["train"]),
    (":train", ["train"]),
    ("./dvc.yaml:train", ["train"]),
    ("sub/../dvc.yaml:train", ["train"]),
    ("dvc.yaml", ALL_HERE),
    ("dvc.yaml:", ALL_HERE),
    ("sub/dvc.yaml", ["sub/dvc.yaml:use"]),
    ("sub/dvc.yaml:use", ["sub/dvc.yaml:use"]),
    ("raw.dvc", ["raw.dvc"]),
    ("./raw.dvc", ["raw.dvc"]),
    ("each", ["each@one", "each@two words"]),
    ("each@one", ["each@one"]),
    ("each@two words", ["each@two words"]),
    ("dvc.yaml:each", ["each@one", "each@two words"]),
    ("empty/dvc.yaml", []),
    ("clean", ["prep"]),
    ("models/a", ["train"]),
    ("./models/../models/a", ["train"]),
    ("models/a/part/1", ["train"]),
    ("sub/used", ["sub/dvc.yaml:use"]),
    ("raw", ["raw.dvc"]),
    ("raw/x", ["raw.dvc"]),
])  # fmt: skip
def test_every_form(target: str, found: list[str], project: Declared) -> None:
    assert names(project, target) == found


def test_absolute_paths(project: Declared) -> None:
    root = project.root
    assert names(project, f"{root}/dvc.yaml:train") == ["train"]
    assert names(project, f"{root}/models/a") == ["train"]
    assert names(project, f"{root}/raw.dvc") == ["raw.dvc"]


def test_from_a_subfolder(project: Declared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(project.root, "sub"))
    assert addresses(project)[:2] == ["../dvc.yaml:prep", "../dvc.yaml:train"]
    for target in ("use", "dvc.yaml", "used", "../sub/dvc.yaml:use"):
        assert names(project, target) == ["sub/dvc.yaml:use"]
    assert names(project, "../dvc.yaml:train", "../clean", "../raw.dvc") == [
        "train",
        "prep",
        "raw.dvc",
    ]
    with pytest.raises(UsageError):
        names(project, "train")


@pytest.mark.parametrize(("target", "found"), [
    ("*ra*", ["train"]), ("each?*", ["each@one", "each@two words", "eachother"]),
    ("each@*", ["each@one", "each@two words"]),
    ("*", ALL_HERE),
    ("sub/dvc.yaml:u*", ["sub/dvc.yaml:use"]),
    ("prep", ["prep"]),
    ("each", ["each@one", "each@two words"]),
])  # fmt: skip
def test_wildcards(target: str, found: list[str], project: Declared) -> None:
    assert names(project, target, glob=True) == found


def test_wildcards_only_where_they_are_asked_for(project: Declared) -> None:
    with pytest.raises(UsageError):
        names(project, "tr*")


def test_all_below_a_folder(project: Declared) -> None:
    assert names(project, "sub", recursive=True) == ["sub/dvc.yaml:use"]
    assert names(project, ".", recursive=True) == [*ALL_HERE, "sub/dvc.yaml:use", "raw.dvc"]
    assert names(project, "train", recursive=True) == ["train"]


def test_a_stage_named_twice_is_meant_once(project: Declared) -> None:
    assert names(project, "train", "models/a", "prep", "dvc.yaml:train") == ["train", "prep"]


@pytest.mark.parametrize(("target", "hint"), [
    ("trian", "did you mean 'train'?"),
    ("eahc", "did you mean 'each'?"),
    ("raw.dv", "did you mean 'raw.dvc'?"),
    ("sub/dvc.yaml:usee", "did you mean 'sub/dvc.yaml:use'?"),
    ("qqq", "there are: prep, train, each@one, each@two words, eachother, sub/dvc.yaml:use"),
    ("nowhere/dvc.yaml", "?"),
    ("dvc.yaml:qqq", "?"),
    ("", "there are"),
])  # fmt: skip
def test_unknown(target: str, hint: str, project: Declared) -> None:
    with pytest.raises(UsageError) as caught:
        names(project, target)
    assert f"'{target}'" in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_unknown_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        find_stages(declared(root=str(tmp_path)), ["x"])
    assert "no stages yet" in (caught.value.hint or "")


CHAIN = (
    stage("c", ["b.out"], ["c.out"]),
    stage("a", outs=["a.out"]),
    stage("b", ["a.out"], ["b.out"]),
    stage("d", ["b.out"], ["d.out"]),
    stage("alone", outs=["x"]),
)


@pytest.fixture
def graph() -> Graph:
    return build_graph(declared(*CHAIN))


@pytest.mark.parametrize(("chosen", "how", "order"), [
    ("", {}, "a b c d alone"),
    ("c", {}, "a b c"),
    ("d c", {}, "a b c d"),
    ("c", {"single": True}, "c"),
    ("c a", {"single": True}, "c a"),
    ("", {"single": True}, ""),
    ("c", {"pipeline": True}, "a b c d"),
    ("alone", {"pipeline": True}, "alone"),
    ("c", {"everything": True}, "a b c d alone"),
    ("b", {"downstream": True}, "b c d"),
    ("b alone", {"downstream": True}, "b c d alone"),
])  # fmt: skip
def test_the_order_to_work_in(chosen: str, how: dict[str, bool], order: str, graph: Graph) -> None:
    by_name = {one.name: one for one in CHAIN}
    found = order_stages(graph, [by_name[name] for name in chosen.split()], **how)
    assert [one.name for one in found] == order.split()
