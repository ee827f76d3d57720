from datetime import UTC, datetime, timedelta

import pytest
from multidict import CIMultiDict

from feedmill.models.feeds import Hub, Validators
from feedmill.web import headers

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
IN_AN_HOUR = "Sat, 01 Mar 2025 13:00:00 GMT"
HOUR = timedelta(hours=1)
URL = "https://site.example/feed"


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        (IN_AN_HOUR, HOUR),
        ("Saturday, 01-Mar-25 13:00:00 GMT", HOUR),
        ("Sat Mar  1 13:00:00 2025", HOUR),
        ("Sat, 01 Mar 2025 11:00:00 GMT", timedelta(0)),
        ("Sat, 01 Mar 2098 11:00:00 GMT", timedelta(days=1)),
        ("99999999999999", timedelta(days=1)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(value: str, wait: timedelta | None) -> None:
    assert headers.retry_after(CIMultiDict({"Retry-After": value}), NOW) == wait


@pytest.mark.parametrize(
    ("given", "fresh_for"),
    [
        ([], None),
        ([("Cache-Control", "public, max-age=3600")], HOUR),
        ([("Cache-Control", "public"), ("Cache-Control", 'Max-Age="3600"')], HOUR),
        ([("Cache-Control", "max-age=7200"), ("Age", "3600")], HOUR),
        ([("Cache-Control", "max-age=60"), ("Age", "3600")], timedelta(0)),
        ([("Cache-Control", "max-age=60"), ("Age", "old")], timedelta(minutes=1)),
        ([("Cache-Control", "max-age=99999999999")], timedelta(days=31)),
        ([("Cache-Control", "s-maxage=60")], None),
        ([("Cache-Control", "no-store")], None),
        ([("Cache-Control", "max-age=3600"), ("Expires", "0")], HOUR),
        ([("Expires", IN_AN_HOUR)], HOUR),
        ([("Expires", IN_AN_HOUR), ("Date", "Sat, 01 Mar 2025 12:30:00 GMT")], HOUR / 2),
        ([("Expires", "-1")], None),
    ],
)
def test_max_age(given: list[tuple[str, str]], fresh_for: timedelta | None) -> None:
    assert headers.max_age(CIMultiDict(given), NOW) == fresh_for


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('"abc"', True),
        ('W/"a-b--gzip"', True),
        ("no quotes at all", True),
        ('"für"', True),
        ("", False),
        ('"\udce9"', False),
        (f'"{"a" * 2_000}"', False),
    ],
)
def test_validators_are_kept_if_they_can_be_sent_back(etag: str, *, kept: bool) -> None:
    given = CIMultiDict({"ETag": etag, "Last-Modified": "once upon a time"})

    assert headers.validators(given, URL) == Validators(
        etag=etag if kept else None, last_modified="once upon a time", url=URL
    )


def test_no_validators_belong_to_nobody() -> None:
    assert headers.validators(CIMultiDict(), URL) == Validators()


@pytest.mark.parametrize(
    ("content_type", "media_type", "charset"),
    [
        ("", "", None),
        ("Text/HTML", "text/html", None),
        ("text/html; charset=UTF-8", "text/html", "utf-8"),
        ("text/html;charset='windows-1252'; x=y", "text/html", "windows-1252"),
        ("text/html; xcharset=a", "text/html", None),
    ],
)
def test_content_type(content_type: str, media_type: str, charset: str | None) -> None:
    assert headers.media_type(content_type) == media_type
    assert headers.charset(content_type) == charset


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        pytest.param({}, None, id="says nothing"),
        pytest.param(
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "31"}, 31, id="seconds from now"
        ),
        pytest.param(
            {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "31.5"}, 31, id="fractions"
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)},
            90,
            id="seconds since 1970",
        ),
        pytest.param({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 1, id="soon over"),
        pytest.param({"RateLimit-Remaining": "0", "RateLimit-Reset": "5"}, 5, id="without the X"),
        pytest.param(
            {"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "31"}, None, id="some are left"
        ),
        pytest.param({"X-RateLimit-Remaining": "0"}, None, id="no end"),
        pytest.param(
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "tomorrow"}, None, id="no number"
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "999999999999999"},
            86_400,
            id="absurd",
        ),
        pytest.param({"RateLimit": '"default";r=0;t=30'}, 30, id="the draft"),
        pytest.param({"RateLimit": '"default";r=7;t=30'}, None, id="the draft, some left"),
    ],
)
def test_a_budget_that_is_spent(given: dict[str, str], wait: int | None) -> None:
    spent = headers.spent_for(CIMultiDict(given), NOW)

    assert spent == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("links", "hub"),
    [
        pytest.param([], None, id="none"),
        pytest.param(
            ['<https://hub.example/>; rel="hub", <https://a.example/f>; rel="self"'],
            Hub(url="https://hub.example/", topic="https://a.example/f"),
            id="one header",
        ),
        pytest.param(
            ["<https://hub.example/>; rel=hub", '</f>; title="a, b"; rel="canonical SELF"'],
            Hub(url="https://hub.example/", topic="https://site.example/f"),
            id="two headers, relative, several relations",
        ),
        pytest.param(["<https://hub.example/>; rel=hub"], None, id="no topic"),
        pytest.param(["<<<>; rel=,;<a>;;; rel"], None, id="nonsense"),
    ],
)
def test_hubs(links: list[str], hub: Hub | None) -> None:
    assert headers.hub(CIMultiDict(("Link", link) for link in links), URL) == hub


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("X-Robots-Tag", "noai", True),
        ("X-Robots-Tag", "noindex, NoAI", True),
        ("X-Robots-Tag", "feedmill: noai", True),
        ("X-Robots-Tag", "otherbot: noai", False),
        ("X-Robots-Tag", "noindex", False),
        ("X-Robots-Tag", "unavailable_after: 25 Jun 2030, noai", True),
        ("Content-Signal", "search=yes, ai-input=no", True),
        ("Content-Signal", "ai-input=yes, ai-train=no", False),
        ("TDM-Reservation", "1", True),
        ("TDM-Reservation", "0", False),
    ],
)
def test_who_keeps_a_page_from_models_is_named(name: str, value: str, *, kept: bool) -> None:
    given = CIMultiDict({name: value})

    assert headers.withheld(given) == (f"{name}: {value}" if kept else None)
