"""core.yaml against ruamel.yaml as DVC uses it: same values and types, same bytes."""

import datetime
import subprocess
import sys
import warnings
from collections import OrderedDict
from itertools import pairwise
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core import yaml
from mlxkit.core.errors import ExitCode, ProjectError

SLOW_OK = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
fast = settings(deadline=None, derandomize=True, max_examples=150, suppress_health_check=SLOW_OK)

PLAIN = """
yes no on off y n Yes ON true True TRUE tRue false null Null NULL nULL ~ ~~ 012 0o17 0o8 08 0b11
0x1F 0xg 1e3 1E3 1e+3 1e-3 1_000 _1 1__0 1_ 12:30:45 1:20 .inf -.inf +.inf .Inf .INF .nan .NaN
1. 1.5 .5 .5e3 .5e+3 +1 -1 +.5 1e400 0e1 00 -0 -0.0 +0 1.2.3 1e e1 inf nan - -- --- -1- << = a=b
a:b :a ?a #a a#b &a *a !a !!str | > %a @a `a [a ] {a } a,b ,a 'a a'b ' " "a" a"b \\ \\n -.nan 0b2
2020-01-01 2020-1-1 2020-13-45 2020-01-01T12:00:00Z 2001-12-14t21:59:43.10-05:00 . .. ... ..a + +-
d41d8cd98f00b204e9800998ecf8427e 12345678901234567890123456789012 1234e5678 0.1.2 0o 0b 0x
"""
NASTY = [
    *PLAIN.split(),
    *("", " ", "  ", " a", "a ", "a  b", "- a", "-\ta", "a: b", ": a", "a:", "a :b", "? a", "a #b"),
    *("a# b", "#", ":", "?", "\n", "a\nb", "a\n", "\na", "a\n\nb", "a \nb", "a\n b", "a\n\n", "\t"),
    *("a\tb", "2020-01-01 12:00:00", "2020-01-01 12:00:00.5 +01:30", "é", "日本語 テスト", "🚀"),
    *("a\x85b", "a\u2028b", "\ufeff", "a\ufeffb", "\x00", "\x07", "\x7f", "\x80", "\xa0", "\ud7ff"),
    *("\ufffd", "\ufffe", "x" * 85, "x" * 200, "--- a", "... b", "python -c 'print(1)'"),
    *("echo 'a: b' # c", "word " * 40 + "end", "a: " + "word " * 40 + "end", "a  b " * 30 + "c"),
    *("it's: " + "word " * 40, "a " + "x" * 90 + " b", "set -e\necho a\n" * 9, "a  " + "x" * 79),
]

words = st.sampled_from(
    ["a", "python", "--x", "'q'", '"q"', "#", "x" * 75, "é", "a:", "\\", "-", "1"]
)
gaps = st.sampled_from([" ", " ", " ", "  ", "\n", "\n  ", " \n", "\t"])
long_texts = st.lists(st.tuples(words, gaps), min_size=1, max_size=25).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
texts = st.one_of(
    st.sampled_from(NASTY),
    st.tuples(st.sampled_from(NASTY), st.sampled_from(["", " ", ": "]), st.sampled_from(NASTY)).map(
        "".join
    ),
    long_texts,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("0123456789_.eE+-:xobTZ ", max_size=12),
    st.text("abc:#-? '\"[]{},&*!|>%@`\\\n0.", max_size=40),
)
floats = st.floats() | st.sampled_from([1e-05, 1e16, 1e22, 5e-324, 0.1, -0.0])
times = st.sampled_from(
    [
        datetime.date(2020, 1, 2),
        datetime.datetime(2020, 1, 2, 3, 4, 5),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 678),
        datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    ]
)
leaves = st.one_of(texts, st.integers(), floats, st.booleans(), st.none(), times)
keys = st.one_of(
    st.sampled_from(["cmd", "deps", "train.lr", "a b", "k" * 60, "k" * 78, "k" * 130]), texts
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3).map(OrderedDict),
    ),
    max_leaves=12,
)


def same(one: Any, two: Any) -> bool:
    """Equal with equal types, order of keys, signs of zero and names of time zones."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return same(list(one), list(two)) and same(list(one.values()), list(two.values()))
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return repr(one) == repr(two)


def assert_loads_like_ruamel(text: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = loads_yaml(text)
    except Exception:
        with pytest.raises(yaml.YamlError):
            yaml.load(text)
        return
    loaded = yaml.load(text)
    try:
        assert same(loaded, expected)
    except RecursionError:  # an alias to its own anchor
        assert type(loaded) is type(expected)


@pytest.mark.parametrize("scalar", NASTY)
def test_nasty_scalars_resolve_as_in_ruamel(scalar: str) -> None:
    for template in ("{}\n", "k: {}\n", "- {}\n", "{}: 1\n", "[{}]", "{{a: {}}}", "k: !!str {}\n"):
        assert_loads_like_ruamel(template.format(scalar))


@pytest.mark.parametrize("scalar", NASTY)
def test_nasty_scalars_are_written_as_by_dvc(scalar: str) -> None:
    for data in ({"k": scalar}, [scalar], {scalar: 1}, {"a": {"b": [{"c": scalar}]}}):
        assert yaml.dumps(data) == dumps_yaml(data)


@fast
@given(values)
def test_dumps_writes_the_bytes_of_dvc(data: Any) -> None:
    expected = dumps_yaml(data)
    assert yaml.dumps(data) == expected
    assert_loads_like_ruamel(expected)


@pytest.mark.parametrize("length", [*range(60, 90), *range(118, 132)])
def test_widths_around_the_limits_fold_as_in_dvc(length: int) -> None:
    name, sentence = "k" * length, ("ab " * length)[:length].strip()
    for value in ("v", "a b", "it's: x", "x: y z", 1, True, [], {}, ["v"], {"a": 1}, sentence):
        data = {"a": {name: value, "b": [sentence, {name[:50]: sentence}]}}
        assert yaml.dumps(data) == dumps_yaml(data)


def test_shared_parts_get_dvcs_anchors() -> None:
    shared = {"x": [1, 2]}
    data = {"a": shared, "b": [shared, shared["x"]], "c": (), "d": ()}
    assert "&id001" in yaml.dumps(data)
    assert yaml.dumps(data) == dumps_yaml(data)


@pytest.mark.parametrize("data", [{}, [], None, "a", 1, "", True, (), OrderedDict()])
def test_small_documents_are_written_as_by_dvc(data: Any) -> None:
    assert yaml.dumps(data) == dumps_yaml(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# only a comment\n",
        "---\n",
        "--- a\n",
        "a: 1\n...\n",
        "a: ...\n...\n...",
        "%YAML 1.1\n---\na: yes\n",
        "%YAML 1.2\n---\na: yes\n",
        "a: 1\na: 2\n",
        "a: 1\n'a': 2\n",
        "1: a\n1.0: b\n",
        "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x\n",
        "a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc: {z: 0, <<: [*x, *y], p: 9, r: 8}\n",
        "a: &x {p: 1}\nb: {<<: *x, <<: *x}\n",
        "a: &x {p: 1}\nb: {<<: *x, p: 1, p: 2}\n",
        "a: {<<: 1}\n",
        "a: <<\n",
        "<<: {a: 1}\n",
        "'<<': {a: 1}\n",
        "a: =\n",
        "=: a\n",
        "a: &a 1\nb: &a 2\nc: *a\n",
        "a: *b\n",
        "? [1, 2]\n: 3\n",
        "? {a: 1}\n: 3\n",
        "{a: 1, b: [x, y: z]}\n",
        "[a, b:c, d: e, 'f':g]\n",
        "a: !!python/object:os.system x\n",
        "a: !!binary aGk=\n",
        "a: !!set {x, y}\n",
        "a: !!int '3'\n",
        "a: ! 12\n",
        "a:\tb\n",
        "a: |\n  x\n   y\n",
        "a: >-\n  x\n  y\n\n  z\n",
        "k: >#c\n",
        "|\n# c\n",
        "- a\n-\n- - b\n",
        "a: 'it''s'\nb: \"\\u00e9\\x41\\n\\\n  x\"\n",
        "a: b: c\n",
        "a: [1\n",
        'a: "b\n',
        "a: b\n c: d\n",
        "\ufeffa: 1\n",
        "a: \x01\n",
        "a: 1\n---\nb: 2\n",
        "[" * 1000,
        "- " * 1000,
        "a: 2001-12-14t21:59:43.10-05:00\n",
    ],
)
def test_documents_load_as_in_ruamel(text: str) -> None:
    assert_loads_like_ruamel(text)


def test_an_alias_to_its_own_anchor_makes_a_cycle() -> None:
    value = yaml.load("a: &a [*a]\n")
    assert value["a"][0] is value["a"]


def test_aliases_are_one_object() -> None:
    value = yaml.load("a: &x {p: [1]}\nb: *x\nc: {<<: *x}\n")
    assert value["a"] is value["b"]
    assert value["a"]["p"] is value["c"]["p"]


PIECES = [
    *("a", "b", "key", "'x'", '"y"', "yes", "1", "0x1f", "~", "2020-01-01", "<<", "=", "*a", "&a "),
    *(
        "!!str ",
        "? ",
        ": ",
        ":",
        "- ",
        "-",
        "  ",
        "\n",
        "\n  ",
        "\n- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        " # c",
    ),
    *(
        "#",
        "\t",
        "'",
        '"',
        "---\n",
        "...\n",
        "\na: ",
        "\n<<: *a",
        "\nk: &a\n  x: 1\n",
        "@",
        "é",
        ">",
    ),
    *("\\", "a:b", "12:30:45", "|", "|\n", "|-\n  "),
]


@fast
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_random_documents_load_as_in_ruamel(text: str) -> None:
    assert_loads_like_ruamel(text)


@fast
@given(values, st.data())
def test_damaged_documents_load_as_in_ruamel(value: Any, data: st.DataObject) -> None:
    text = yaml.dumps({"a": value, "b": [value]})
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.sampled_from(PIECES))
    assert_loads_like_ruamel(text[:at] + piece + text[at + data.draw(st.integers(0, 3)) :])


def test_bytes_are_a_files_content() -> None:
    assert yaml.load(b"a: 1\r\nb: 2\rc: \xc3\xa9\r\n") == {"a": 1, "b": 2, "c": "é"}
    with pytest.raises(yaml.YamlError) as caught:
        yaml.load(b"a: 1\nb: \xff\n", "p.yaml")
    assert str(caught.value) == "p.yaml:2: is not valid UTF-8"


def test_errors_name_file_and_line() -> None:
    with pytest.raises(yaml.YamlError) as caught:
        yaml.load("a: 1\nb: [1,\nc: 2\n", "dvc.yaml")
    error = caught.value
    assert isinstance(error, ProjectError)
    assert error.exit_code is ExitCode.PROJECT
    assert error.where is not None and error.where.startswith("dvc.yaml:")
    assert "\n" not in error.message


def test_a_duplicate_key_is_named_with_its_line() -> None:
    with pytest.raises(yaml.YamlError, match=r'^p\.yaml:3: found duplicate key "a"'):
        yaml.load("a: 1\nb: 2\na: 3\n", "p.yaml")


def test_merge_conflict_markers_are_recognised() -> None:
    for size in (7, 9):
        first, middle, last = (mark * size for mark in "<=>")
        text = f"a: 1\n{first} HEAD\nb: 2\n{middle}\nb: 3\n{last} other\n"
        with pytest.raises(yaml.ConflictError, match=r"^dvc\.lock:2: has Git merge-conflict"):
            yaml.load(text, "dvc.lock")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_an_error_and_not_a_crash(opening: str) -> None:
    with pytest.raises(yaml.YamlError):
        yaml.load(opening * 200_000)


KEYS = """\
# comment
stages:
  train:
    cmd: x
    deps:
    - path: a
    - path: b
      md5: c
  'a: b': {cmd: [1,
    2]}
3: x
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("stages",), 2),
        (("stages", "train", "cmd"), 4),
        (("stages", "train", "deps", 1), 7),
        (("stages", "train", "deps", 1, "md5"), 8),
        (("stages", "a: b"), 9),
        (("stages", "a: b", "cmd", 1), 10),
        ((3,), 11),
        (("stages", "nope"), None),
        (("stages", "train", "deps", 2), None),
        (("stages", "train", "cmd", "x"), None),
        (("stages", "train", "deps", "path"), None),
    ],
)
def test_key_line(path: tuple[str | int, ...], line: int | None) -> None:
    assert yaml.key_line(KEYS, path) == line


def test_key_line_of_broken_or_empty_text() -> None:
    assert yaml.key_line("a: [", ("b",)) is None
    assert yaml.key_line("", ()) is None


def test_import_and_common_use_leave_ruamel_alone() -> None:
    program = (
        "import sys; from mlxkit.core import yaml; assert 'yaml' not in sys.modules;"
        "yaml.dumps(yaml.load('a: {b: [1, x, 1e-5]}'));"
        "assert 'ruamel.yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_aliases_stand_for_what_they_name() -> None:
    assert yaml.load("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n")["d"] == [{"b": 1}, {"b": 1}]
    assert yaml.load("cmd: cat *.csv && rm *\n") == {"cmd": "cat *.csv && rm *"}


def test_aliases_that_would_fill_the_memory() -> None:
    levels = "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghij"))
    for text in (f"a: &a [1]\n{levels}", f"a: &a [1]\n{levels}\tb: 1\n"):
        with pytest.raises(yaml.YamlError):
            yaml.load(text)
