"""The text of a `dvc.lock` and how DVC would change it, without rewriting all of it.

DVC loads the file with ruamel's round-trip loader, updates one stage and dumps everything: a pass
over the whole file for each stage. Most of these passes change one block of lines only, and when
that is provable only that block is written here. What is not provable (comments that hang on the
block, anchors, flow style) takes DVC's way, with the same result.
"""

from dataclasses import dataclass
from typing import Any, Final

from mlxkit.core import yaml

HEADER: Final = "schema: '2.0'\nstages:\n"
_STAGES: Final = "stages:\n"


@dataclass(frozen=True)
class Document:
    """A lock cut into the lines before the stages, one block a stage, and the lines after."""

    prefix: str
    blocks: dict[str, str]
    suffix: str

    def text(self) -> str:
        """The whole again."""
        return "".join((self.prefix, *self.blocks.values(), self.suffix))


@dataclass(frozen=True, eq=False)
class Put:
    """One stage's new entry, and its block where that is independent of the rest of the file."""

    name: str
    rank: int
    entry: dict[str, Any]
    block: str | None


def make_put(name: str, entry: dict[str, Any], rank: int) -> Put:
    """Write the block of one stage."""
    return Put(name, rank, entry, None if _needs_anchors(entry) else block_of(name, entry))


def block_of(name: str, entry: Any) -> str:
    """The lines of one fresh stage, as DVC writes them if it could read them again.

    Where ruamel folds a line at two blanks, or a long key, what it writes means something else or
    nothing. Such a stage is written without folds.
    """
    data = {"stages": {name: entry}}
    text = yaml.dumps(data)
    if not _reads_as(text, data):
        text = _unfolded(data) or text
    return text[len(_STAGES) :]


def cut(text: str) -> Document | None:
    """Cut the text of a lock; None if its stages are not plain blocks at column 2."""
    from mlxkit.pipeline.lock_cut import cut_blocks

    parts = cut_blocks(text)
    return None if parts is None else Document(*parts)


@dataclass(frozen=True)
class _State:
    """A text on its way; `settled` if another of DVC's passes would not change it."""

    document: Document | None
    raw: str
    settled: bool

    def working_copy(self) -> "_State":
        document = self.document
        if document is not None:
            document = Document(document.prefix, dict(document.blocks), document.suffix)
        return _State(document, self.raw, self.settled)


class Replay:
    """Applies puts to a base text in DVC's order; remembers where whole passes were needed."""

    def __init__(self, text: str, *, settled: bool = False) -> None:
        """`settled` says that the text is known to be in the form that DVC writes."""
        document = cut(text) if text else Document(HEADER, {}, "")
        settled = settled or not text or is_fresh(text)
        self._saved: list[tuple[tuple[Put, ...], _State]] = [((), _State(document, text, settled))]
        self._fresh: set[str] = set()  # blocks that are just what their data gives

    def apply(self, puts: tuple[Put, ...]) -> Document | str:
        """The document after `puts`, or its text alone where it cannot be cut."""
        while self._saved[-1][0] != puts[: len(self._saved[-1][0])]:
            self._saved.pop()
        done, saved = self._saved[-1]
        state = saved.working_copy()
        for index in range(len(done), len(puts)):
            if not self._put_block(state, puts[index]):
                saved = _put_by_pass(state, puts[index])
                self._saved.append((puts[: index + 1], saved))
                state = saved.working_copy()
        return state.raw if state.document is None else state.document

    def _put_block(self, state: _State, put: Put) -> bool:
        """Replace or append the block alone; False if that is not provably what DVC does."""
        if not state.settled or state.document is None or put.block is None:
            return False
        blocks = state.document.blocks
        neighbour = put.name if put.name in blocks else next(reversed(blocks), None)
        if neighbour is not None and not self._is_fresh(neighbour, blocks[neighbour]):
            return False
        blocks[put.name] = put.block
        self._fresh.add(put.block)
        return True

    def _is_fresh(self, name: str, block: str) -> bool:
        if block not in self._fresh:
            if not _is_fresh_block(name, block):
                return False
            self._fresh.add(block)
        return True


def _put_by_pass(state: _State, put: Put) -> _State:
    """DVC's own way: load everything, update, dump everything."""
    from mlxkit.core.yaml_ruamel import dump, parse_for_update

    text = state.raw if state.document is None else state.document.text()
    if text == HEADER:  # the start of a file that does not exist yet
        text = ""
    data = parse_for_update(text) or {"schema": "2.0"}
    data["stages"] = data.get("stages", {})
    data["stages"].update({put.name: put.entry})
    text = dump(data)
    if not _reads_as(text, data):
        text = _unfolded(data) or text
    settled = is_fresh(text) or dump(parse_for_update(text)) == text
    return _State(cut(text), text, settled)


def _is_fresh_block(name: str, block: str) -> bool:
    """Whether there are no comments, anchors or styles of its own in the block."""
    try:
        entry = yaml.load(block)[name]
    except yaml.YamlError:  # an alias to another stage's anchor
        return False
    return not _needs_anchors(entry) and block_of(name, entry) == block


def is_fresh(text: str) -> bool:
    """Whether the whole text is just what its data gives, so that a pass would not change it."""
    try:
        data = yaml.load(text)
    except yaml.YamlError:
        return False
    if _needs_anchors(data):
        return False
    if yaml.dumps(data) == text:
        return True
    document = cut(text)  # some of its blocks may be those that DVC could not read
    return (
        document is not None
        and yaml.dumps({**data, "stages": {"s": 1}})
        == f"{document.prefix}  s: 1\n{document.suffix}"
        and all(_is_fresh_block(name, block) for name, block in document.blocks.items())
    )


def _unfolded(data: Any) -> str | None:
    from mlxkit.core.yaml_ruamel import dump

    text = dump(data, wide=True)
    return text if _reads_as(text, data) else None


def _reads_as(text: str, data: Any) -> bool:
    """Whether a reader of `text` gets `data`."""
    try:
        return _same(yaml.load(text), data)
    except yaml.YamlError:
        return False


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return (
            isinstance(two, dict)
            and len(one) == len(two)
            and all(key in two and _same(value, two[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(two, list | tuple) and len(one) == len(two) and all(map(_same, one, two))
    return bool(one == two) or (one != one and two != two)  # noqa: PLR0124  NaN


def _needs_anchors(data: Any) -> bool:
    """Whether a part occurs twice; ruamel numbers such parts through the whole file."""
    seen: set[int] = set()

    def visit(node: Any) -> bool:
        kind = type(node)
        if kind in (str, int, bool, float) or node is None:
            return False
        if id(node) in seen:
            return True
        seen.add(id(node))
        if isinstance(node, dict):
            return any(visit(key) or visit(value) for key, value in node.items())
        return isinstance(node, list | tuple) and any(visit(value) for value in node)

    return visit(data)
