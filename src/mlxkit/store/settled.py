"""Whether a file's last change was clearly over when it was looked at.

Time stamps come in ticks. A file written in the same tick in which it was hashed can be written
again, size unchanged, and look the same for ever.
"""

MARGIN = 50_000_000  # more than a kernel's clock tick, which is 1 to 10 ms
COARSE_MARGIN = 2_000_000_000  # file systems that keep whole seconds, or two
_SECOND = 1_000_000_000
SETTLING = 1.2 * MARGIN / _SECOND
"""Seconds after which a file's last change is clearly over."""


def settled(newest: int, moment: int) -> bool:
    """Whether a last change at `newest` was over at `moment` (both ns since 1970)."""
    return newest + (COARSE_MARGIN if newest % _SECOND == 0 else MARGIN) <= moment
