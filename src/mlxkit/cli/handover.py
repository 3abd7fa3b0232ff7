"""Gives work to DVC's own command line."""

# DVC's own numbers for a bad argument, no project, an interruption, a configuration error.
_CODES = {254: 2, 253: 4, 252: 130, 251: 4, 255: 1}


def give_to_dvc(arguments: list[str]) -> int:
    """Run `dvc arguments` in the same terminal; return its exit code in our numbers."""
    from mlxkit.tools.dvc import hand_over

    code = hand_over(arguments)
    return _CODES.get(code, code)
