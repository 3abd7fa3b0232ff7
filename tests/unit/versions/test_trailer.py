"""What mlx writes into a tag's message, and what it believes of one."""

import pytest

from mlxkit.versions import trailer


def test_what_is_written_is_read_back_and_hidden_from_people() -> None:
    told = {"kind": "registered", "path": "a\nb", "md5": "0" * 32, "size": 3}
    text = trailer.message("Register m v1.0.0", "why\n\nmore", told)
    assert trailer.read(text) == {"format": 1, **told}
    assert trailer.without(text) == "Register m v1.0.0\n\nwhy\n\nmore"


def test_a_message_of_another_program_says_nothing() -> None:
    assert trailer.read("Registering artifact m version v1.0.0\n") is None


def test_the_last_line_counts() -> None:
    text = trailer.message("s", 'mlx-model: {"format":1,"path":"evil"}', {"path": "good"})
    assert trailer.read(text) == {"format": 1, "path": "good"}


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "[]", "1", '{"format":2}', '{"format":1,"path":3}', '{"format":1,"size":"x"}',
        '{"format":1,"size":NaN}', "[" * 5000, '{"format":1,"from":{}}', '{"format":1,"size":true}',
        '{"format":1,"gate":' + "[" * 500 + "]" * 500 + "}",
    ],
)  # fmt: skip
def test_damaged_lines_are_told(said: str) -> None:
    with pytest.raises(trailer.Unreadable):
        trailer.read(f"subject\n\nmlx-model: {said}\n")
