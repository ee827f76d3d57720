"""Bodies, decompressed with a limit on what comes out.

Done here and not by the HTTP library, which takes a gzip body cut short for a whole one, leaves
stacked encodings alone, and fails on plain text that is labelled as compressed.
"""

import re
import zlib
from collections.abc import Callable

import brotli
from backports import zstd

from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = range(0x50, 0x60)
# The memory that a zstd body may ask for is its sender's choice, up to this (RFC 9659: 8 MiB).
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}

# Markup or JSON: no compressor's output begins so and goes on without control characters.
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{\[][^\x00-\x08\x0b\x0e-\x1f\x7f]*")
_PLAIN_BYTES = 64

# What servers write when they mean "as it is".
_IDENTITY = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit"})

# Nobody compresses more often than this on purpose.
_MOST_LAYERS = 3

_STEP_BYTES = 1 << 20

# zlib, brotli and zstd name their errors differently.
_BROKEN = (zlib.error, brotli.error, zstd.ZstdError)


class _TooLargeError(Exception):
    def __init__(self, begun: bytes) -> None:
        super().__init__()
        self.begun = begun


class _CutShortError(Exception):
    pass


class _UnknownError(Exception):
    pass


def decode_body(
    body: bytes, content_encoding: str, max_bytes: int, *, whole: bool = True
) -> bytes | Refusal:
    """Undo every encoding of a body, last one first, holding at most `max_bytes` of each layer.

    Parameters
    ----------
    whole
        Whether a larger body is refused; else its beginning is returned, if it is encoded once.
    """
    try:
        return _decode(body, content_encoding, max_bytes)
    except _TooLargeError as error:
        if not whole and "," not in content_encoding:
            return error.begun
        return Refusal(reason=Reason.TOO_LARGE, detail=f"more than {max_bytes} bytes, unpacked")
    except _CutShortError:
        return Refusal(reason=Reason.TRUNCATED, detail=f"the {content_encoding} body is cut short")
    except _UnknownError as error:
        return Refusal(reason=Reason.BAD_ENCODING, detail=f"unknown encoding {error}"[:200])
    except _BROKEN as error:
        return Refusal(reason=Reason.BAD_ENCODING, detail=f"{content_encoding}: {error}"[:200])


def _decode(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    layers = [name.strip().lower() for name in content_encoding.split(",")]
    if len(layers) > _MOST_LAYERS:
        raise _UnknownError(content_encoding)
    for layer in reversed(layers):
        body = _undo(layer, body, max_bytes)
    return body


def _undo(layer: str, body: bytes, max_bytes: int) -> bytes:
    decode = _decoder(layer)
    try:
        return decode(body, max_bytes)
    except (*_BROKEN, _CutShortError):
        # Plain text with a wrong label: common enough to be worth reading.
        if _PLAIN.fullmatch(body[:_PLAIN_BYTES]):
            return body
        raise


def _decoder(layer: str) -> Callable[[bytes, int], bytes]:
    if layer in _IDENTITY:
        return _as_it_is
    decoders = {
        "gzip": _gzip,
        "x-gzip": _gzip,
        "deflate": _deflate,
        "br": _brotli,
        "zstd": _zstd,
    }
    if layer not in decoders:
        raise _UnknownError(layer)
    return decoders[layer]


def _as_it_is(body: bytes, _: int) -> bytes:
    return body


def _gzip(body: bytes, max_bytes: int) -> bytes:
    if not body.startswith(_GZIP):
        # Whatever it is, it is not compressed.
        return body
    out = bytearray()
    # Several members one after the other are one body (RFC 1952, 2.2); other bytes after them are padding.
    while body.startswith(_GZIP):
        out, body = _inflate(body, 31, out, max_bytes)
    return bytes(out)


def _deflate(body: bytes, max_bytes: int) -> bytes:
    if not body:
        return body
    # "deflate" means zlib's wrapping (RFC 9110, 8.4.1.2), but some servers send it bare.
    wrapped = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0  # noqa: PLR2004 - RFC 1950, 2.2
    return bytes(_inflate(body, 15 if wrapped else -15, bytearray(), max_bytes)[0])


def _inflate(body: bytes, window: int, out: bytearray, max_bytes: int) -> tuple[bytearray, bytes]:
    decompressor = zlib.decompressobj(window)
    rest = body
    while not decompressor.eof:
        piece = decompressor.decompress(rest, _STEP_BYTES)
        _grow(out, piece, max_bytes)
        if not piece and not decompressor.unconsumed_tail and not decompressor.eof:
            raise _CutShortError
        rest = decompressor.unconsumed_tail
    return out, decompressor.unused_data


def _brotli(body: bytes, max_bytes: int) -> bytes:
    decompressor = brotli.Decompressor()
    out = bytearray()
    piece = decompressor.process(body, output_buffer_limit=_STEP_BYTES)
    while True:
        _grow(out, piece, max_bytes)
        if decompressor.is_finished():
            return bytes(out)
        if not piece:
            raise _CutShortError
        piece = decompressor.process(b"", output_buffer_limit=_STEP_BYTES)


def _zstd(body: bytes, max_bytes: int) -> bytes:
    if not body.startswith(_ZSTD) and not _is_skippable(body):
        return body
    out = bytearray()
    while body.startswith(_ZSTD) or _is_skippable(body):
        decompressor = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
        rest = body
        while not decompressor.eof:
            piece = decompressor.decompress(rest, _STEP_BYTES)
            _grow(out, piece, max_bytes)
            if not piece and decompressor.needs_input:
                raise _CutShortError
            rest = b""
        body = decompressor.unused_data
    return bytes(out)


def _is_skippable(body: bytes) -> bool:
    return len(body) > len(_ZSTD) and body[0] in _ZSTD_SKIPPABLE and body[1:4] == b"\x2a\x4d\x18"


def _grow(out: bytearray, piece: bytes, max_bytes: int) -> None:
    out += piece
    if len(out) > max_bytes:
        raise _TooLargeError(bytes(out[:max_bytes]))
