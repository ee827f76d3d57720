import pytest

from feedmill.models.entries import PageSign
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.verdicts import leads_home, of_signs, of_status


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.LOGIN_WALL),
        (402, Reason.PAYWALL),
        (403, Reason.PAGE_BLOCKED),
        (404, Reason.PAGE_MISSING),
        (408, Reason.SITE_BROKEN),
        (410, Reason.PAGE_MISSING),
        (418, Reason.HTTP_STATUS),
        (451, Reason.HTTP_STATUS),
        (500, Reason.SITE_BROKEN),
        (522, Reason.SITE_BROKEN),
        (204, Reason.HTTP_STATUS),
    ],
)
def test_a_status_has_a_meaning(status: int, reason: Reason) -> None:
    assert of_status(status) == Refusal(reason=reason, detail=str(status))


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        ((), Reason.NO_ARTICLE),
        ((PageSign.BLOCKED,), Reason.PAGE_BLOCKED),
        ((PageSign.NOT_FOUND,), Reason.PAGE_MISSING),
        ((PageSign.CONSENT_WALL,), Reason.CONSENT_WALL),
        ((PageSign.LOGIN_WALL,), Reason.LOGIN_WALL),
        ((PageSign.NEEDS_BROWSER,), Reason.NEEDS_BROWSER),
        ((PageSign.PAYWALL,), Reason.PAYWALL),
        ((PageSign.NEEDS_BROWSER, PageSign.BLOCKED), Reason.PAGE_BLOCKED),
        ((PageSign.PAYWALL, PageSign.LOGIN_WALL), Reason.LOGIN_WALL),
    ],
)
def test_a_page_without_article_says_why(signs: tuple[PageSign, ...], reason: Reason) -> None:
    assert of_signs(signs) == Refusal(reason=reason)


@pytest.mark.parametrize(
    ("asked", "found", "is_home"),
    [
        ("https://a.example/old/page", "https://a.example/", True),
        ("https://a.example/old/page", "https://www.a.example", True),
        ("https://a.example/?p=12", "https://a.example/", True),
        ("https://a.example/old/page", "https://a.example/new/page", False),
        ("https://a.example/old/page", "https://a.example/?page=1", False),
        ("https://a.example/", "https://www.a.example/", False),
        ("https://short.example/x1", "https://a.example/", False),
    ],
)
def test_a_site_that_sends_everybody_home_has_lost_the_page(
    asked: str, found: str, is_home: bool
) -> None:
    assert leads_home(asked, found) == is_home
