"""What came when a page was asked for: by its label, or by its first bytes where that says nothing. Pure."""

from enum import StrEnum

MAX_PAGE_BYTES = 5_000_000
"""The largest answer that is read as a page."""

_LOOK_BYTES = 1_024


class Kind(StrEnum):
    """What an answer is."""

    HTML = "html"
    PDF = "pdf"
    TEXT = "text"
    PICTURE = "picture"
    RECORDING = "recording"
    ARCHIVE = "archive"
    OTHER = "other"


READABLE = frozenset({Kind.HTML, Kind.PDF, Kind.TEXT})

_TYPES = {
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "application/pdf": Kind.PDF,
    "application/x-pdf": Kind.PDF,
    "text/markdown": Kind.TEXT,
    "text/x-markdown": Kind.TEXT,
    "application/zip": Kind.ARCHIVE,
    "application/gzip": Kind.ARCHIVE,
    "application/x-gzip": Kind.ARCHIVE,
    "application/x-tar": Kind.ARCHIVE,
    "application/x-bzip2": Kind.ARCHIVE,
    "application/x-xz": Kind.ARCHIVE,
    "application/x-7z-compressed": Kind.ARCHIVE,
    "application/vnd.rar": Kind.ARCHIVE,
    "application/x-rar-compressed": Kind.ARCHIVE,
    "application/zstd": Kind.ARCHIVE,
}
_FAMILIES = {
    "image": Kind.PICTURE,
    "audio": Kind.RECORDING,
    "video": Kind.RECORDING,
}
# Labels that say nothing, so the body may.
_VAGUE = frozenset(
    {
        "",
        "application/octet-stream",
        "application/xml",
        "binary/octet-stream",
        "text/plain",
        "text/xml",
    }
)
_BEGINNINGS = (
    (b"%PDF-", Kind.PDF),
    (b"\x89PNG\r\n", Kind.PICTURE),
    (b"\xff\xd8\xff", Kind.PICTURE),
    (b"GIF8", Kind.PICTURE),
    (b"ID3", Kind.RECORDING),
    (b"OggS", Kind.RECORDING),
    (b"fLaC", Kind.RECORDING),
    (b"\x1aE\xdf\xa3", Kind.RECORDING),
    (b"PK\x03\x04", Kind.ARCHIVE),
    (b"\x1f\x8b", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ\x00", Kind.ARCHIVE),
    (b"7z\xbc\xaf'\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
)
_MP4_MARK = slice(4, 8)


def kind_of(media_type: str, body: bytes) -> Kind:
    """Return what an answer is.

    Parameters
    ----------
    media_type
        Lower case, without parameters; empty where none was given.
    """
    if media_type in _VAGUE:
        return _by_its_bytes(media_type, body)
    return _TYPES.get(media_type) or _FAMILIES.get(media_type.partition("/")[0], Kind.OTHER)


def _by_its_bytes(media_type: str, body: bytes) -> Kind:
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            return kind
    if body[_MP4_MARK] == b"ftyp":
        return Kind.RECORDING
    look = body[:_LOOK_BYTES].lower()
    if b"<!doctype html" in look or b"<html" in look:
        return Kind.HTML
    # What names no type and holds a NUL is no text, whatever it is.
    return Kind.TEXT if media_type == "text/plain" and b"\x00" not in look else Kind.OTHER
