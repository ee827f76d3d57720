"""What crosses Temporal, encrypted with keys that only the fleet has.

AES-256-GCM with a nonce per payload. The key's id is stored beside the ciphertext and authenticated
with it, so keys rotate: the first one given encrypts, all of them decrypt.
"""

import os
import zlib
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from feedmill.errors import PayloadUnreadableError

_ENCODING = b"binary/encrypted"
_NONCE_BYTES = 12
# What is shorter is not made shorter.
_WORTH_COMPRESSING = 512


class EncryptingCodec(PayloadCodec):
    """Encrypts every payload with the first key, and decrypts with whichever it was.

    What was written before encryption was turned on is read as it is.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._active = next(iter(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads with the key that is in use."""
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads.

        Raises
        ------
        PayloadUnreadableError
            With a key we do not have, or not what was encrypted. Retried: the key may come.
        """
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        plain, form = payload.SerializeToString(), b"plain"
        if len(plain) > _WORTH_COMPRESSING:
            plain, form = zlib.compress(plain), b"zlib"
        nonce, name = os.urandom(_NONCE_BYTES), self._active.encode()
        sealed = self._keys[self._active].encrypt(nonce, plain, name + b"/" + form)
        return Payload(
            metadata={"encoding": _ENCODING, "encryption-key-id": name, "form": form},
            data=nonce + sealed,
        )

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        name, form = payload.metadata["encryption-key-id"], payload.metadata["form"]
        called = name.decode(errors="replace")
        key = self._keys.get(called)
        if key is None:
            raise PayloadUnreadableError(f"no key {called!r} among FEEDMILL_PAYLOAD_KEYS")
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            plain = key.decrypt(nonce, sealed, name + b"/" + form)
        # ValueError: what is shorter than a nonce.
        except (InvalidTag, ValueError) as error:
            raise PayloadUnreadableError("a payload is not what was encrypted") from error
        return Payload.FromString(zlib.decompress(plain) if form == b"zlib" else plain)
