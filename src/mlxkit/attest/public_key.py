"""An ed25519 public key: as SSH writes it, how it is named, what it says of a signature."""

import base64
import binascii
import hashlib
import struct
from typing import NamedTuple

from mlxkit.runs.record import canonical

KIND = "ssh-ed25519"


class PublicKey(NamedTuple):
    """The 32 bytes of an ed25519 public key."""

    raw: bytes

    @property
    def keyid(self) -> str:
        """Return the name that in-toto's libraries give the key: a digest of its JSON form."""
        said = {"keytype": "ed25519", "keyval": {"public": self.raw.hex()}, "scheme": "ed25519"}
        return hashlib.sha256(canonical(said)).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Return the name that `ssh-keygen -l` shows."""
        digest = hashlib.sha256(self.blob).digest()
        return f"SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"

    @property
    def blob(self) -> bytes:
        """Return the key as SSH sends it."""
        return pack(KIND.encode("ascii")) + pack(self.raw)

    @property
    def line(self) -> str:
        """Return the key as an SSH public key file has it."""
        return f"{KIND} {base64.b64encode(self.blob).decode('ascii')}"

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature is this key's, over just these bytes."""
        # Late: OpenSSL takes 30 ms to load.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def of_ssh(kind: str, encoded: str) -> PublicKey:
    """Read the two words of an SSH public key; raises ValueError, which says why not."""
    if kind != KIND:
        raise ValueError(f"it is a key of kind {kind}, not {KIND}")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    key = PublicKey(blob[-32:])
    if key.blob != blob:
        raise ValueError(f"it is no {KIND} key")
    return key


def pack(data: bytes) -> bytes:
    """Return bytes as SSH sends them: after their length."""
    return struct.pack(">I", len(data)) + data


def unpack(data: bytes) -> tuple[bytes, bytes]:
    """Return the bytes that come first, after their length, and the rest; raises ValueError."""
    if len(data) < 4:
        raise ValueError("it is cut short")
    (length,) = struct.unpack_from(">I", data)
    if len(data) < 4 + length:
        raise ValueError("it is cut short")
    return data[4 : 4 + length], data[4 + length :]
