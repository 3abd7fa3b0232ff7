"""The `mlx` command; answers `--version` before anything is imported."""

import gc
import sys

# A start makes many objects that stay to the end, and none in circles: looking for those after
# every 700 costs a tenth of a short command.
gc.set_threshold(100_000, 20, 20)


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
