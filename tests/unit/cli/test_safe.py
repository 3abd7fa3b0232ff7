"""What a stranger wrote does nothing to a terminal, whichever command shows it."""

import io
import sys

import pytest

from mlxkit.cli import terminal


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


HOSTILE = {
    "a\x1b[2Jb": "a\\x1b[2Jb",
    "\x1b]0;title\x07": "\\x1b]0;title\\x07",
    "a\rb\x08\x7f\x9b": "a\\rb\\x08\\x7f\\x9b",
    "\u202egpj.exe\u2028": "\\u202egpj.exe\\u2028",
    "\ud800": "\\ud800",
}
HARMLESS = ["tabs\tand\nlines", "naïve 日本 🎉", "not UTF-8: \udcff", "no-break\xa0space"]


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_codes_are_escaped(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for screen in (io.StringIO(), Screen()):
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        terminal.write(text)
        terminal.note(text)
        assert screen.getvalue() == f"{shown}\n" * 2
    assert terminal.printable(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_does_no_harm_stays(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    terminal.write(text)
    assert screen.getvalue() == f"{text}\n"


def test_styles_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for screen, shown in ((Screen(), "\x1b[31mred\x1b[0m\n"), (io.StringIO(), "red\n")):
        monkeypatch.setattr(sys, "stdout", screen)
        terminal.write("\x1b[31mred\x1b[0m")
        assert screen.getvalue() == shown
