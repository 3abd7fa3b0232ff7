"""Tells a pickle by its opcodes; nothing of it is run."""

import pickletools

_ENOUGH = 64
"""So many opcodes in a row that are right are no accident."""
_IMPORTS = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})


def is_pickle(start: bytes, *, whole: bool) -> bool:
    """Tell whether bytes, `whole` or only the start of more, are a pickle of any protocol."""
    marked = len(start) > 1 and start[0] == 0x80 and 1 < start[1] < 16
    count = 0
    try:
        for opcode, _, _ in pickletools.genops(start):
            count += 1
            if opcode.name == "STOP":
                # A lone dot, or a number and a dot, is text like any other.
                return marked or count > 2
            if count >= _ENOUGH:
                return True
    except Exception:  # genops raises what it likes on what is no pickle
        # Cut off in the middle of an opcode's argument: as far as it goes, it is one.
        return marked or (not whole and count >= _ENOUGH // 4)
    return marked


def may_run(start: bytes) -> bool:
    """Tell whether what reads bytes as a pickle would come to an opcode that imports something."""
    try:
        return any(opcode.name in _IMPORTS for opcode, _, _ in pickletools.genops(start))
    except Exception:  # as above; none came before
        return False
