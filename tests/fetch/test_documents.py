"""What is read of answers that are no web pages."""

import time

import pytest

from feedmill.models.entries import Content
from feedmill_fetch.kinds import Kind, kind_of
from feedmill_fetch.pdf import MOST_PAGES, read_pdf
from feedmill_fetch.plain_page import paragraphs, read_text
from support.pdfs import pdf

URL = "https://mills.example/report"
WRAPPED = [
    "The mill on the river was built by the miller's grandfather, who had learnt the",
    "trade in another valley and carried the plans over the pass in a leather bag. It",
    "ground flour for a hundred years.",
    "Then the river moved. Nobody had thought that possible, and for three summers the",
    "wheel stood still above dry stones while people argued about whose fault it was.",
]


@pytest.mark.parametrize(
    ("media_type", "body", "kind"),
    [
        ("text/html", b"", Kind.HTML),
        ("application/xhtml+xml", b"", Kind.HTML),
        ("", b"\n<!DOCTYPE html><html>", Kind.HTML),
        ("text/plain", b"<html><body>", Kind.HTML),
        ("text/plain", b"Just words.", Kind.TEXT),
        ("text/markdown", b"# Words", Kind.TEXT),
        ("text/plain", b"\x00\x01\x02", Kind.OTHER),
        ("application/pdf", b"", Kind.PDF),
        ("application/octet-stream", b"%PDF-1.7", Kind.PDF),
        ("image/webp", b"", Kind.PICTURE),
        ("", b"\x89PNG\r\n\x1a\n", Kind.PICTURE),
        ("audio/mpeg", b"", Kind.RECORDING),
        ("video/mp4", b"", Kind.RECORDING),
        ("application/octet-stream", b"\x00\x00\x00\x20ftypisom", Kind.RECORDING),
        ("application/zip", b"", Kind.ARCHIVE),
        ("binary/octet-stream", b"PK\x03\x04", Kind.ARCHIVE),
        ("application/msword", b"", Kind.OTHER),
        ("", b"", Kind.OTHER),
    ],
)
def test_what_came_is_known_by_its_label_or_its_first_bytes(
    media_type: str, body: bytes, kind: Kind
) -> None:
    assert kind_of(media_type, body) is kind


def read(content: Content | None) -> list[str]:
    assert content is not None
    return content.text.split("\n")


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ([], []),
        (["One."], ["One."]),
        (WRAPPED, [" ".join(WRAPPED[:3]), " ".join(WRAPPED[3:])]),
        # Too short to have been wrapped.
        (["Roses are red,", "mills are white"], ["Roses are red,", "mills are white"]),
        (
            [
                WRAPPED[0],
                "- flour, which was ground fine and sold at the market by the sack",
                "- bran",
            ],
            [
                WRAPPED[0],
                "- flour, which was ground fine and sold at the market by the sack",
                "- bran",
            ],
        ),
        (
            [
                WRAPPED[0] + " mill-",
                "wrights of the valley, who were known for it far beyond the pass.",
            ],
            [WRAPPED[0] + " millwrights of the valley, who were known for it far beyond the pass."],
        ),
        (
            ["A CHAPTER OF ITS OWN", *WRAPPED[3:]],
            ["A CHAPTER OF ITS OWN", " ".join(WRAPPED[3:])],
        ),
    ],
)
def test_wrapped_lines_become_paragraphs(lines: list[str], joined: list[str]) -> None:
    assert paragraphs(lines) == joined


def test_a_text_is_an_article() -> None:
    body = f"The River & the Mill\r\n\r\n{chr(10).join(WRAPPED)}\n\n\n<b>Not</b> markup.\n".encode()

    content = read_text(body, charset=None, url=URL, title="")

    assert content is not None
    assert content.title == "The River & the Mill"
    assert read(content) == [
        "The River & the Mill",
        " ".join(WRAPPED[:3]),
        " ".join(WRAPPED[3:]),
        "<b>Not</b> markup.",
    ]
    assert "<p>The River &amp; the Mill</p>" in content.html
    assert "&lt;b&gt;Not&lt;/b&gt;" in content.html
    assert content.word_count > 50
    assert content.reading_minutes == 1


@pytest.mark.parametrize("body", [b"", b" \n\n ", b"\x00\x00"])
def test_an_empty_text_is_none(body: bytes) -> None:
    assert read_text(body, charset=None, url=URL, title="T") is None


def test_a_text_in_another_encoding_is_read_by_its_label() -> None:
    content = read_text(
        "Мельница на реке.".encode("cp1251"), charset="windows-1251", url=URL, title=""
    )

    assert read(content) == ["Мельница на реке."]


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    body = b"the wheel turned and the river ran below it all day long\n" * 40_000
    began = time.process_time()

    read_text(body, charset=None, url=URL, title="")

    assert time.process_time() - began < 5


def test_a_pdf_is_an_article() -> None:
    content = read_pdf(pdf(WRAPPED, title="Report on the River Mill"), url=URL, title="")

    assert content is not None
    assert content.title == "Report on the River Mill"
    assert read(content) == [" ".join(WRAPPED[:3]), " ".join(WRAPPED[3:])]


def test_what_stands_on_every_page_of_a_pdf_is_no_part_of_its_text() -> None:
    stories = [
        [f"{line[:-4]} {mill} {line[-4:]}" for line in WRAPPED]
        for mill in ("oil", "saw", "fulling")
    ]
    pages = [
        ["Mills Quarterly", *story, f"Page {number} of 3"]
        for number, story in enumerate(stories, 1)
    ]

    text = read(read_pdf(pdf(*pages), url=URL, title="T"))

    assert "Mills Quarterly" not in "\n".join(text)
    assert "Page" not in "\n".join(text)
    assert text[0].startswith("The mill on the river")
    assert text[-1].endswith("whose fault it fulling was.")


def test_a_pdf_is_read_up_to_so_many_pages() -> None:
    pages = [
        [f"The story of mill {number} is told on a page of its own."]
        for number in range(MOST_PAGES + 5)
    ]

    text = "\n".join(read(read_pdf(pdf(*pages), url=URL, title="T")))

    assert f"mill {MOST_PAGES - 1} " in text
    assert f"mill {MOST_PAGES} " not in text


@pytest.mark.parametrize(
    "body",
    [b"", b"%PDF-1.7", b"%PDF-1.4\n" + bytes(1_000), pdf([]), pdf(WRAPPED)[:200]],
)
def test_a_pdf_without_text_is_none(body: bytes) -> None:
    assert read_pdf(body, url=URL, title="T") is None
