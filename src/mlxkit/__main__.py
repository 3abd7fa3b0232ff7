"""The `mlx` command; answers `--version` before anything is imported."""

import gc
import os
import sys

# A start makes many objects that stay to the end, and none in circles: looking for those after
# every 700 costs a tenth of a short command.
gc.set_threshold(100_000, 20, 20)

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] == ["--version"]:
        from mlxkit import __version__

        sys.stdout.write(f"mlx {__version__}\n")
        return 0
    try:
        from mlxkit.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while all that is imported
        from mlxkit.cli.report import interrupted

        code = interrupted(as_json="--json" in sys.argv)
    _finish_in_peace(code)
    return code


def _finish_in_peace(code: int) -> None:
    """All is done and told: Ctrl-C has nothing left to stop, and would end in a traceback."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Python would look through all objects once more for circles, several times: a fifth of the
    # time of a short command, to free memory that the system takes back in a moment. DuckDB's
    # binding looks itself, and would write all that it finds to stderr.
    if "_duckdb" not in sys.modules:
        gc.freeze()
    if code == _INTERRUPTED:
        # Now: Python would wait for threads that a server keeps waiting, and then, where Ctrl-C
        # came in the midst of an import, end itself by that signal instead of with a code.
        try:
            sys.stdout.flush()
        except OSError:
            pass  # nobody reads it any more
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
