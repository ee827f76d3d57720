from datetime import UTC, datetime, timedelta

import pytest

from feedmill.models.outcomes import ADVICE, Reason
from feedmill_fetch.retries import next_try_at

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "wait"),
    [
        (0, timedelta(minutes=10)),
        (1, timedelta(hours=1)),
        (2, timedelta(hours=6)),
        (3, timedelta(days=1)),
        (4, None),
        (99, None),
    ],
)
def test_waits_grow_and_end(tries: int, wait: timedelta | None) -> None:
    assert next_try_at(Reason.TIMED_OUT, tries=tries, now=NOW) == (wait and NOW + wait)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.TIMED_OUT,
        Reason.CONNECT_FAILED,
        Reason.LOOK_UP_FAILED,
        Reason.HOST_UNKNOWN,
        Reason.TLS_FAILED,
        Reason.NOT_HTTP,
        Reason.TRUNCATED,
        Reason.BAD_ENCODING,
        Reason.SITE_BROKEN,
    ],
)
def test_what_may_pass_is_tried_again(reason: Reason) -> None:
    assert next_try_at(reason, tries=0, now=NOW) is not None


@pytest.mark.parametrize(
    "reason",
    [
        Reason.PAGE_MISSING,
        Reason.PAGE_BLOCKED,
        Reason.LOGIN_WALL,
        Reason.CONSENT_WALL,
        Reason.PAYWALL,
        Reason.NEEDS_BROWSER,
        Reason.NO_ARTICLE,
        Reason.NO_URL,
        Reason.HTTP_STATUS,
        Reason.TOO_LARGE,
        Reason.TOO_MANY_REDIRECTS,
        Reason.UNSUPPORTED_TYPE,
        Reason.EXTRACTOR_FAILED,
        Reason.ROBOTS_DISALLOWED,
        Reason.ADDRESS_FORBIDDEN,
        Reason.URL_INVALID,
    ],
)
def test_what_does_not_pass_is_a_dead_end_at_once(reason: Reason) -> None:
    assert next_try_at(reason, tries=0, now=NOW) is None


@pytest.mark.parametrize(("tries", "is_worth_it"), [(0, True), (11, True), (12, False)])
def test_a_host_gets_the_time_it_asks_for_and_not_for_ever(tries: int, is_worth_it: bool) -> None:
    until = NOW + timedelta(hours=3)

    found = next_try_at(Reason.RATE_LIMITED, tries=tries, now=NOW, held_until=until)

    assert found == (until if is_worth_it else None)


def test_every_reason_has_advice() -> None:
    assert set(ADVICE) == set(Reason)
