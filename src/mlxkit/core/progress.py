"""How work that may take long tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told by the code that works; shown, or not, by whoever called it."""

    def begin(self, what: str, files: int | None = None, size: int | None = None) -> None:
        """Start a part of the work: its name, and how many files and bytes it has, if known."""

    def advance(self, files: int = 1, size: int = 0) -> None:
        """Tell that so many more files and bytes are done."""

    def end(self) -> None:
        """End the part that was begun last."""


class NoProgress:
    """Shows nothing."""

    def begin(self, what: str, files: int | None = None, size: int | None = None) -> None:
        pass

    def advance(self, files: int = 1, size: int = 0) -> None:
        pass

    def end(self) -> None:
        pass


SILENT = NoProgress()
