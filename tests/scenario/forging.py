# SPDX-License-Identifier: Apache-2.0
"""What aislectl would not make: any bytes as a manifest, signed by real keys all the same."""
import base64
import ctypes
import ctypes.util
import hashlib
import json

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert SODIUM.sodium_init() >= 0


class Key:
    """A .key file without a password: "Ed", no kdf, "B2", salt, limits, then number and secret key."""

    def __init__(self, path):
        with open(path) as f:
            raw = base64.b64decode(f.read().splitlines()[1])
        assert raw[:6] == b"Ed\0\0B2", "expected a key without a password"
        self.number, self.secret = raw[54:62], raw[62:126]

    def seal(self, message):
        signature = ctypes.create_string_buffer(64)
        assert SODIUM.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), self.secret) == 0
        return signature.raw

    def sign(self, manifest, comment="timestamp:1"):
        """The text of a minisig file."""
        signature = self.seal(hashlib.blake2b(manifest, digest_size=64).digest())
        overall = self.seal(signature + comment.encode())
        return (f"untrusted comment: signature of key {self.number[::-1].hex().upper()}\n"
                f"{base64.b64encode(b'ED' + self.number + signature).decode()}\n"
                f"trusted comment: {comment}\n{base64.b64encode(overall).decode()}\n")


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def envelope(manifest, keys, signatures=None):
    """Of a dict, or of bytes as they are. signatures: texts in place of those of the keys."""
    if not isinstance(manifest, bytes):
        manifest = compact(manifest)
    return compact({"manifest": base64.b64encode(manifest).decode(),
                    "signatures": [key.sign(manifest) for key in keys] if signatures is None else signatures}) + b"\n"
