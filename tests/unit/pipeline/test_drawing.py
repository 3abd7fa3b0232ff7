"""The graph as text: a tree, Graphviz, Mermaid."""

from mlxkit.pipeline.drawing import dot, mermaid, tree


def same(key: str) -> str:
    return key


def drawn(needs: dict[str, list[str]]) -> str:
    return "\n".join(tree(needs, same, same))


def test_stages_stand_below_what_they_need() -> None:
    assert drawn({"a": [], "b": ["a"], "c": ["b"], "d": ["a"]}) == (
        "a\n"
        "├─ b\n"
        "│  └─ c\n"
        "└─ d"
    )  # fmt: skip


def test_a_stage_with_several_needs_is_drawn_once_and_names_the_others() -> None:
    assert drawn({"a": [], "b": [], "c": [], "d": ["a", "b", "c"]}) == ("a\nb\nc\n└─ d  (and a, b)")


def test_every_stage_is_drawn_once() -> None:
    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d", "a"], "alone": []}
    lines = tree(needs, same, same)
    assert sorted(line.lstrip("│├└─ ").split()[0] for line in lines) == sorted(needs)


def test_what_is_not_part_of_it_is_left_out() -> None:
    assert drawn({"b": ["a"], "c": ["b", "x"]}) == "b\n└─ c"
    assert dot({"b": ["a"]}, same) == 'strict digraph  {\n"b";\n}'
    assert mermaid({"b": ["a"]}, same) == 'flowchart TD\n\tnode1["b"]'


def test_nothing() -> None:
    assert drawn({}) == ""


def test_labels_and_marks() -> None:
    lines = tree({"a": [], "b": ["a"], "c": ["b", "a"]}, str.upper, lambda key: f"<{key}>")
    assert lines == ["<a>", "├─ <b>", "└─ <c>  (and B)"]


def test_signs_that_mean_something_to_the_other_program() -> None:
    needs = {'a "b"\\': [], "c": ['a "b"\\']}
    assert '"a \\"b\\"\\\\" -> "c";' in dot(needs, same)
    assert 'node1["a #quot;b#quot;\\"]' in mermaid(needs, same)


def test_a_long_chain() -> None:
    needs = {"s0": [], **{f"s{n}": [f"s{n - 1}"] for n in range(1, 2000)}}
    assert len(tree(needs, same, same)) == 2000
