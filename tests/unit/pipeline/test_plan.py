"""Why a stage must run: every kind of reason, and what is none."""

from typing import Any

import pytest
from tests.unit.pipeline.parts import Seen, entry, out, params, stage

from mlxkit.pipeline.plan import Reason, same_value, why
from mlxkit.pipeline.session import is_legacy
from mlxkit.pipeline.spec import Entry, Stage

TRAIN = stage("train", ["in"], ["model"], params=(params("params.yaml", "lr", "net.depth"),))
LOCKED = entry({"in": "i1"}, {"model": "m1"}, {"params.yaml": {"lr": 0.1, "net.depth": 3}})
FILES = {"in": "i1", "model": "m1"}
VALUES = {"params.yaml": {"lr": 0.1, "net.depth": 3}}


def kinds(reasons: list[Reason]) -> list[str]:
    return [one.kind for one in reasons]


def test_nothing_changed_is_no_reason() -> None:
    assert why(TRAIN, LOCKED, Seen(FILES, VALUES)) == []


def test_what_changed_in_the_environment() -> None:
    changes = [("numpy", "1.0 -> 2.0"), ("new", "none -> 1")]
    found = [Reason("env-changed", *one) for one in changes]
    seen = Seen(FILES, VALUES)
    assert why(TRAIN, LOCKED, seen, env_changes=changes) == found
    assert why(TRAIN, LOCKED, seen, allow_missing=True, env_changes=changes) == found
    assert why(TRAIN._replace(frozen=True), LOCKED, seen, env_changes=changes) == []
    assert why(TRAIN, None, seen, env_changes=changes) == [Reason("new", "train")]


def test_without_an_entry_the_stage_is_new_and_nothing_else_is_said() -> None:
    for seen in (Seen(FILES, VALUES), Seen({}, {}), Seen({"in": "i1"}, {})):
        assert why(TRAIN, None, seen) == [Reason("new", "train")]


@pytest.mark.parametrize(("recorded", "now"), [
    ("run", "run fast"), ("run", ["run"]), (["run", "go"], "run\ngo"),
    (["run", "go"], ["go", "run"]),
])  # fmt: skip
def test_command_changed(recorded: Any, now: Any) -> None:
    changed = stage("s", ["in"], ["model"], cmd=now)
    found = why(changed, entry({"in": "i1"}, {"model": "m1"}, cmd=recorded), Seen(FILES))
    assert found == [Reason("cmd-changed", "cmd")]


def test_a_list_of_commands_that_is_the_same_is_no_reason() -> None:
    same = stage("s", ["in"], ["model"], cmd=["run", "go"])
    assert why(same, entry({"in": "i1"}, {"model": "m1"}, cmd=["run", "go"]), Seen(FILES)) == []


@pytest.mark.parametrize(("files", "reason"), [
    ({"in": "i2", "model": "m1"}, Reason("dep-changed", "in")),
    ({"model": "m1"}, Reason("dep-changed", "in", "missing")),
])  # fmt: skip
def test_dependency_changed(files: dict[str, str], reason: Reason) -> None:
    assert why(TRAIN, LOCKED, Seen(files, VALUES)) == [reason]


def test_a_dependency_that_the_entry_does_not_know_is_new() -> None:
    more = stage("s", ["in", "more"], ["model"])
    seen = Seen({**FILES, "more": "x"})
    assert why(more, entry({"in": "i1"}, {"model": "m1"}), seen) == [
        Reason("dep-changed", "more", "new")
    ]


def test_a_dependency_that_is_no_longer_declared_is_no_reason() -> None:
    """As in DVC: the entry is cleaned when the stage runs next."""
    less = stage("s", ["in"], ["model"])
    assert why(less, entry({"in": "i1", "old": "o"}, {"model": "m1"}), Seen(FILES)) == []


@pytest.mark.parametrize(("values", "reason"), [
    ({"lr": 0.2, "net.depth": 3}, Reason("param-changed", "lr", "0.1 -> 0.2")),
    ({"lr": 0.1}, Reason("param-changed", "net.depth", "missing")),
    ({"lr": None, "net.depth": 3}, Reason("param-changed", "lr", "0.1 -> None")),
])  # fmt: skip
def test_parameter_changed(values: dict[str, Any], reason: Reason) -> None:
    assert why(TRAIN, LOCKED, Seen(FILES, {"params.yaml": values})) == [reason]


def test_a_parameter_that_the_entry_does_not_know_is_new() -> None:
    recorded = entry({"in": "i1"}, {"model": "m1"}, {"params.yaml": {"lr": 0.1}})
    assert why(TRAIN, recorded, Seen(FILES, VALUES)) == [
        Reason("param-changed", "net.depth", "new")
    ]


def test_a_parameter_file_that_is_gone_or_new() -> None:
    assert why(TRAIN, LOCKED, Seen(FILES)) == [Reason("param-changed", "params.yaml", "missing")]
    without = entry({"in": "i1"}, {"model": "m1"})
    assert why(TRAIN, without, Seen(FILES, VALUES)) == [
        Reason("param-changed", "params.yaml", "new")
    ]


def test_keys_of_another_file_are_named_with_it() -> None:
    tuned = stage("s", ["in"], ["model"], params=(params("conf/a.toml", "lr"),))
    recorded = entry({"in": "i1"}, {"model": "m1"}, {"conf/a.toml": {"lr": 1}})
    found = why(tuned, recorded, Seen(FILES, {"conf/a.toml": {"lr": 2}}))
    assert found == [Reason("param-changed", "conf/a.toml:lr", "1 -> 2")]


def test_a_whole_parameter_file_sees_keys_that_come_and_go() -> None:
    whole = stage("s", ["in"], ["model"], params=(params("all.yaml"),))
    recorded = entry({"in": "i1"}, {"model": "m1"}, {"all.yaml": {"kept": 1, "gone": 2}})
    found = why(whole, recorded, Seen(FILES, {"all.yaml": {"kept": 1, "new": 3}}))
    assert found == [
        Reason("param-changed", "all.yaml:new", "new"),
        Reason("param-changed", "all.yaml:gone", "missing"),
    ]


@pytest.mark.parametrize(("now", "recorded", "same"), [
    (1, 1.0, True), (True, 1, True), (1, "1", False), ([1, 2], [1, 2], True),
    ((1, 2), [1, 2], True),
    ((1, (2,)), [1, [2]], True), ({"a": [(1,)]}, {"a": [[1]]}, True), ((1, 2), [1, 3], False),
    ({"a": 1}, {"a": 1}, True), (None, None, True), (0, None, False),
])  # fmt: skip
def test_values_are_compared_as_the_lock_keeps_them(now: Any, recorded: Any, same: bool) -> None:
    assert same_value(now, recorded) is same


@pytest.mark.parametrize(("files", "cache", "reason"), [
    ({"in": "i1", "model": "m2"}, None, Reason("out-changed", "model")),
    ({"in": "i1"}, None, Reason("out-missing", "model")),
    ({"in": "i1"}, (), Reason("out-missing", "model")),
    ({"in": "i1", "model": "m1"}, (), Reason("out-missing", "model", "not in the cache")),
    ({"in": "i1", "model": "m2"}, (), Reason("out-missing", "model", "not in the cache")),
])  # fmt: skip
def test_output_changed(files: dict[str, str], cache: Any, reason: Reason) -> None:
    assert why(TRAIN, LOCKED, Seen(files, VALUES, cache)) == [reason]


def test_an_output_that_is_not_cached_needs_no_cache() -> None:
    metrics = stage("s", ["in"], [out("m.json", cache=False)])
    recorded = entry({"in": "i1"}, {"m.json": "j1"})
    assert why(metrics, recorded, Seen({"in": "i1", "m.json": "j1"}, cache=())) == []
    changed = why(metrics, recorded, Seen({"in": "i1", "m.json": "j2"}, cache=()))
    assert changed == [Reason("out-changed", "m.json")]


def test_all_reasons_are_told_in_the_order_command_inputs_outputs() -> None:
    seen = Seen({"in": "i2"}, {"params.yaml": {"lr": 7, "net.depth": 3}})
    found = why(stage("s", ["in"], ["model"], cmd="go", params=TRAIN.params), LOCKED, seen)
    assert kinds(found) == ["cmd-changed", "dep-changed", "param-changed", "out-missing"]


FROZEN = stage("s", ["in"], ["model"], params=TRAIN.params, frozen=True)


def test_a_frozen_stage_ignores_its_inputs_but_not_its_outputs() -> None:
    changed = Seen({"in": "i2", "model": "m1"}, {"params.yaml": {"lr": 9}})
    assert why(FROZEN, LOCKED, changed) == []
    assert kinds(why(FROZEN, LOCKED, Seen({"in": "i1", "model": "m2"}))) == ["out-changed"]


@pytest.mark.parametrize(("always", "reason"), [
    (stage("s", ["in"], ["model"], always=True), Reason("always", "always_changed")),
    (stage("s"), Reason("always", "no dependencies and no outputs")),
])  # fmt: skip
def test_stages_that_always_run(always: Stage, reason: Reason) -> None:
    for recorded in (None, entry({"in": "i1"}, {"model": "m1"})):
        assert why(always, recorded, Seen(FILES))[0] == reason


def test_a_frozen_stage_that_always_runs_is_frozen() -> None:
    both = stage("s", ["in"], ["model"], always=True, frozen=True)
    assert why(both, entry({"in": "i1"}, {"model": "m1"}), Seen(FILES)) == []


def test_a_data_source_has_no_command_to_change() -> None:
    source = stage(None, outs=["data"], cmd=None, file="data.dvc")
    recorded: Entry = {"outs": [{"path": "data", "md5": "d1", "size": 1}]}
    assert why(source, recorded, Seen({"data": "d1"})) == []
    assert why(source, recorded, Seen({"data": "d2"})) == [Reason("out-changed", "data")]


class TestAllowMissing:
    """Data that is only absent is no reason; data that is there and different is one."""

    @staticmethod
    def why(seen: Seen, made: dict[str, str | None] | None = None) -> list[str]:
        upstream = None if made is None else {f"/p/{path}": md5 for path, md5 in made.items()}
        return kinds(why(TRAIN, LOCKED, seen, allow_missing=True, upstream_outs=upstream))

    def test_absent(self) -> None:
        assert self.why(Seen({}, VALUES, cache=())) == []
        assert self.why(Seen({"in": "i1"}, VALUES, cache=())) == []
        assert self.why(Seen({"model": "m1"}, VALUES)) == []

    def test_changed(self) -> None:
        assert self.why(Seen({"in": "i2"}, VALUES, cache=())) == ["dep-changed"]
        assert self.why(Seen({"in": "i1", "model": "m2"}, VALUES)) == ["out-changed"]
        assert self.why(Seen({}, {"params.yaml": {"lr": 5, "net.depth": 3}}, ())) == [
            "param-changed"
        ]

    def test_absent_but_the_stage_upstream_now_makes_something_else(self) -> None:
        assert self.why(Seen({}, VALUES, cache=()), {"in": "i1"}) == []
        assert self.why(Seen({}, VALUES, cache=()), {"in": "i2"}) == ["dep-changed"]
        assert self.why(Seen({}, VALUES, cache=()), {"in": None}) == ["dep-changed"]
        assert self.why(Seen({}, VALUES, cache=()), {"other": "x"}) == []


@pytest.mark.parametrize(("recorded", "legacy"), [
    (None, False),
    ({"cmd": "x"}, False),
    ({"outs": [{"path": "o", "hash": "md5", "md5": "a"}]}, False),
    ({"outs": [{"path": "o", "md5": "a"}]}, True),
    ({"deps": [{"path": "d", "md5": "a"}], "outs": [{"path": "o", "hash": "md5"}]}, True),
    ({"outs": [{"path": "o", "hash": "md5", "files": [{"relpath": "x", "md5": "a"}]}]}, True),
    ({"outs": [{"path": "o", "hash": "md5", "md5": "a", "cloud": {"s3": {"etag": "1"}}}]}, True),
])  # fmt: skip
def test_entries_that_only_dvc_can_compare(recorded: Entry | None, legacy: bool) -> None:
    """Digests of DVC 2 (of text with other line ends), and versions that a cloud keeps."""
    assert is_legacy(recorded) is legacy
