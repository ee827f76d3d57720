"""What a page turns out to be instead of an article."""

import pytest

from feedmill.models.entries import PageSign
from feedmill_fetch.extraction import examine
from feedmill_fetch.walls import signs_of

URL = "https://site.example/post.html"
FILLER = "<p>Some more words of no importance, so that the page is not empty.</p>"
PROSE = "<p>A paragraph of an article, long enough, with a comma, to be taken for prose.</p>"


def page(body: str, *, title: str = "", head: str = "") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


SIGNS = {
    PageSign.BLOCKED: [
        page(FILLER, title="Just a moment..."),
        page(FILLER, title="Attention Required! | Cloudflare"),
        page("<h1>Access Denied</h1><p>Reference #18.abc</p>"),
        page(FILLER, title="Zugriff verweigert"),
        page(FILLER, head="<script>window._cf_chl_opt={}</script>"),
        page("<iframe src='https://geo.captcha-delivery.com/captcha/'></iframe>"),
        page("<script src='/_Incapsula_Resource?SWJIYLWA=1'></script>"),
    ],
    PageSign.NOT_FOUND: [
        page(FILLER, title="404 - The Mill"),
        page(FILLER, title="Page not found | The Mill"),
        page("<h1>Seite nicht gefunden</h1>" + FILLER, title="The Mill"),
        page(FILLER, title="Page introuvable"),
        page(FILLER, title="\u30da\u30fc\u30b8\u304c\u898b\u3064\u304b\u308a\u307e\u305b\u3093"),
        page("<h1>This article no longer exists</h1>", title="The Mill"),
    ],
    PageSign.LOGIN_WALL: [
        page("<form><input name=u><input type=password></form>" + FILLER),
        page(FILLER, title="Log in | The Mill"),
        page(FILLER, title="Anmelden"),
    ],
    PageSign.CONSENT_WALL: [
        page("<h1>Before you continue</h1>" + FILLER, title="The Mill"),
        page("<p>Wir und unsere Partner: Cookies akzeptieren</p>"),
        page("<h1>We value your privacy</h1>" + FILLER * 5 + "<i id=didomi-host></i>"),
        page("<button>Continuer sans accepter</button>" + FILLER),
    ],
    PageSign.NEEDS_BROWSER: [
        page("<div id=root></div><script src=/app.js></script>"),
        page("<div id=__next> </div>", title="The Mill"),
        page("<noscript>You need to enable JavaScript to run this app.</noscript>"),
        page("<p>Please enable JavaScript to continue.</p>"),
        page("<p>JavaScript muss aktiviert sein, um die Seite zu sehen.</p>"),
    ],
    PageSign.PAYWALL: [
        page(FILLER + "<p>Already a subscriber? Log in</p>"),
        page(FILLER + "<p>Subscribe to continue reading</p>"),
        page(FILLER + "<p>Il vous reste 83.2% de cet article \u00e0 lire.</p>"),
        page(FILLER + "<p>Nur f\u00fcr Abonnenten</p>"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("sign", "source"), [(sign, source) for sign, sources in SIGNS.items() for source in sources]
)
def test_signs(sign: PageSign, source: str) -> None:
    assert signs_of(source, found="") == (sign,)


def test_a_long_page_of_consent_is_told_by_its_maker() -> None:
    text = "We and our 842 partners store things. " + "And do things. " * 80
    wall = page(f"<p>{text}</p><i id=didomi-host></i>")

    assert signs_of(wall, found=text) == (PageSign.CONSENT_WALL,)
    assert signs_of(wall, found="Something else") == ()
    assert signs_of(page(f"<p>{text}</p>"), found=text) == ()


def test_what_lets_a_page_through_leaves_its_marks_there() -> None:
    marked = page(PROSE * 5, head="<script src='https://x.perimeterx.net/1.js'></script>")

    assert signs_of(marked, found="word " * 60) == ()
    assert signs_of(marked, found="") == (PageSign.BLOCKED,)


@pytest.mark.parametrize("source", [source for sources in SIGNS.values() for source in sources])
def test_an_article_about_such_things_has_none(source: str) -> None:
    about = source.replace("</body>", PROSE * 40 + "</body>")

    assert signs_of(about, found="word " * 300) == ()


@pytest.mark.parametrize(
    "source",
    [
        page(FILLER, title="How the Peugeot 404 came to be"),
        page("<p>I enabled the mill.</p>"),
        page("<div id=root><p>There is text.</p></div>"),
        page("<div id=content></div>" + FILLER),
        page(PROSE * 40 + "<p>Just a moment</p>", title="Just a moment"),
        "",
    ],
)
def test_no_signs(source: str) -> None:
    assert signs_of(source, found="word " * 40) == ()


@pytest.mark.parametrize(
    ("words", "free", "signs"),
    [
        (1_000, False, (PageSign.PAYWALL,)),
        (50, False, (PageSign.PAYWALL,)),
        (1_000, True, ()),
        (1_000, None, ()),
    ],
)
def test_a_page_may_say_itself_that_it_has_to_be_paid_for(
    words: int, free: bool | None, signs: tuple[PageSign, ...]
) -> None:
    assert signs_of(page(PROSE * 5), found="word " * words, free=free) == signs


@pytest.mark.parametrize("sign", sorted(set(PageSign) - {PageSign.PAYWALL, PageSign.UNFINISHED}))
def test_a_wall_is_not_stored_as_an_article(sign: PageSign) -> None:
    for source in SIGNS[sign]:
        examined = examine(source.encode(), charset="utf-8", url=URL)

        assert examined.content is None
        assert sign in examined.signs


def test_the_feeds_own_text_stands_in_for_an_article_behind_a_wall() -> None:
    source = page(FILLER, title="Just a moment...").encode()

    examined = examine(source, charset="utf-8", url=URL, title="T", teaser="word " * 40)

    assert examined.content is not None
    assert examined.content.extractor == "feed"
    assert examined.signs == (PageSign.BLOCKED,)


def test_the_beginning_of_an_article_is_marked_as_such() -> None:
    source = page(f"<article>{PROSE * 4}<p>Subscribe now to continue reading</p></article>")

    content = examine(source.encode(), charset="utf-8", url=URL).content

    assert content is not None
    assert content.signs == (PageSign.PAYWALL,)
    assert "Subscribe" not in content.text
