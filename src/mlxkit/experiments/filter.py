"""Conditions on experiments, like `pr_auc > 0.6 and train.lr <= 0.1`: parsed, never executed.

What is not there, or cannot be compared, is unknown: neither a comparison nor its opposite holds.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlxkit.core.errors import UsageError

Values = Mapping[str, Any]
Test = Callable[[Values], bool | None]
_Term = Callable[[Values], Any]

_LONGEST = 10_000
_QUOTED = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`([^`]*)`|([\w./-]*:[\w.-]*\w)", re.DOTALL
)
"""Texts; names in backticks; and FILE:NAME, for nothing else has a colon."""
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_ORDER = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_HINT = "write it like: pr_auc > 0.6 and (train.lr <= 0.1 or name == 'base')"
_MISSING = object()


class Filter:
    """A condition; `names` are the names in it, as they were written."""

    def __init__(self, text: str) -> None:
        """Parse a condition; raises UsageError."""
        if len(text) > _LONGEST:
            raise UsageError(f"--filter is longer than {_LONGEST:,} characters", hint=_HINT)
        self.names: list[str] = []
        self._quoted: dict[str, str] = {}
        plain = _QUOTED.sub(self._keep, text).replace("\n", " ").strip()
        try:
            self._test = self._condition(ast.parse(plain, mode="eval").body)
        except (SyntaxError, ValueError) as error:
            said = error.msg if isinstance(error, SyntaxError) else str(error)
            raise _wrong(f"cannot be read: {said}") from None
        except (RecursionError, MemoryError):
            raise _wrong("is nested too deeply") from None

    def holds(self, values: Values) -> bool:
        """Tell whether the condition holds for these values, by name; None is a missing one."""
        return self._test(values) is True

    def _keep(self, found: re.Match[str]) -> str:
        """Put a plain name in the place of one that Python does not know."""
        if found[1] is None and found[2] is None:
            return found[0]
        name = f"_quoted_{len(self._quoted)}_"
        self._quoted[name] = found[2] if found[1] is None else found[1]
        return name

    def _condition(self, node: ast.AST) -> Test:
        match node:
            case ast.BoolOp(op=ast.And()):
                return _all([self._condition(one) for one in node.values])
            case ast.BoolOp():
                return _any([self._condition(one) for one in node.values])
            case ast.UnaryOp(op=ast.Not()):
                return _not(self._condition(node.operand))
            case ast.Compare():
                _check_is(node)
                terms = [self._term(one) for one in (node.left, *node.comparators)]
                pairs = zip(terms, node.ops, terms[1:], strict=False)
                return _all([_comparison(left, how, right) for left, how, right in pairs])
        return _truth(self._term(node))

    def _term(self, node: ast.AST) -> _Term:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return _always(node.value)
            case ast.List() | ast.Tuple() | ast.Set():
                items = [self._term(one) for one in node.elts]
                return lambda values: [one(values) for one in items]
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=value)):
                if isinstance(value, (int, float)):
                    return _always(-value if isinstance(node.op, ast.USub) else value)
            case ast.Name() | ast.Attribute():
                return self._named(_dotted(node))
            case ast.BinOp(op=ast.Sub(), left=left, right=right) if _is_name(left, right):
                raise _wrong("does no arithmetic; a name with '-' goes in backticks: `a-b`")
        shown = ast.unparse(node)
        raise _wrong(f"has what it does not know: {shown[:60]}")

    def _named(self, name: str) -> _Term:
        name = self._quoted.get(name, name)
        if name.lower() in _WORDS:
            return _always(_WORDS[name.lower()])
        self.names.append(name)
        return lambda values: _MISSING if values.get(name) is None else values[name]


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise _wrong(f"has what it does not know: {ast.unparse(node)[:60]}")


def _check_is(node: ast.Compare) -> None:
    for how, right in zip(node.ops, node.comparators, strict=True):
        plain = right.value if isinstance(right, ast.Constant) else getattr(right, "id", "")
        if isinstance(how, (ast.Is, ast.IsNot)) and str(plain).lower() not in ("none", "null"):
            raise _wrong("takes `is` with None only")


def _is_name(*nodes: ast.AST) -> bool:
    return all(isinstance(node, (ast.Name, ast.Attribute)) for node in nodes)


def _comparison(left: _Term, how: ast.cmpop, right: _Term) -> Test:
    def compare(values: Values) -> bool | None:
        return _compared(left(values), how, right(values))

    return compare


def _compared(a: Any, how: ast.cmpop, b: Any) -> bool | None:
    if isinstance(how, (ast.Is, ast.IsNot)):
        missing = a is None or a is _MISSING
        return missing if isinstance(how, ast.Is) else not missing
    if a is _MISSING or b is _MISSING:
        return None
    if isinstance(how, (ast.Eq, ast.NotEq)):
        return (a == b) is isinstance(how, ast.Eq)
    try:
        if isinstance(how, (ast.In, ast.NotIn)):
            return (a in b) is isinstance(how, ast.In)
        return bool(_ORDER[type(how)](a, b))
    except TypeError:
        return None  # a text is neither more nor less than a number


def _truth(term: _Term) -> Test:
    def tell(values: Values) -> bool | None:
        value = term(values)
        return None if value is _MISSING else bool(value)

    return tell


def _always(value: Any) -> _Term:
    return lambda values: value


def _all(tests: list[Test]) -> Test:
    def tell(values: Values) -> bool | None:
        told = [test(values) for test in tests]
        return False if False in told else None if None in told else True

    return tell


def _any(tests: list[Test]) -> Test:
    def tell(values: Values) -> bool | None:
        told = [test(values) for test in tests]
        return True if True in told else None if None in told else False

    return tell


def _not(test: Test) -> Test:
    def tell(values: Values) -> bool | None:
        told = test(values)
        return None if told is None else not told

    return tell


def _wrong(what: str) -> UsageError:
    return UsageError(f"--filter {what}", hint=_HINT)
