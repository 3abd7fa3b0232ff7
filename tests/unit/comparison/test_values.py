"""Files of metrics and parameters: values and errors as dvc has them."""

from pathlib import Path

import pytest
from dvc.fs import localfs
from dvc.utils.serialize import ParseError, load_path

from mlxkit.comparison.values import Unparsed, kind_of, parse

TEXTS = {
    "m.json": [b'{"a": NaN}', b"[1]", b"", b"{", b"null", b"0", b"\xff", b'{"a": 1}{'],
    "m.yaml": [
        b"a: .nan",
        b"- 1",
        b"",
        b"a: [",
        b"null",
        b"a: 1\r\nb: 2",
        b"\xff",
        b"d: 2020-01-01",
    ],
    "m.toml": [b"a = nan", b"", b"a =", b"[t]\nx = [1, 2]\nd = 2020-01-01", b"\xff"],
    "m.py": [b"A = 1\nclass B:\n  x = (1, 2)\n", b"A =", b"A = {1, 2}\nB = f()\n"],
    "m.test.json": [b'{"a": NaN}', b'{"a": 1}'],
    "M.JSON": [b'{"a": NaN}', b"a: 1"],
    "noending": [b"a: 1", b'{"a": 1}'],
}


@pytest.mark.parametrize(("name", "data"), [(n, one) for n, each in TEXTS.items() for one in each])
def test_as_dvc_reads_it(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    try:
        expected = repr(load_path(str(path), localfs))
    except ParseError as error:
        with pytest.raises(Unparsed) as caught:
            parse(name, data)
        trouble = caught.value.trouble
        assert trouble.type == type(error).__name__
        assert trouble.msg.startswith(name) and "\n" not in trouble.msg
    else:
        assert repr(parse(name, data)) == expected


def test_the_first_dot_counts() -> None:
    assert [kind_of(one) for one in ("a.b/m", "a/m.x.json", "m.JSON")] == ["yaml", "yaml", "json"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"a": ' + "9" * 5000 + "}"),
        ("m.json", '{"a": -' + "9" * 309 + "}"),
        ("m.json", '{"a":' * 200 + "1" + "}" * 200),
        ("m.json", "[" * 100_000),
        ("m.yaml", "a: 0x" + "9" * 5000),
        ("m.yaml", "a: &a [*a]"),
        ("m.toml", "a = 0x" + "9" * 5000),
        ("m.toml", "a = " + "[" * 5000 + "]" * 5000),
        ("m.py", "A = 0x" + "9" * 5000),
    ],
)
def test_what_nobody_could_show_is_one_file_s_trouble(name: str, text: str) -> None:
    with pytest.raises(Unparsed) as caught:
        parse(name, text.encode())
    assert caught.value.trouble.type.endswith("FileCorruptedError")
    assert caught.value.trouble.msg.startswith(name)
