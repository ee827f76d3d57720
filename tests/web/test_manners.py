from datetime import UTC, datetime, timedelta

import pytest

from feedmill.config import IngestionSettings
from feedmill.models.hosts import HostLimit, HostState
from feedmill.web.manners import Manners, after_refusal, after_spending, host_of, manners_of
from support.web import web_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
USUAL = HostLimit(host="", spacing=SECOND, in_flight=1)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/a", "example.com"),
        ("http://example.com:8080/b", "example.com"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1:8001/", "127.0.0.1:8001"),
        ("http://[::1]:8001/", "::1:8001"),
    ],
)
def test_what_counts_as_one_host(url: str, host: str) -> None:
    assert host_of(url) == host
    assert Manners(USUAL).limit(url) == USUAL.model_copy(update={"host": host})


@pytest.mark.parametrize(
    ("groups", "url", "host"),
    [
        (["substack.com"], "https://a.substack.com/feed", "substack.com"),
        (["substack.com"], "https://substack.com/feed", "substack.com"),
        (["substack.com"], "https://notsubstack.com/feed", "notsubstack.com"),
        (["a.b.example", "b.example"], "https://x.a.b.example/", "a.b.example"),
        (["*"], "https://blog.example.co.uk/", "example.co.uk"),
        (["*"], "https://someone.github.io/", "github.io"),
        (["*"], "http://127.0.0.1:8001/", "127.0.0.1:8001"),
        (["*"], "http://[2606:2800::1]/", "2606:2800::1"),
        (["*"], "http://intranet/", "intranet"),
        (["news.example.com", "*"], "https://a.news.example.com/", "news.example.com"),
    ],
)
def test_hosts_are_grouped_where_configured(groups: list[str], url: str, host: str) -> None:
    assert Manners(USUAL, groups).limit(url).host == host


def test_an_exception_is_for_a_host_or_a_group() -> None:
    lan = HostLimit(host="rsshub.lan", spacing=timedelta(0), in_flight=8)
    slow = HostLimit(host="reddit.com", spacing=MINUTE, in_flight=1)
    manners = Manners(USUAL, ["reddit.com"], {"rsshub.lan": lan, "reddit.com": slow})

    assert manners.limit("http://rsshub.lan/x") == lan
    assert manners.limit("https://old.reddit.com/r/a.rss") == slow
    assert manners.limit("http://other.lan/x").spacing == SECOND


def test_settings_say_how_often_hosts_are_asked() -> None:
    settings = web_settings(
        host_spacing_seconds=2,
        host_in_flight=3,
        host_groups="substack.com",
        host_exceptions="RSShub.lan=0/8, www.reddit.com=60",
    )

    manners = manners_of(settings)

    assert manners.limit("https://a.substack.com/") == HostLimit(
        host="substack.com", spacing=2 * SECOND, in_flight=3
    )
    assert manners.limit("http://rsshub.lan/") == HostLimit(
        host="rsshub.lan", spacing=timedelta(0), in_flight=8
    )
    assert manners.limit("https://www.reddit.com/.rss") == HostLimit(
        host="www.reddit.com", spacing=MINUTE, in_flight=1
    )


def state(**changes: object) -> HostState:
    return HostState.model_validate({"host": "a.example", "next_free_at": NOW, **changes})


@pytest.mark.parametrize(
    ("asked", "strikes", "luck", "hold"),
    [
        pytest.param(90 * SECOND, 0, 0, 90 * SECOND, id="as long as asked"),
        pytest.param(100 * SECOND, 3, 1, 120 * SECOND, id="a little longer, by chance"),
        pytest.param(timedelta(0), 0, 0, MINUTE, id="contradicting itself"),
        pytest.param(None, 0, 0, MINUTE, id="without saying"),
        pytest.param(None, 1, 0, 2 * MINUTE, id="again"),
        pytest.param(None, 2, 0.5, 4.4 * MINUTE, id="and again, by chance longer"),
        pytest.param(None, 30, 0, 6 * HOUR, id="at most six hours"),
        pytest.param(None, 10_000, 0, 6 * HOUR, id="for ever"),
    ],
)
def test_how_long_a_host_is_held(
    asked: timedelta | None, strikes: int, luck: float, hold: timedelta
) -> None:
    before = state(strikes=strikes, held_until=NOW - MINUTE if strikes else None)

    after = after_refusal(before, now=NOW, asked=asked, luck=luck)

    assert (after.held_until, after.next_free_at) == (NOW + hold, NOW + hold)


def test_refusals_of_requests_in_flight_together_are_one() -> None:
    first = after_refusal(state(busy=2), now=NOW, asked=None, luck=0)

    second = after_refusal(first, now=NOW + SECOND, asked=None, luck=0)

    assert (first.strikes, second.strikes) == (1, 1)
    assert second.learnt_spacing == first.learnt_spacing
    assert second.held_until == NOW + SECOND + MINUTE


def test_a_hold_never_becomes_shorter() -> None:
    before = state(held_until=NOW + HOUR, next_free_at=NOW + 2 * HOUR)

    after = after_refusal(before, now=NOW, asked=MINUTE, luck=0)

    assert (after.held_until, after.next_free_at) == (NOW + HOUR, NOW + 2 * HOUR)


def test_a_quarrel_is_forgotten_after_a_while() -> None:
    before = state(strikes=5, held_until=NOW - 2 * HOUR)

    assert after_refusal(before, now=NOW, asked=None, luck=0).strikes == 1


@pytest.mark.parametrize(
    ("changes", "asked", "learnt"),
    [
        pytest.param(
            {"window_started_at": NOW - SECOND, "window_requests": 2, "busy": 1},
            59 * SECOND,
            64.05 * SECOND,
            id="one a minute",
        ),
        pytest.param(
            {"window_started_at": NOW - 40 * SECOND, "window_requests": 11, "busy": 1},
            60 * SECOND,
            10.5 * SECOND,
            id="ten in a hundred seconds",
        ),
        pytest.param({}, 100 * SECOND, 105 * SECOND, id="nothing known"),
        pytest.param(
            {"learnt_spacing": 200 * SECOND}, 60 * SECOND, 300 * SECOND, id="slower than before"
        ),
        pytest.param({}, 24 * HOUR, HOUR, id="at most an hour"),
    ],
)
def test_a_limit_is_guessed_from_what_a_host_bore(
    changes: dict[str, object], asked: timedelta, learnt: timedelta
) -> None:
    after = after_refusal(state(**changes), now=NOW, asked=asked, luck=0)

    assert after.learnt_spacing == learnt
    assert (after.learnt_at, after.window_started_at, after.window_requests) == (NOW, None, 0)


def test_a_spent_budget_holds_a_host_without_a_quarrel() -> None:
    after = after_spending(state(), now=NOW, wait=30 * SECOND)

    assert after == state(held_until=NOW + 30 * SECOND, next_free_at=NOW + 30 * SECOND)


def test_ingestion_has_intervals_too() -> None:
    settings = IngestionSettings.model_validate({"database_url": "postgresql://a@b/c"})

    assert settings.poll_interval_seconds < settings.unconditional_poll_interval_seconds
