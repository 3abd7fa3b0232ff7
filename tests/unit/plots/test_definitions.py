"""What is to be drawn, as DVC has it."""

from typing import Any

from mlxkit.plots.definitions import Document, declare, stage_plots, without_twins

FILES = {"plots": ["plots/a.csv", "plots/b.csv", "plots/in/c.csv"], "plots/in": ["plots/in/c.csv"]}


def declared(documents: list[Document], *targets: str, **properties: Any) -> Any:
    found = declare(documents, targets, properties, FILES.get, lambda path: path == "there.csv")
    return found.definitions


def test_each_form_at_the_top_of_a_file() -> None:
    top = ["a.csv", {"b.csv": None}, {"c.csv": {"x": "t"}}, {"n": {"y": {"f.csv": "v"}}}]
    assert declared([Document("sub/dvc.yaml", top, {})]) == {
        "sub/dvc.yaml": {
            "sub/a.csv": {},
            "sub/b.csv": {},
            "sub/c.csv": {"x": "t"},
            "n": {"y": {"sub/f.csv": "v"}},
        }
    }


def test_a_directory_is_its_files_and_the_nearest_definition_counts() -> None:
    top = [{"plots": {"x": "a"}}, {"plots/in": {"x": "b"}}, {"plots/a.csv": {"x": "c"}}]
    assert declared([Document("dvc.yaml", top, {})])["dvc.yaml"] == {
        "plots/a.csv": {"x": "c"},
        "plots/b.csv": {"x": "a"},
        "plots/in/c.csv": {"x": "b"},
    }


def test_what_is_asked_for_wins() -> None:
    document = Document("dvc.yaml", [{"a.csv": {"x": "t", "title": "A"}}], {"o.csv": {"x": "t"}})
    assert declared([document], x="step") == {
        "dvc.yaml": {"a.csv": {"x": "step", "title": "A"}},
        "": {"o.csv": {"x": "step"}},
    }


def test_targets_are_names_beginnings_and_files() -> None:
    document = Document("dvc.yaml", ["a.csv", {"name": {"y": {"f": "v"}}}], {"o.csv": {}})
    assert declared([document], "na") == {"dvc.yaml": {"name": {"y": {"f": "v"}}}}
    assert declared([document], "dvc.yaml::a") == {"dvc.yaml": {"a.csv": {}}}
    assert declared([document], "there.csv") == {"": {"there.csv": {}}}
    assert declared([document], "nothing") == {}
    assert declared([document], "no[pattern") == {}
    assert declared([], "gone.csv") == {"": {"gone.csv": {}}}


def test_twins_are_left_out_where_nothing_is_said_of_them() -> None:
    found = {"dvc.yaml": {"a.csv": {"x": "t"}}, "": {"a.csv": {}, "b.csv": {}}}
    assert without_twins(found, {}) == {"dvc.yaml": {"a.csv": {"x": "t"}}, "": {"b.csv": {}}}
    said = {"dvc.yaml": {"a.csv": {"x": "t"}}, "": {"a.csv": {"x": "u"}}}
    assert without_twins(said, {}) == said


def test_plots_of_stages() -> None:
    stages = {
        "one": {"wdir": "in", "plots": ["a.csv", {"b.csv": {"x": "t", "cache": False}}]},
        "two": {"cmd": "x"},
        "old": {"plots": [{"c.csv": [{"x": "first"}, {"x": "second"}]}]},
    }
    assert stage_plots("sub", stages) == {
        "sub/in/a.csv": {},
        "sub/in/b.csv": {"x": "t"},
        "sub/c.csv": {"x": "first"},
    }
