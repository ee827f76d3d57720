from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.feeds import FeedToPoll, PollingHints, Validators
from feedmill_ingestion.scheduling import (
    Pace,
    interval_after_failure,
    interval_after_success,
    next_turn,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PACE = Pace(conditional=HOUR, unconditional=DAY, refresh=5 * MINUTE)
URL = "https://a.example/feed"
VALIDATORS = Validators(etag='"1"', url=URL)


def feed(**changes: object) -> FeedToPoll:
    known = {"id": 7, "url": URL, "validators": VALIDATORS, **changes}
    return FeedToPoll.model_validate(known)


@pytest.mark.parametrize(
    ("known", "fresh_for", "interval"),
    [
        pytest.param({}, None, HOUR, id="nothing known of its rhythm"),
        pytest.param({"validators": Validators()}, None, DAY, id="it cannot be asked what changed"),
        pytest.param({"entries_per_week": 500}, None, HOUR, id="never sooner than configured"),
        pytest.param({"entries_per_week": 21}, None, 4 * HOUR, id="twice per entry"),
        pytest.param({"entries_per_week": 1}, None, DAY, id="at least daily"),
        pytest.param({"entries_per_week": 0}, None, DAY, id="a silent feed"),
        pytest.param(
            {"entries_per_week": 84, "newest_entry_at": NOW - 2 * DAY},
            None,
            12 * HOUR,
            id="a feed that has fallen silent",
        ),
        pytest.param({}, 5 * HOUR, 5 * HOUR, id="the answer is fresh for longer"),
        pytest.param({}, 400 * DAY, 31 * DAY, id="absurdly long"),
        pytest.param({}, MINUTE, HOUR, id="freshness never shortens it"),
        pytest.param(
            {"hints": PollingHints(interval_seconds=6 * 3600)}, None, 6 * HOUR, id="its own ttl"
        ),
        pytest.param(
            {"hints": PollingHints(interval_seconds=6 * 3600)},
            8 * HOUR,
            8 * HOUR,
            id="the longer of both",
        ),
        pytest.param(
            {"hints": PollingHints(interval_seconds=10**10)}, None, 31 * DAY, id="an absurd ttl"
        ),
        pytest.param({"pushed": True}, None, DAY, id="a hub sends its news"),
    ],
)
def test_interval_after_success(
    known: dict[str, object], fresh_for: timedelta | None, interval: timedelta
) -> None:
    assert (
        interval_after_success(feed(**known), now=NOW, pace=PACE, fresh_for=fresh_for) == interval
    )


@pytest.mark.parametrize(
    ("failures", "failing_for", "asked", "interval"),
    [
        pytest.param(1, HOUR, None, HOUR, id="once"),
        pytest.param(3, 4 * HOUR, None, 4 * HOUR, id="three times"),
        pytest.param(6, DAY, None, DAY, id="at most a day"),
        pytest.param(20, 14 * DAY, None, 7 * DAY, id="dead"),
        pytest.param(10_000, 5_000 * DAY, None, 7 * DAY, id="dead for years"),
        pytest.param(1, HOUR, 5 * HOUR, 5 * HOUR, id="longer if asked"),
        pytest.param(3, HOUR, MINUTE, 4 * HOUR, id="never shorter if asked"),
        pytest.param(1, HOUR, 99 * DAY, 31 * DAY, id="asked for absurdly much"),
    ],
)
def test_interval_after_failure(
    failures: int, failing_for: timedelta, asked: timedelta | None, interval: timedelta
) -> None:
    failing = feed(failures=failures, failing_since=NOW - failing_for)

    assert interval_after_failure(failing, now=NOW, least=HOUR, asked=asked) == interval


def test_our_own_least_interval_holds_for_failures_too() -> None:
    failing = feed(failures=1, failing_since=NOW)

    assert interval_after_failure(failing, now=NOW, least=DAY, asked=None) == DAY


def turn(feed_id: int, at: datetime, interval: timedelta = HOUR) -> datetime:
    return next_turn(
        feed_id,
        now=at,
        interval=interval,
        shortest=HOUR,
        hints=PollingHints(),
    )


@given(
    feed_id=st.integers(1, 2**53),
    seconds=st.integers(1, 31 * 24 * 3600),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_a_turn_is_never_too_soon_and_never_much_too_late(
    feed_id: int, seconds: int, now: datetime
) -> None:
    now = now.replace(tzinfo=UTC)
    interval = timedelta(seconds=seconds)

    wait = turn(feed_id, now, interval) - now

    assert interval <= wait <= interval + 65 * MINUTE


def test_a_feed_keeps_its_turns_though_polls_are_late_and_intervals_change() -> None:
    turns = [turn(7, NOW)]
    for late, interval in ((0, HOUR), (20, HOUR), (240, 5 * HOUR), (3, DAY), (0, HOUR)):
        turns.append(turn(7, turns[-1] + timedelta(seconds=late), interval))

    gaps = [(later - earlier) / (65 * MINUTE) for earlier, later in pairwise(turns)]
    assert gaps == [1, 1, 5, 23, 1]


@pytest.mark.parametrize("interval", [HOUR, 7 * HOUR, DAY])
def test_feeds_polled_together_do_not_stay_together(interval: timedelta) -> None:
    together = [turn(feed_id, NOW, interval) - NOW for feed_id in range(1, 6_501)]

    per_minute = Counter(wait // MINUTE for wait in together)
    # 6,500 feeds over 65 minutes.
    assert len(per_minute) in {65, 66}
    assert max(per_minute.values()) < 115


@pytest.mark.parametrize(
    ("hints", "hour", "weekday"),
    [
        pytest.param(PollingHints(), 13, 6, id="no wishes"),
        pytest.param(PollingHints(skip_hours=(13, 14)), 15, 6, id="not in these hours"),
        pytest.param(PollingHints(skip_days=(6,)), 0, 0, id="not on Sundays"),
        pytest.param(PollingHints(skip_days=(6,), skip_hours=tuple(range(8))), 8, 0, id="neither"),
        pytest.param(PollingHints(skip_days=tuple(range(7))), 13, 6, id="never is not meant"),
        pytest.param(PollingHints(skip_hours=tuple(range(24))), 13, 6, id="at no hour neither"),
    ],
)
def test_hours_and_days_pass_by_on_which_a_feed_is_not_to_be_polled(
    hints: PollingHints, hour: int, weekday: int
) -> None:
    at = next_turn(
        7,
        now=datetime(2026, 3, 1, 12, 10, tzinfo=UTC),
        interval=HOUR,
        shortest=timedelta(0),
        hints=hints,
    )

    assert (at.hour, at.weekday()) == (hour, weekday)


def test_no_interval_at_all_means_at_once() -> None:
    nothing = timedelta(0)

    at = next_turn(7, now=NOW, interval=nothing, shortest=nothing, hints=PollingHints())

    assert at == NOW
