"""What is on record stands in the card under its own heading, and does nothing there."""

from typing import Any

from mlxkit.registry.about import About
from mlxkit.registry.card import IN_GIT, render
from mlxkit.registry.facts import Data, Facts
from mlxkit.registry.markdown import MISSING
from mlxkit.runs.cost import total
from mlxkit.runs.differences import differences
from mlxkit.versions.find import Chosen
from mlxkit.versions.grammar import Meaning
from mlxkit.versions.state import Assigned, Model
from mlxkit.versions.tags import Event

EVIL = "<img src=x>|`a`\n# Gates\n[x](http://evil)"


def card(environment: dict[str, Any], evaluation: list[Data], **about: Any) -> dict[str, str]:
    """Return the card's sections by their headings."""
    found = About(
        **{
            "chosen": Chosen(Model("m", [], {}, []), "c" * 40, None),
            "content": None, "desc": "", "signature": "", "lineage": None, "recipes": None,
            "made": None, "params": {}, "metrics": {}, "own": (), "sliced": ("s",),
            "gates": {}, "attested": (), "said": {}, "troubles": (), **about,
        },
    )  # fmt: skip
    more = Facts([], [], [], evaluation, differences({}, environment), total([]), "")
    parts = render(found, more).split("\n## ")
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def test_an_environment_is_told_as_it_was_recorded() -> None:
    environment = {
        "python": {"implementation": "CPython", "version": "3.11.7"},
        "platform": {"system": "Linux"}, "distributions": {"numpy": "2.0", "b": "1"},
        "conda": ["mkl-2024.0-h2_1"],
    }  # fmt: skip
    said = card(environment, [])["Environment"]
    assert "| python | `CPython 3.11.7` |\n| system | `Linux` |" in said
    assert "Distributions: mkl 2024.0-h2\\_1, b 1, numpy 2.0" in said
    assert card({}, [])["Environment"] == "not recorded"


def test_what_was_seen_in_training_is_named_and_own_metrics_stand_apart() -> None:
    data = [Data("test.csv", "1", 5, 10), Data("valid.csv", "2", None, None, trained=True)]
    metrics = {"test.json": {"acc": 0.9}, "train.json": {"acc": 1.0}}
    said = card({}, data, metrics=metrics, own=["train.json"])
    assert "| `test.csv` | `1` | 5 bytes | 10 |" in said["Evaluation data"]
    assert said["Evaluation data"].endswith("Also read to make the model: `valid.csv`.")
    after, own = said["Metrics"].split("### From the stage that made it")
    assert "| `test.json` | `acc` | `0.9` |" in after
    assert "train.json" not in after
    assert "| `train.json` | `acc` | `1.0` |" in own


def test_a_file_of_slices_tells_of_all_rows_and_of_each_slice() -> None:
    told = {"rows": 9, "sex": {"f": {"rows": 4}, "m": {"rows": 5}}}
    said = card({}, [], metrics={"s": told, "other": {"train": {"acc": 1}}})
    assert "| `s` | `rows` | `9` |\n| `other` | `train.acc` | `1` |" in said["Metrics"]
    assert "sex" not in said["Metrics"]
    assert said["Metrics by slice"].endswith("| sex=f | `4` |\n| sex=m | `5` |")


def test_data_in_git_are_not_said_to_be_missing() -> None:
    said = card({}, [Data("test.csv", "1", 5, None, kept=True)])
    assert said["Evaluation data"] == f"{IN_GIT}\n\nWhat Git keeps: `test.csv`."
    assert said["Training data"].startswith(MISSING)


def test_who_is_in_a_stage_without_a_gate_is_told_so() -> None:
    gate = {"passed": False, "left_out": True, "reason": "a <b>"}
    event = Event("m#prod#1", Meaning("assign", "m", stage="prod"), "c" * 40, 0, "Bo",
                  told={"gate": gate})  # fmt: skip
    model = Model("m", [], {"prod": Assigned("prod", "c" * 40, event, None)}, [event])
    said = card({}, [], chosen=Chosen(model, "c" * 40, None))["Model details"]
    line = r"| Stages | prod since 1970-01-01, by Bo, `m#prod#1` (no gate: a \<b\>) |"
    assert line in said


def test_words_of_others_add_no_section_and_no_cell() -> None:
    plain = card({}, [])
    said = card(
        {}, [Data(EVIL, "1", 1, 1)], desc=EVIL, troubles=[EVIL], params={EVIL: {EVIL: EVIL}},
        metrics={EVIL: {EVIL: 1}, "s": {EVIL: {EVIL: {"rows": 1}}}},
        said={"owner": EVIL, "limits": [EVIL], "ethics": EVIL, "intended_use": EVIL},
    )  # fmt: skip
    assert list(said) == list(plain)
    for line in "\n".join(said.values()).splitlines():
        assert "<img" not in line.replace("\\<", "").replace("`<img src=x>", "").replace(
            "```<img src=x>", ""
        ).replace("``<img src=x>", ""), line
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") in (3, 4, 5), line
