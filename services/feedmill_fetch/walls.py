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
from feedmill_fetch.length import count_words
from feedmill_fetch.lines import lines_of
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
    r"_cf_chl_opt|cf-browser-verification|cf-error-details"
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


def signs_of(source: str, *, found: str, free: bool | None = None) -> tuple[PageSign, ...]:
    """Return what a page turns out to be instead of, or besides, an article.

    Parameters
    ----------
    source
        The page as it was sent.
    found
        What was found on it that may be an article.
    free
        Whether everybody may read it, by its own account.
    """
    words = count_words(found)
    if words >= _ARTICLE_WORDS:
        return (PageSign.PAYWALL,) if free is False else ()
    page = parse(source)
    look = _Look() if page is None else _look_at(page, source, found)
    signs = [sign for sign, is_there in _TESTS.items() if is_there(look)]
    if free is False and PageSign.PAYWALL not in signs:
        signs.append(PageSign.PAYWALL)
    return tuple(signs)


@dataclass(frozen=True)
class _Look:
    """What of a page is looked at."""

    found: str = ""
    titles: tuple[str, ...] = ()
    text: str = ""
    source: str = ""
    unscripted: str = ""
    password: bool = False
    shell: bool = False

    def is_titled(self, pattern: re.Pattern[str]) -> bool:
        return any(map(pattern.search, self.titles))

    @property
    def short(self) -> bool:
        return len(self.text.split()) < _SHORT_WORDS

    @property
    def empty(self) -> bool:
        return count_words(self.found) < _EMPTY_WORDS


def _look_at(page: HtmlElement, source: str, found: str) -> _Look:
    unscripted = " ".join(map(inner_text, page.iter("noscript")))
    shell = any(node.get("id") in _SHELLS and not has_text(node) for node in page.iter("div"))
    strip_elements(page, *_UNSEEN, with_tail=False)
    titles = filter(None, map(inner_text, (*page.findall(".//title"), *page.findall(".//h1"))))
    return _Look(
        found=found,
        titles=tuple(titles),
        text="\n".join(line.text for line in lines_of(page.find("body")))[:_LOOK_CHARACTERS],
        source=source[:_LOOK_CHARACTERS],
        unscripted=unscripted,
        password=page.find(".//input[@type='password']") is not None,
        shell=shell,
    )


def _is_blocked(look: _Look) -> bool:
    # The makers' marks are in whatever they let through as well.
    marked = look.empty and _BLOCK_MARKS.search(look.source)
    return look.short and bool(marked or look.is_titled(_BLOCKED))


def _is_missing(look: _Look) -> bool:
    return look.short and look.is_titled(_MISSING)


def _wants_login(look: _Look) -> bool:
    return look.empty and look.short and (look.password or look.is_titled(_LOGIN))


def _wants_consent(look: _Look) -> bool:
    if look.short:
        return _CONSENT.search(look.text) is not None
    marked = _CONSENT_MARKS.search(look.source)
    return marked is not None and _CONSENT.search(look.found) is not None


def _needs_browser(look: _Look) -> bool:
    if not look.empty or not look.short:
        return False
    asks = _SCRIPTS.search(look.text) or _SCRIPTS.search(look.unscripted)
    return bool(asks or (look.shell and len(look.text.split()) < _EMPTY_WORDS))


def _has_paywall(look: _Look) -> bool:
    return _PAYWALL.search(look.text) is not None


_TESTS: dict[PageSign, Callable[[_Look], bool]] = {
    PageSign.BLOCKED: _is_blocked,
    PageSign.NOT_FOUND: _is_missing,
    PageSign.CONSENT_WALL: _wants_consent,
    PageSign.LOGIN_WALL: _wants_login,
    PageSign.NEEDS_BROWSER: _needs_browser,
    PageSign.PAYWALL: _has_paywall,
}
