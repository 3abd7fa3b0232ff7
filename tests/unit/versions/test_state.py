"""What tags come to: versions, stages, and where a rollback goes."""

from typing import Any

from mlxkit.registry.promote import previous
from mlxkit.versions.grammar import parse
from mlxkit.versions.state import Model, models
from mlxkit.versions.tags import Event


def make(*steps: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> Model:
    """Make a model of tags and the commits that they lead to, each a second after the other."""
    events = []
    for time, (tag, commit, *told) in enumerate(steps):
        meaning = parse(tag)
        assert meaning is not None
        events.append(Event(tag, meaning, commit, time, told=told[0] if told else {}))
    return models(sorted(events, key=lambda one: one.order))["m"]


THREE = (("m@v1.0.0", "a"), ("m@v1.1.0", "b"), ("m@v2.0.0", "c"))
BACK = {"kind": "rolled-back"}


def test_the_latest_version_is_the_greatest() -> None:
    model = make(("m@v2.0.0", "c"), ("m@v1.10.0", "b"), ("m@v1.9.0", "a"), ("m@v2.0.0-rc.1", "d"))
    assert [one.name for one in model.versions] == ["v2.0.0", "v2.0.0-rc.1", "v1.10.0", "v1.9.0"]


def test_a_version_that_was_taken_back_is_in_no_stage() -> None:
    model = make(*THREE, ("m#prod#1", "c"), ("m@v2.0.0!", "c"))
    assert model.latest is not None
    assert model.latest.name == "v1.1.0"
    assert model.stages == {}
    assert make(*THREE, ("m@v2.0.0!", "c"), ("m@v2.0.0#9", "c")).latest == model.versions[
        0
    ]._replace(active=True)


def test_a_stage_has_what_was_assigned_last_whatever_its_number() -> None:
    model = make(*THREE, ("m#prod#7", "a"), ("m#prod#2", "b"))
    assert model.stages["prod"].version == "v1.1.0"


def test_what_is_unassigned_leaves_the_stage_to_the_one_before() -> None:
    model = make(*THREE, ("m#prod#1", "a"), ("m#prod#2", "b"), ("m#prod!#3", "b"))
    assert model.stages["prod"].version == "v1.0.0"


def test_a_commit_without_a_version_may_be_in_a_stage() -> None:
    model = make(("m#prod#1", "abcdef0123"))
    assert model.stages["prod"].shown == "abcdef0"
    assert model.latest is None


def test_an_event_after_a_deprecation_revives() -> None:
    assert make(*THREE, ("m@deprecated", "a")).deprecated
    assert not make(("m@deprecated", "a"), *THREE).deprecated


def test_a_rollback_goes_to_the_one_before() -> None:
    model = make(*THREE, ("m#prod#1", "a"), ("m#prod#2", "b"), ("m#prod#3", "c"))
    assert previous(model, model.stages["prod"]) == "b"


def test_two_rollbacks_go_back_two() -> None:
    steps = [
        *THREE,
        ("m#prod#1", "a"),
        ("m#prod#2", "b"),
        ("m#prod#3", "c"),
        ("m#prod#4", "b", BACK),
    ]
    model = make(*steps)
    assert previous(model, model.stages["prod"]) == "a", "not c, which was rolled back from"
    model = make(*steps, ("m#prod#5", "a", BACK))
    assert previous(model, model.stages["prod"]) is None


def test_what_is_promoted_again_is_good_again() -> None:
    steps = [*THREE, ("m#prod#1", "a"), ("m#prod#2", "b"), ("m#prod#3", "a", BACK)]
    model = make(*steps, ("m#prod#4", "b"), ("m#prod#5", "c"))
    assert previous(model, model.stages["prod"]) == "b"


def test_a_rollback_looks_at_its_stage_alone_and_at_versions_that_are_there() -> None:
    model = make(*THREE, ("m#dev#1", "a"), ("m#prod#2", "b"), ("m#prod#3", "c"), ("m@v1.1.0!", "b"))
    assert previous(model, model.stages["prod"]) is None
