"""Draws the graph of stages: a tree for terminals, Graphviz' and Mermaid's languages. Pure."""

from collections.abc import Callable, Mapping, Sequence

Label = Callable[[str], str]


def tree(needs: Mapping[str, Sequence[str]], label: Label, mark: Label) -> list[str]:
    """Draw stages below what they need; one that stands in several places is drawn once.

    `needs` lists keys in the order to draw them. `mark` decorates a line's label. The other
    dependencies of a stage follow its name.
    """
    feeds: dict[str, list[str]] = {key: [] for key in needs}
    for key, upstream in needs.items():
        for one in upstream:
            if one in feeds:
                feeds[one].append(key)
    last_parent = {key: [one for one in up if one in needs][-1:] for key, up in needs.items()}
    lines: list[str] = []
    roots = [key for key in needs if not last_parent[key]]
    # A loop and not a recursion: pipelines may be deep.
    pending = [(key, "", "", "", "") for key in reversed(roots)]
    while pending:
        key, parent, lead, branch, below = pending.pop()
        others = [label(one) for one in needs[key] if one in needs and one != parent]
        also = f"  (and {', '.join(others)})" if others else ""
        lines.append(f"{lead}{branch}{mark(key)}{also}")
        children = [one for one in feeds[key] if last_parent[one] == [key]]
        for index, child in reversed(list(enumerate(children))):
            end = index == len(children) - 1
            rails = ("└─ ", "   ") if end else ("├─ ", "│  ")
            pending.append((child, key, lead + below, *rails))
    return lines


def dot(needs: Mapping[str, Sequence[str]], label: Label) -> str:
    """Write the graph in Graphviz' language, as `dvc dag --dot` does."""
    lines = ["strict digraph  {"]
    lines += [f'"{_quoted(label(key))}";' for key in needs]
    lines += [
        f'"{_quoted(label(one))}" -> "{_quoted(label(key))}";'
        for key, upstream in needs.items()
        for one in upstream
        if one in needs
    ]
    return "\n".join([*lines, "}"])


def mermaid(needs: Mapping[str, Sequence[str]], label: Label) -> str:
    """Write the graph in Mermaid's language, which code hosts draw."""
    number = {key: f"node{index}" for index, key in enumerate(needs, 1)}
    lines = ["flowchart TD"]
    lines += [f'\t{number[key]}["{_entity(label(key))}"]' for key in needs]
    lines += [
        f"\t{number[one]}-->{number[key]}"
        for key, upstream in needs.items()
        for one in upstream
        if one in needs
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _entity(text: str) -> str:
    return text.replace('"', "#quot;")
