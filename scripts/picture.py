"""Makes the picture of the terminal in README.md from a real session in a fresh clone."""

import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "terminal.svg"
WIDTH = 100
PREPARE = ["mlx pull --quiet data/census.parquet.dvc", "mlx repro --quiet"]
SHOWN = [
    "sed -i 's/learning_rate: .*/learning_rate: 0.2/' params.yaml",
    "mlx status",
    "mlx repro",
    "mlx why train_boosting",
    "mlx repro",
]

# Rich's own frame asks for a font from the network; a picture in a README must not.
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def run(command: str, folder: Path) -> str:
    """Return what `command` prints on a terminal that cannot redraw, with its colours."""
    main, side = pty.openpty()
    env = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "SHELL": "/bin/sh"}
    env.pop("CI", None)
    env.pop("NO_COLOR", None)
    with subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=side,
        stderr=subprocess.PIPE,
        env=env,
    ) as process:
        os.close(side)
        told = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            told += part
        error = process.stderr.read() if process.stderr else b""
    os.close(main)
    if process.returncode != 0:
        sys.exit(f"{command} failed:\n{error.decode()}")
    return told.decode().replace("\r\n", "\n")


def picture(folder: Path) -> str:
    """Run the session in `folder` and draw it."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        for command in PREPARE:
            run(command, folder)
        for command in SHOWN:
            console.print(Text("$ " + command, style="bold"))
            console.print(Text.from_ansi(run(command, folder)), no_wrap=True, overflow="ellipsis")
        return console.export_svg(title="mlx", theme=DIMMED_MONOKAI, code_format=FRAME)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "census"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        TARGET.write_text(picture(folder), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
