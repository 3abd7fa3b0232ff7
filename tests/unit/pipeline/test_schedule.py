"""What may run at the same time."""

import pytest
from tests.unit.pipeline.parts import declared, stage

from mlxkit.pipeline.graph import Graph, build_graph
from mlxkit.pipeline.schedule import Machine, Turns, blockers, fits
from mlxkit.pipeline.spec import Needs, Stage

MACHINE = Machine(jobs=4, cpus=4, memory=16 << 30, gpus=2)
PLAIN = Needs()


@pytest.mark.parametrize(("wanted", "running", "may"), [
    (PLAIN, [], True),
    (PLAIN, [PLAIN] * 3, True),
    (PLAIN, [PLAIN] * 4, False),
    (Needs(cpus=2), [Needs(cpus=2)], True),
    (Needs(cpus=2), [Needs(cpus=3)], False),
    (Needs(cpus=0.5), [Needs(cpus=3.5)], True),
    (Needs(cpus=4), [PLAIN], True),
    (Needs(memory=8 << 30), [Needs(memory=8 << 30)], True),
    (Needs(memory=9 << 30), [Needs(memory=8 << 30)], False),
    (Needs(gpus=1), [Needs(gpus=1)], True),
    (Needs(gpus=1), [Needs(gpus=1)] * 2, False),
    (Needs(gpus=0.5), [Needs(gpus=1.5)], True),
    (Needs(cpus=1), [Needs(gpus=2, memory=16 << 30)], True),
    (Needs(exclusive=True), [], True),
    (Needs(exclusive=True), [PLAIN], False),
    (PLAIN, [Needs(exclusive=True)], False),
])  # fmt: skip
def test_fits(wanted: Needs, running: list[Needs], may: bool) -> None:
    assert fits(wanted, running, MACHINE) is may


@pytest.mark.parametrize("huge", [Needs(cpus=64), Needs(memory=1 << 50), Needs(gpus=8)])
def test_a_need_larger_than_the_machine_does_not_wait_for_ever(huge: Needs) -> None:
    assert fits(huge, [], MACHINE), "it runs when nothing else does"
    assert not fits(huge, [PLAIN], MACHINE)
    assert not fits(huge, [huge], MACHINE)


@pytest.mark.parametrize("huge", [Needs(cpus=64), Needs(memory=1 << 50), Needs(gpus=8)])
def test_what_asks_for_the_same_does_not_join_a_stage_that_has_it_all(huge: Needs) -> None:
    same = Needs(cpus=min(huge.cpus, 1), memory=min(huge.memory, 1), gpus=min(huge.gpus, 1))
    assert not fits(same, [huge], MACHINE)


def test_one_at_a_time() -> None:
    one = Machine(jobs=1, cpus=8, memory=1 << 40, gpus=0)
    assert fits(PLAIN, [], one)
    assert not fits(PLAIN, [PLAIN], one)


def _blocked(order: list[Stage], graph: Graph) -> dict[str, set[str]]:
    names = {one.key: one.name or "" for one in order}
    return {names[key]: {names[one] for one in by} for key, by in blockers(order, graph).items()}


def test_a_stage_waits_for_its_neighbours_and_no_one_else() -> None:
    order = [
        stage("a", outs=["a.out"]),
        stage("b", ["a.out"], ["b.out"]),
        stage("c", ["a.out"], ["c.out"]),
        stage("d", ["b.out", "c.out"], ["d.out"]),
    ]
    assert _blocked(order, build_graph(declared(*order))) == {
        "a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}
    }  # fmt: skip


def test_also_against_the_arrow_when_the_user_says_so() -> None:
    """`mlx repro -s b a` runs b first; a changes what b reads, so they never overlap."""
    a, b = stage("a", outs=["a.out"]), stage("b", ["a.out"], ["b.out"])
    assert _blocked([b, a], build_graph(declared(a, b))) == {"b": set(), "a": {"b"}}


def test_a_neighbour_that_is_not_part_of_the_run_blocks_nobody() -> None:
    a, b = stage("a", outs=["a.out"]), stage("b", ["a.out"], ["b.out"])
    assert _blocked([b], build_graph(declared(a, b))) == {"b": set()}


def _without_edges(*stages: Stage) -> Graph:
    return Graph({one.key: one for one in stages}, {one.key: [] for one in stages})


@pytest.mark.parametrize(("first", "second"), [("x", "x"), ("d", "d/x"), ("d/x", "d")])
def test_two_that_write_one_path_come_after_each_other(first: str, second: str) -> None:
    a, b = stage("a", outs=[first]), stage("b", outs=[second])
    assert _blocked([a, b], _without_edges(a, b)) == {"a": set(), "b": {"a"}}
    assert _blocked([b, a], _without_edges(a, b)) == {"b": set(), "a": {"b"}}


def test_several_that_write_into_one_folder_all_come_after_its_owner() -> None:
    a, b, c = stage("a", outs=["d"]), stage("b", outs=["d/x"]), stage("c", outs=["d/y"])
    assert _blocked([a, b, c], _without_edges(a, b, c)) == {"a": set(), "b": {"a"}, "c": {"a"}}


def test_names_that_begin_alike_block_nobody() -> None:
    stages = [stage(name, outs=[name]) for name in ("d", "d-1", "d.x", "d0", "dd")]
    assert set(map(frozenset, _blocked(stages, _without_edges(*stages)).values())) == {frozenset()}


def test_turns_come_in_order_and_only_when_nothing_blocks() -> None:
    order = [
        stage("a", outs=["a.out"]),
        stage("b", outs=["b.out"]),
        stage("c", ["a.out"], ["c.out"]),
        stage("d", ["b.out", "c.out"], ["d.out"]),
        stage("e", outs=["e.out"]),
    ]
    a, b, c, d, e = order
    turns = Turns(order, blockers(order, build_graph(declared(*order))))
    assert [turns.next(), turns.next(), turns.next()] == [a, b, e]
    assert not turns
    turns.settled(b)
    assert not turns, "d still waits for c"
    turns.settled(a)
    assert turns.next() == c
    turns.settled(e)
    turns.settled(c)
    assert turns and turns.next() == d
    turns.settled(d)
    assert not turns


def test_what_comes_free_earlier_in_the_order_comes_first() -> None:
    order = [stage("a", outs=["x"]), stage("b", ["x"], ["y"]), stage("c", outs=["z"])]
    a, b, c = order
    turns = Turns(order, blockers(order, build_graph(declared(*order))))
    assert turns.next() == a
    turns.settled(a)
    assert [turns.next(), turns.next()] == [b, c]
