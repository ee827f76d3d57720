import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd

from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill.web.decoding import decode_body

TEXT = b"<rss>" + b"an entry, and another one; " * 200 + b"</rss>"


def bare_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def gzipped(body: bytes) -> bytes:
    """Pack without a time, so that the cases have the same names in every process."""
    return gzip.compress(body, mtime=0)


def same(body: bytes) -> bytes:
    return body


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped,
    "deflate": zlib.compress,
    "bare deflate": bare_deflate,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize(
    ("label", "packed"),
    [
        ("gzip", gzipped(TEXT)),
        ("X-GZIP", gzipped(TEXT)),
        ("gzip", gzipped(TEXT[:100]) + gzipped(TEXT[100:])),
        ("gzip", gzipped(TEXT) + b"\0\0\0"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare_deflate(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstd.compress(TEXT)),
        ("zstd", zstd.compress(TEXT[:100]) + zstd.compress(TEXT[100:])),
        ("gzip, br", brotli.compress(gzipped(TEXT))),
        ("identity", TEXT),
        ("none", TEXT),
        ("utf-8", TEXT),
        ("gzip", TEXT),
        ("zstd", TEXT),
    ],
)
def test_a_body_is_unpacked(label: str, packed: bytes) -> None:
    assert decode_body(packed, label, 10_000) == TEXT


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("body", [TEXT, b"<rss/>", b'\xef\xbb\xbf {"version": "1.1"}'])
def test_plain_text_with_a_wrong_label_is_read(label: str, body: bytes) -> None:
    assert decode_body(body, label, 10_000) == body


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd", "identity"])
def test_an_empty_body_is_empty(label: str) -> None:
    assert decode_body(PACKERS.get(label, same)(b""), label, 10) == b""


@pytest.mark.parametrize("name", PACKERS)
def test_what_comes_out_is_bounded(name: str) -> None:
    packed = PACKERS[name](b"\0" * 5_000_000)

    refusal = decode_body(packed, name.removeprefix("bare "), 4_999_999)

    assert refusal == Refusal(reason=Reason.TOO_LARGE, detail="more than 4999999 bytes, unpacked")
    assert decode_body(packed, name.removeprefix("bare "), 5_000_000) == b"\0" * 5_000_000


@pytest.mark.parametrize("name", PACKERS)
def test_the_beginning_of_a_large_body_can_be_had(name: str) -> None:
    label = name.removeprefix("bare ")

    assert decode_body(PACKERS[name](TEXT), label, 500, whole=False) == TEXT[:500]


def test_a_layer_is_never_taken_for_what_lies_below_it() -> None:
    packed = brotli.compress(gzipped(random.Random(1).randbytes(2_000)))

    refusal = decode_body(packed, "gzip, br", 500, whole=False)

    assert refusal == Refusal(reason=Reason.TOO_LARGE, detail="more than 500 bytes, unpacked")


def test_a_body_may_not_ask_for_all_the_memory_it_likes() -> None:
    wide = zstd.compress(b"x" * 40_000_000, options={zstd.CompressionParameter.window_log: 24})

    refusal = decode_body(wide, "zstd", 50_000_000)

    assert isinstance(refusal, Refusal)
    assert refusal.reason == Reason.BAD_ENCODING


@pytest.mark.parametrize("name", PACKERS)
def test_a_body_cut_short_is_no_body(name: str) -> None:
    label = name.removeprefix("bare ")

    refusal = decode_body(PACKERS[name](TEXT)[:-3], label, 10_000)

    assert refusal == Refusal(reason=Reason.TRUNCATED, detail=f"the {label} body is cut short")


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("gzip", b"\x1f\x8bnonsense, all of it"),
        ("deflate", b"\x78\x9cnonsense"),
        ("br", b"plain text that brotli cannot take for its own"),
        ("zstd", b"\x28\xb5\x2f\xfdnonsense that goes on"),
        ("rot13", TEXT),
        ("gzip, gzip, gzip, gzip", TEXT),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(label: str, body: bytes) -> None:
    refusal = decode_body(body, label, 10_000)

    assert isinstance(refusal, Refusal)
    assert refusal.reason == Reason.BAD_ENCODING


def test_a_label_is_told_no_longer_than_people_read() -> None:
    refusal = decode_body(gzipped(b"a" * 500)[:-1], "gzip" + " " * 30_000, 500)

    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TRUNCATED
    assert len(refusal.detail) == 300
