"""Signs with a key that `ssh-agent` holds.

The agent signs ed25519 over just the bytes it is given (RFC 8709), so what comes back is a plain
signature that every library of the format verifies; `ssh-keygen -Y sign` would wrap it.
"""

import os
import socket
import struct

from mlxkit.attest.public_key import KIND, PublicKey, pack, unpack

_LIST, _LISTED = 11, 12
_SIGN, _SIGNED = 13, 14
_LARGEST = 1 << 20
_SECONDS = 60.0
"""Long enough for a person who is asked to confirm."""


def holds(key: PublicKey) -> bool:
    """Tell whether an agent runs and has the key; one that does not answer has none."""
    try:
        answer = _ask(bytes([_LIST]))
        if answer[:1] != bytes([_LISTED]) or len(answer) < 5:
            return False
        rest = answer[5:]
        for _ in range(struct.unpack_from(">I", answer, 1)[0]):
            blob, rest = unpack(rest)
            _comment, rest = unpack(rest)
            if blob == key.blob:
                return True
    except (OSError, ValueError):
        pass
    return False


def sign(key: PublicKey, data: bytes) -> bytes | None:
    """Return the agent's signature, None where it refuses or is gone."""
    request = bytes([_SIGN]) + pack(key.blob) + pack(data) + struct.pack(">I", 0)
    try:
        answer = _ask(request)
        if answer[:1] != bytes([_SIGNED]):
            return None
        kind, rest = unpack(unpack(answer[1:])[0])
        signature, _ = unpack(rest)
    except (OSError, ValueError):
        return None
    return signature if kind == KIND.encode("ascii") and len(signature) == 64 else None


def _ask(request: bytes) -> bytes:
    """Return the agent's answer; raises OSError where there is no agent."""
    place = os.environ.get("SSH_AUTH_SOCK")
    if not place:
        raise OSError("no agent")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.settimeout(_SECONDS)
        agent.connect(place)
        agent.sendall(pack(request))
        (length,) = struct.unpack(">I", _read(agent, 4))
        if length > _LARGEST:
            raise OSError("its answer is too long")
        return _read(agent, length)


def _read(agent: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = agent.recv(length - len(data))
        if not more:
            raise OSError("it hung up")
        data += more
    return data
