"""What a source imports, by its text alone."""

import pytest

from mlxkit.trace.sources import BrokenSource, Import, read_source


def _names(text: str) -> set[str]:
    return {one.name for one in read_source(text).imports}


def test_statements() -> None:
    assert set(
        read_source("import a.b as c, d\nfrom e import f, g\nfrom .. import h\n").imports
    ) == {
        Import("a.b", 1),
        Import("d", 1),
        Import("e", 2, 0, ("f", "g")),
        Import("", 3, 2, ("h",)),
    }


def test_anywhere_but_for_types() -> None:
    text = (
        "try:\n    import a\nexcept ImportError:\n    import b\n"
        "def f():\n    import c\n"
        "if TYPE_CHECKING:\n    import d\nelse:\n    import e\n"
        "if typing.TYPE_CHECKING:\n    import f\n"
    )
    assert _names(text) == {"a", "b", "c", "e"}


def test_loaded_by_constant_names() -> None:
    text = (
        "importlib.import_module('a.b')\nimport_module('c')\n__import__('d')\n"
        "runpy.run_module('e')\nimport_module(name)\nimport_module(f'x{y}')\n"
        "import_module('.f', 'pkg.sub')\nimport_module('..g', package='pkg.sub')\n"
    )
    assert _names(text) == {"a.b", "c", "d", "e", "pkg.sub.f", "pkg.g"}
    (own,) = read_source("import_module('.near', __package__)").imports
    assert (own.name, own.level) == ("near", 1)


def test_what_else_a_source_says() -> None:
    source = read_source("import sys\n__all__ = ['a', 'b']\nsys.path.insert(0, 'src')\n")
    assert (source.everything, source.folders, source.blank) == (("a", "b"), ("src",), False)
    assert read_source(b"# coding: latin-1\n'\xe4'\n").blank


@pytest.mark.parametrize("data", ["def f(:\n", b"\xff\xfe", "a\0b", "(" * 5000])
def test_broken_sources(data: str | bytes) -> None:
    with pytest.raises(BrokenSource):
        read_source(data)
