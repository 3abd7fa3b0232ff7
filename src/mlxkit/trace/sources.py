"""What a Python source imports, read with `ast`: nothing of it is run."""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LOADERS = frozenset({"import_module", "__import__", "run_module"})


class Import(NamedTuple):
    """A module that a source names: `level` dots, its name, and what is taken of it."""

    name: str
    line: int
    level: int = 0
    taken: tuple[str, ...] = ()


class Source(NamedTuple):
    """One source: what it imports, and scripts that it runs by path."""

    imports: tuple[Import, ...]
    everything: tuple[str, ...]
    """The names in `__all__`."""
    folders: tuple[str, ...]
    """What it adds to `sys.path`, as far as that is constant text."""
    blank: bool
    """Whether it has no code at all."""


class BrokenSource(Exception):
    """A source that Python would refuse: says where and why."""


def read_source(data: bytes | str) -> Source:
    """Return what a source imports; raises BrokenSource."""
    try:
        tree = ast.parse(data)
    except SyntaxError as error:
        raise BrokenSource(f"line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BrokenSource(str(error) or "it is nested too deeply") from None
    blank = all(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in tree.body
    )
    return Source(tuple(_imports(tree)), tuple(_all_names(tree.body)), tuple(_added(tree)), blank)


def _imports(tree: ast.AST) -> Iterator[Import]:
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and _for_types_only(node.test):
            pending.extend(node.orelse)
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for one in node.names:
                yield Import(one.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            taken = tuple(one.name for one in node.names)
            yield Import(node.module or "", node.lineno, node.level, taken)
        elif isinstance(node, ast.Call):
            yield from _loaded(node)


def _for_types_only(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _loaded(node: ast.Call) -> Iterator[Import]:
    """Yield the module that `importlib.import_module("...")` and its like load."""
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name not in _LOADERS or not node.args:
        return
    value = _text(node.args[0])
    if value is None:
        return
    level = len(value) - len(value.lstrip("."))
    package = _package(node.args[1:], node.keywords) if level else None
    if level and package is not None and name == "import_module":
        parts = package.split(".")
        base = parts[: len(parts) - level + 1]
        yield Import(".".join([*base, value[level:]]).strip("."), node.lineno)
    else:
        yield Import(value[level:], node.lineno, level)


def _package(args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> str | None:
    """Return the package that a relative name starts from; None where it is the source's own."""
    given = [*args[:1], *(one.value for one in keywords if one.arg == "package")]
    return _text(given[0]) if given else None


def _added(tree: ast.AST) -> Iterator[str]:
    """Yield the folders of `sys.path.insert(0, "src")` and `sys.path.append("src")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = node.func.value
            if node.func.attr in ("insert", "append") and ast.unparse(place) == "sys.path":
                text = _text(node.args[-1]) if node.args else None
                if text is not None:
                    yield text


def _text(node: ast.expr) -> str | None:
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if constant else None  # type: ignore[attr-defined]


def _all_names(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, (ast.List, ast.Tuple)):
            continue
        if any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
            for item in node.value.elts:
                name = _text(item)
                if name is not None:
                    yield name
