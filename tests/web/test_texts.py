import codecs

import pytest

from feedmill.web.charsets import decode_text
from feedmill.web.plain import plain_text, shorten, storable


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        pytest.param("é".encode(), None, "é", id="utf-8 unless told otherwise"),
        pytest.param("é€".encode("cp1252"), None, "é€", id="not utf-8"),
        pytest.param("é".encode(), "iso-8859-1", "Ã©", id="the header is believed"),
        pytest.param("é€".encode("cp1252"), "utf-8", "é€", id="unless it cannot be"),
        pytest.param("“”".encode("cp1252"), "latin-1", "“”", id="latin-1 means cp1252"),
        pytest.param(codecs.BOM_UTF8 + "é".encode(), "latin-1", "é", id="a mark outranks all"),
        pytest.param("<é".encode("utf-16"), None, "<é", id="utf-16, marked"),
        pytest.param("<é".encode("utf-16-be"), None, "<é", id="utf-16, unmarked"),
        pytest.param("<é".encode("utf-32"), None, "<é", id="utf-32"),
        pytest.param(
            b'<?xml version="1.0" encoding="koi8-r"?>\xc1',
            None,
            '<?xml version="1.0" encoding="koi8-r"?>а',  # noqa: RUF001 - a Cyrillic letter
            id="declared by XML",
        ),
        pytest.param(
            b"<meta charset=shift_jis>\x83\x65", None, "<meta charset=shift_jis>テ", id="by HTML"
        ),
        pytest.param(
            b'<meta http-equiv=x content="text/html; charset=gb2312">\xc4\xe3',
            "utf-8",
            '<meta http-equiv=x content="text/html; charset=gb2312">你',
            id="declared, and the header wrong",
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="utf-16"?>x',
            "UTF-16",
            '<?xml version="1.0" encoding="utf-16"?>x',
            id="utf-16 it is not",
        ),
        pytest.param(b"x", "no-such-charset", "x", id="unknown label"),
        pytest.param(b"x", "zlib", "x", id="a codec that makes no text"),
        pytest.param(b"a\x81\xffb", "utf-8", "a\ufffd\ufffdb", id="fits nothing"),
    ],
)
def test_bytes_become_text(body: bytes, charset: str | None, text: str) -> None:
    assert decode_text(body, charset) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One <b>bold</b>word.</p><p>Two.</p>", "One boldword.\nTwo."),
        ("One<br>two<br/>\n\nthree", "One\ntwo\nthree"),
        ("a &lt;b&gt; &amp; c &nbsp; d", "a <b> & c d"),
        ("5 < 6 & 7 > 4", "5 < 6 & 7 > 4"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("x<script>alert(1)</script><style>b{}</style><svg><title>t</title></svg>y", "xy"),
        ('<img alt="a > b" src=x>text', "text"),
        ("<p>un\nwrapped\tlines</p>", "un wrapped lines"),
        ("a\x00b&#0;c\ud800", "ab\ufffdc"),
        ("", ""),
    ],
)
def test_markup_becomes_lines(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_what_cannot_be_stored_is_left_out() -> None:
    assert storable("a\x00\x1b\ud800\uffffb\tc\nd") == "ab\tc\nd"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("short", "short"),
        ("exactly ten", "exactly…"),
        ("one two three", "one two…"),
        ("aaaaaaaaaaaaaaaaa", "aaaaaaaaa…"),
    ],
)
def test_text_is_cut_between_words(text: str, short: str) -> None:
    assert shorten(text, 10) == short
