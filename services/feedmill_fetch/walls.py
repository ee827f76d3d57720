"""Pages that stand where an article should be, and by which signs they are known. Pure.

Words alone prove nothing: an article about cookies is none of these. So a page has to be short, or
to carry the marks of the product that made it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lxml.etree import strip_elements
from lxml.html import HtmlElement

from feedmill.models.entries import PageSign
from feedmill_fetch.page import parse
from feedmill_fetch.phrases import compiled, phrases
from feedmill_fetch.reader.nodes import has_text, inner_text

# With so much found nobody looks any further.
_ARTICLE_WORDS = 300
# More on the whole page than that is no wall.
_SHORT_WORDS = 200
_EMPTY_WORDS = 40
_LOOK_CHARACTERS = 200_000

# What the makers of such walls put into their pages, whatever these say.
_BLOCK_MARKS = re.compile(
    r"_cf_chl_opt|/cdn-cgi/challenge-platform/|cf-browser-verification|cf-error-details"
    r"|_Incapsula_Resource|captcha-delivery\.com|px-captcha|perimeterx\.net|awsWafCookieDomainList"
    r"|sucuri\.net/privacy-policy|ddos-guard|/_sec/cp_challenge|geo\.captcha|kpsdk|distil_r_captcha"
)
_CONSENT_MARKS = re.compile(
    r"consent\.(?:yahoo|google|youtube)\.|consent-management|/consent/collect|cmp-(?:wall|container)"
    r"|sp_message_container|didomi-(?:host|popup)|contentpass|purabo|usercentrics-root",
    re.IGNORECASE,
)
_BLOCKED = compiled(rf"^(?:{phrases('pages', 'blocked')})")
_MISSING = compiled(rf"\b(?:{phrases('pages', 'missing')})")
_LOGIN = compiled(rf"^(?:{phrases('pages', 'login')})")
_CONSENT = compiled(phrases("pages", "consent"))
_PAYWALL = compiled(phrases("pages", "paywall"))
_SCRIPTS = compiled(phrases("pages", "scripts"))

# Where scripts build a page that has none without them.
_SHELLS = frozenset(
    {
        "__next",
        "__nuxt",
        "app",
        "app-root",
        "application",
        "gatsby-focus-wrapper",
        "main-app",
        "react-root",
        "root",
        "svelte",
    }
)
_UNSEEN = ("script", "style", "template", "noscript")


def signs_of(source: str, *, words: int, free: bool | None = None) -> tuple[PageSign, ...]:
    """Return what a page turns out to be instead of, or besides, an article.

    Parameters
    ----------
    source
        The page as it was sent.
    words
        How many words of an article were found on it.
    free
        Whether everybody may read it, by its own account.
    """
    if words >= _ARTICLE_WORDS:
        return (PageSign.PAYWALL,) if free is False else ()
    page = parse(source)
    look = _Look("", "", "") if page is None else _look_at(page, source)
    signs = [sign for sign, is_there in _TESTS.items() if is_there(look, words)]
    if free is False and PageSign.PAYWALL not in signs:
        signs.append(PageSign.PAYWALL)
    return tuple(signs)


@dataclass(frozen=True)
class _Look:
    """What of a page is looked at."""

    title: str
    text: str
    source: str
    unscripted: str = ""
    password: bool = False
    shell: bool = False

    @property
    def short(self) -> bool:
        return len(self.text.split()) < _SHORT_WORDS


def _look_at(page: HtmlElement, source: str) -> _Look:
    unscripted = " ".join(map(inner_text, page.iter("noscript")))
    shell = any(node.get("id") in _SHELLS and not has_text(node) for node in page.iter("div"))
    strip_elements(page, *_UNSEEN, with_tail=False)
    titles = (page.find(".//title"), page.find(".//h1"))
    return _Look(
        title=" | ".join(inner_text(title) for title in titles if title is not None),
        text=inner_text(page.find("body"))[:_LOOK_CHARACTERS],
        source=source[:_LOOK_CHARACTERS],
        unscripted=unscripted,
        password=page.find(".//input[@type='password']") is not None,
        shell=shell,
    )


def _is_blocked(look: _Look, _words: int) -> bool:
    return look.short and bool(_BLOCKED.search(look.title) or _BLOCK_MARKS.search(look.source))


def _is_missing(look: _Look, _words: int) -> bool:
    return look.short and _MISSING.search(look.title) is not None


def _wants_login(look: _Look, words: int) -> bool:
    return words < _EMPTY_WORDS and look.short and bool(look.password or _LOGIN.search(look.title))


def _wants_consent(look: _Look, words: int) -> bool:
    if words >= _SHORT_WORDS or not _CONSENT.search(look.text):
        return False
    return look.short or _CONSENT_MARKS.search(look.source) is not None


def _needs_browser(look: _Look, words: int) -> bool:
    if words >= _EMPTY_WORDS or not look.short:
        return False
    asks = _SCRIPTS.search(look.text) or _SCRIPTS.search(look.unscripted)
    return bool(asks or (look.shell and len(look.text.split()) < _EMPTY_WORDS))


def _has_paywall(look: _Look, _words: int) -> bool:
    return _PAYWALL.search(look.text) is not None


_TESTS: dict[PageSign, Callable[[_Look, int], bool]] = {
    PageSign.BLOCKED: _is_blocked,
    PageSign.NOT_FOUND: _is_missing,
    PageSign.CONSENT_WALL: _wants_consent,
    PageSign.LOGIN_WALL: _wants_login,
    PageSign.NEEDS_BROWSER: _needs_browser,
    PageSign.PAYWALL: _has_paywall,
}
