"""The `mlx` command; answers `--version` before anything is imported."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] == ["--version"]:
        from mlxkit import __version__

        sys.stdout.write(f"mlx {__version__}\n")
        return 0
    from mlxkit.cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
