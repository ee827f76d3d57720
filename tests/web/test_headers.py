from datetime import UTC, datetime, timedelta

import pytest
from multidict import CIMultiDict

from feedmill.models.feeds import Validators
from feedmill.web import headers

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
IN_AN_HOUR = "Sat, 01 Mar 2025 13:00:00 GMT"
HOUR = timedelta(hours=1)


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

    assert headers.validators(given) == Validators(
        etag=etag if kept else None, last_modified="once upon a time"
    )


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
