"""`refs/mlx/attestations`: the envelopes made here, in a chain of Git commits.

That one is in it does not make it true: whose signatures count is asked when one is verified.
"""

from mlxkit.attest.dsse import LARGEST, InvalidEnvelope, decode
from mlxkit.runs.chain import Chain
from mlxkit.runs.record import digest
from mlxkit.runs.repository import Who


def _right(data: bytes) -> bool:
    try:
        decode(data)
    except InvalidEnvelope:
        return False
    return True


CHAIN = Chain("refs/mlx/attestations", "attestations", LARGEST, _right)


def append(root: str, envelope: bytes, who: Who) -> str:
    """Keep an envelope; returns its id. Raises MlxError where Git cannot."""
    return CHAIN.append(root, envelope, who, f"attest {digest(envelope)[:12]}")
