import codecs
import time

import pytest

from feedmill.web.charsets import codec_of, decode_text
from feedmill.web.plain import plain_text, shorten, storable
from support.articles import ARABIC, JAPANESE, RUSSIAN


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
        pytest.param("<é".encode("utf-32-le"), None, "<é", id="utf-32, unmarked"),
        pytest.param("<é".encode("utf-32-be"), None, "<é", id="utf-32 the other way, unmarked"),
        pytest.param("<?xml?>é".encode("cp037"), None, "<?xml?>é", id="EBCDIC"),
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
        pytest.param(
            b'<?xml encoding="u16"?>xy', None, '<?xml encoding="u16"?>xy', id="by another name"
        ),
        pytest.param(
            '<?xml encoding="UTF-8"?>é'.encode(),
            "ISO-8859-1",
            '<?xml encoding="UTF-8"?>é',
            id="the document knows better than a header that says what servers say",
        ),
        pytest.param(
            '<?xml encoding="UTF-8"?>é'.encode("cp1252"),
            "ISO-8859-1",
            '<?xml encoding="UTF-8"?>é',
            id="unless it does not",
        ),
        pytest.param(
            '<?xml encoding="UTF-8"?>ж'.encode("koi8-r"),
            "koi8-r",
            '<?xml encoding="UTF-8"?>ж',
            id="a header that says something is believed",
        ),
        pytest.param(
            "Über fünf größere Bäume".encode() + b"\xc3",
            None,
            "Über fünf größere Bäume\ufffd",
            id="utf-8, cut in the middle of a character",
        ),
        pytest.param(
            "안녕하세요".encode("euc-kr") + b"\xff", "euc-kr", "안녕하세요\ufffd", id="damaged"
        ),
        pytest.param(b"x", "no-such-charset", "x", id="unknown label"),
        pytest.param(b"x\0", "\0", "x\0", id="a label that is none"),
        pytest.param(b"a+AGI-", "utf-7", "a+AGI-", id="an encoding that only attackers use"),
        pytest.param(b"xn--a", "punycode", "xn--a", id="an encoding of other things"),
        pytest.param(b"x", "zlib", "x", id="a codec that makes no text"),
        pytest.param(b"a\x81\xffb", "utf-8", "a\ufffd\ufffdb", id="fits nothing"),
        pytest.param(
            b"<?xml version='1.0' encoding='ISO-8859-1'?>\x93",
            "utf-8",
            "<?xml version='1.0' encoding='ISO-8859-1'?>“",
            id="the header wrong, and latin-1 meant as browsers mean it",
        ),
        pytest.param(
            b"<meta charset=utf-16><p>\xc3\xa9", None, "<meta charset=utf-16><p>é", id="utf-16, not"
        ),
        pytest.param(b"a\xe9b", "\udce9", "aéb", id="a label that is no text"),
        pytest.param(
            b" " * 1_024 + b"<meta charset=koi8-r>\xc1",
            None,
            " " * 1_024 + "<meta charset=koi8-r>а",  # noqa: RUF001 - a Cyrillic letter
            id="declared late",
        ),
        pytest.param(
            b" " * 1_024 + "<meta charset=koi8-r>é".encode(),
            None,
            " " * 1_024 + "<meta charset=koi8-r>é",
            id="declared too late for what is utf-8",
        ),
    ],
)
def test_bytes_become_text(body: bytes, charset: str | None, text: str) -> None:
    assert decode_text(body, charset) == text


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ASCII", "cp1252"),
        ("iso-8859-1", "cp1252"),
        ("latin-1", "cp1252"),
        ("iso-8859-9", "cp1254"),
        ("iso-8859-11", "cp874"),
        ("x-sjis", "cp932"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("x-mac-cyrillic", "mac-cyrillic"),
        (" utf8 ", "utf-8"),
        ("cp437", "cp437"),
        ("utf-16", None),
        ("utf-7", None),
        ("iso-2022-kr", None),
        ("x-user-defined", None),
        ("unicode_escape", None),
        ("punycode", None),
        ("zlib", None),
        ("none of these", None),
        ("nul\0", None),
    ],
)
def test_labels_mean_what_browsers_mean_by_them(label: str, codec: str | None) -> None:
    assert codec_of(label) == codec


BARE_RUSSIAN = RUSSIAN.replace("«", "").replace("»", "").replace("—", "-")
CHINESE = "周一，诺威克港启用了一座潮汐发电站，将为一万二千户家庭供电。建设历时六年。"  # noqa: RUF001
KOREAN = "노윅 항구는 월요일에 조력 발전소를 가동했으며 만 이천 가구에 전기를 공급할 것이다."
CZECH = "Přístav Norwick otevřel v pondělí novou přílivovou elektrárnu, která zásobí domácnosti."
GREEK = "Το λιμάνι του Νόργουικ άνοιξε τη Δευτέρα ένα νέο παλιρροϊκό εργοστάσιο."  # noqa: RUF001
FRENCH = "La centrale marémotrice a coûté le double de ce qui était prévu ; déjà, l’été dernier…"  # noqa: RUF001


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp932", JAPANESE),
        ("euc_jp", JAPANESE),
        ("cp1251", RUSSIAN),
        ("koi8-r", BARE_RUSSIAN),
        ("iso8859-5", BARE_RUSSIAN),
        ("cp1256", ARABIC),
        ("gb18030", CHINESE),
        ("cp949", KOREAN),
        ("cp1250", CZECH),
        ("cp1253", GREEK),
        ("cp1252", FRENCH),
    ],
)
def test_text_without_any_declaration_is_recognised(codec: str, text: str) -> None:
    page = f"<html><head><title>x</title></head><body><p>{text}</p></body></html>"

    assert decode_text(page.encode(codec)) == page


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
        ("a\nb &amp;lt; &#10; c", "a b &lt; c"),
        ("<!DOCTYPE html><p>One</p> <! two", "One\n<! two"),
        ("<script>alert(1)</script><b>" + "<div>" * 1_000 + "deep</div>", "deep"),
        ("<br>" * 2_000 + "long", "long"),
        ("", ""),
    ],
)
def test_markup_becomes_lines(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("<div>" * 100_000, id="nested"),
        pytest.param("<b><i><a href=x>" * 30_000, id="nested formatting"),
        pytest.param("<div>" * 50_000 + "</div>" * 50_000, id="nested and closed"),
        pytest.param("<" * 500_000, id="beginnings"),
        pytest.param("<!" * 250_000, id="declarations"),
        pytest.param("<script " * 60_000, id="scripts"),
    ],
)
def test_hostile_markup_takes_no_time(hostile: str) -> None:
    started = time.process_time()

    plain_text(hostile)

    assert time.process_time() - started < 1


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
