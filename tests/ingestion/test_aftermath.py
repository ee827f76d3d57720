from datetime import UTC, datetime, timedelta

import pytest

from feedmill.models.feeds import (
    FeedSnapshot,
    FeedToPoll,
    Hub,
    PollingHints,
    Rejected,
    SnapshotEntry,
    Validators,
)
from feedmill.models.outcomes import Reason
from feedmill_ingestion.aftermath import after_poll
from feedmill_ingestion.moves import believed_move
from feedmill_ingestion.polls import Failed, Poll, Postponed, Shown, TurnedAway
from feedmill_ingestion.scheduling import Pace

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PACE = Pace(conditional=HOUR, unconditional=DAY, refresh=5 * MINUTE)
# The most by which a feed's turn is later than its interval.
LEEWAY = 65 * MINUTE
URL = "https://a.example/feed"
NEW_URL = "https://b.example/feed"
VALIDATORS = Validators(etag='"1"', url=URL)
REJECTED = Rejected(validators=Validators(etag='"2"', url=URL), parser="1")
LONG_AGO = NOW - 30 * DAY


def feed(**known: object) -> FeedToPoll:
    return FeedToPoll.model_validate(
        {"id": 7, "url": URL, "validators": VALIDATORS, "last_polled_at": NOW - HOUR, **known}
    )


def after(known: FeedToPoll, poll: Poll, now: datetime = NOW) -> FeedToPoll:
    return after_poll(known, poll, now=now, pace=PACE)


def wait_after(known: FeedToPoll, poll: Poll, now: datetime = NOW) -> timedelta:
    following = after(known, poll, now).next_poll_at
    assert following is not None
    return following - now


def is_turn(wait: timedelta, interval: timedelta) -> bool:
    return interval <= wait <= interval + LEEWAY


def test_a_success_forgives_everything() -> None:
    failing = feed(
        rejected=REJECTED,
        last_reason=Reason.GONE,
        last_detail="410",
        failures=9,
        failing_since=LONG_AGO,
        gone_since=LONG_AGO,
        retired_at=LONG_AGO,
    )

    seen = after(failing, Shown(validators=VALIDATORS))

    assert seen == feed(last_polled_at=NOW, last_success_at=NOW, next_poll_at=seen.next_poll_at)
    assert is_turn(wait_after(failing, Shown(validators=VALIDATORS)), HOUR)


def test_what_a_feed_says_about_itself_is_kept_until_it_says_otherwise() -> None:
    hints = PollingHints(interval_seconds=7200)
    shown = FeedSnapshot(
        title="T",
        site_url="https://a.example/",
        entries=tuple(
            SnapshotEntry(guid=str(number), published_at=NOW - number * DAY)
            for number in range(1, 41)
        ),
        hints=hints,
        hub_url="https://hub.example/",
        self_url=URL,
    )

    seen = after(feed(), Shown(validators=VALIDATORS, snapshot=shown, body_hash="00"))
    still = after(seen, Shown(validators=VALIDATORS), NOW + DAY)

    for each in (seen, still):
        assert (each.title, each.site_url) == ("T", "https://a.example/")
        assert (each.hints, each.body_hash) == (hints, "00")
        assert (each.entries_per_week, each.newest_entry_at) == (27 / 4, NOW - DAY)
        assert (each.hub_url, each.topic_url) == ("https://hub.example/", URL)


def test_a_hub_in_a_header_outranks_the_one_in_the_document() -> None:
    snapshot = FeedSnapshot(hub_url="https://old.example/", self_url=URL)
    hub = Hub(url="https://hub.example/", topic=NEW_URL)

    seen = after(feed(), Shown(validators=VALIDATORS, snapshot=snapshot, hub=hub))

    assert (seen.hub_url, seen.topic_url) == ("https://hub.example/", NEW_URL)


def test_a_feed_that_names_no_hub_any_more_has_none() -> None:
    known = feed(hub_url="https://old.example/", topic_url=URL)

    seen = after(known, Shown(validators=VALIDATORS, snapshot=FeedSnapshot(self_url=URL)))

    assert (seen.hub_url, seen.topic_url) == (None, None)


@pytest.mark.parametrize(
    ("poll", "interval"),
    [
        pytest.param(Shown(validators=VALIDATORS), HOUR, id="it can be asked what changed"),
        pytest.param(Shown(validators=Validators()), DAY, id="it cannot"),
        pytest.param(Shown(validators=VALIDATORS, fresh_for=5 * HOUR), 5 * HOUR, id="fresh"),
        pytest.param(Failed(reason=Reason.TIMED_OUT), HOUR, id="failed"),
        pytest.param(
            Failed(reason=Reason.HTTP_STATUS, wait=9 * HOUR), 9 * HOUR, id="failed, asks for time"
        ),
        pytest.param(Failed(reason=Reason.GONE), 12 * HOUR, id="gone, for the first time"),
        pytest.param(
            Failed(reason=Reason.NOT_A_FEED, with_body=True), DAY, id="a body for nothing"
        ),
        pytest.param(
            Failed(reason=Reason.NOT_A_FEED, with_body=True, rejected=REJECTED),
            HOUR,
            id="a body for nothing, but it can be asked for",
        ),
    ],
)
def test_when_a_feed_is_polled_again(poll: Poll, interval: timedelta) -> None:
    assert is_turn(wait_after(feed(), poll), interval)


def test_failures_slow_down_until_a_feed_is_dead_and_never_stop() -> None:
    failing, now, waits = feed(), NOW, []
    for _ in range(40):
        failing = after(failing, Failed(reason=Reason.TIMED_OUT), now)
        assert failing.next_poll_at is not None
        waits.append(failing.next_poll_at - now)
        now = failing.next_poll_at

    assert all(map(is_turn, waits, [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY]))
    assert is_turn(waits[10], DAY)
    assert is_turn(waits[-1], 7 * DAY)
    assert (failing.failures, failing.failing_since) == (40, NOW)


def test_a_failure_keeps_what_was_known() -> None:
    known = feed(title="T", body_hash="00", newest_entry_at=LONG_AGO, moved_to=NEW_URL)

    failed = after(known, Failed(reason=Reason.TIMED_OUT, detail="10 s"))

    assert failed == known.model_copy(
        update={
            "last_polled_at": NOW,
            "last_reason": Reason.TIMED_OUT,
            "last_detail": "10 s",
            "failures": 1,
            "failing_since": NOW,
            "next_poll_at": failed.next_poll_at,
        }
    )


@pytest.mark.parametrize(
    ("poll", "kept"),
    [
        pytest.param(
            Failed(reason=Reason.NOT_A_FEED, with_body=True, rejected=REJECTED),
            REJECTED,
            id="a body that could not be read",
        ),
        pytest.param(
            Failed(reason=Reason.NOT_A_FEED, with_body=True), None, id="one without validators"
        ),
        pytest.param(Shown(validators=VALIDATORS), None, id="a feed again"),
    ],
)
def test_a_rejected_body_is_remembered_until_another_comes(
    poll: Poll, kept: Rejected | None
) -> None:
    before = Rejected(validators=Validators(etag='"0"', url=URL), parser="1")

    known = feed(rejected=before)

    assert after(known, poll).rejected == kept
    assert after(known, Failed(reason=Reason.TIMED_OUT)).rejected == before


def test_a_feed_that_is_gone_is_retired_when_it_says_so_still_after_a_day() -> None:
    gone, now, polls = feed(), NOW, 0
    while gone.next_poll_at is not None or not polls:
        gone = after(gone, Failed(reason=Reason.GONE, detail="410"), now)
        polls += 1
        now = gone.next_poll_at or now

    assert (polls, gone.retired_at) == (3, now)
    assert DAY <= now - NOW < 2 * DAY
    assert gone.gone_since == NOW


def test_a_feed_that_is_gone_for_an_hour_is_not_retired() -> None:
    gone = after(feed(), Failed(reason=Reason.GONE))
    back = after(gone, Shown(validators=VALIDATORS), NOW + HOUR)

    again = after(back, Failed(reason=Reason.GONE), NOW + 30 * DAY)

    assert again.retired_at is None
    assert again.gone_since == NOW + 30 * DAY


def test_other_failures_in_between_do_not_bring_a_feed_back() -> None:
    gone = after(feed(), Failed(reason=Reason.GONE))
    away = after(gone, Failed(reason=Reason.TIMED_OUT), NOW + DAY)

    assert away.retired_at is None
    assert after(away, Failed(reason=Reason.GONE), NOW + 2 * DAY).retired_at == NOW + 2 * DAY


def test_a_host_that_asks_for_time_is_no_failure_of_the_feed() -> None:
    known = feed(failures=2, failing_since=LONG_AGO)

    turned_away = after(known, TurnedAway(until=NOW + MINUTE, detail="429"))

    assert turned_away == known.model_copy(
        update={
            "last_polled_at": NOW,
            "last_reason": Reason.RATE_LIMITED,
            "last_detail": "429",
            "next_poll_at": NOW + MINUTE,
        }
    )


def test_a_poll_that_did_not_happen_changes_nothing_but_its_time() -> None:
    known = feed(last_reason=Reason.TIMED_OUT, failures=1)

    assert after(known, Postponed(until=NOW + MINUTE)) == known.model_copy(
        update={"next_poll_at": NOW + MINUTE}
    )


def test_evidence_of_a_move_grows_poll_by_poll_and_is_lost_by_one_that_says_otherwise() -> None:
    once = after(feed(), Shown(validators=VALIDATORS, moved_to=NEW_URL))
    failed = after(once, Failed(reason=Reason.TIMED_OUT), NOW + HOUR)
    twice = after(failed, Shown(validators=VALIDATORS, moved_to=NEW_URL), NOW + DAY)
    elsewhere = after(twice, Shown(validators=VALIDATORS, moved_to="https://c.example/"))
    back = after(twice, Shown(validators=VALIDATORS))

    def evidence(seen: FeedToPoll) -> tuple[object, ...]:
        return seen.moved_to, seen.moved_since, seen.moved_polls

    assert evidence(once) == evidence(failed) == (NEW_URL, NOW, 1)
    assert evidence(twice) == (NEW_URL, NOW, 2)
    assert evidence(elsewhere) == ("https://c.example/", NOW, 1)
    assert evidence(back) == (None, None, 0)


@pytest.mark.parametrize(
    ("url", "moved_to", "for_", "polls", "is_believed"),
    [
        pytest.param(URL, None, None, 0, False, id="it has not moved"),
        pytest.param(URL, NEW_URL, timedelta(0), 1, False, id="said once"),
        pytest.param(URL, NEW_URL, 6 * DAY, 29, False, id="said for days"),
        pytest.param(URL, NEW_URL, 7 * DAY, 2, True, id="said for a week"),
        pytest.param(URL, NEW_URL, DAY, 30, True, id="said often"),
        pytest.param("http://a.example/f", "https://a.example/f", timedelta(0), 1, True, id="TLS"),
        pytest.param(
            "http://a.example/f", "https://b.example/f", timedelta(0), 1, False, id="TLS elsewhere"
        ),
        pytest.param(
            "http://a.example/f",
            "https://a.example/g",
            timedelta(0),
            1,
            False,
            id="TLS, other path",
        ),
        pytest.param(
            "https://a.example/f", "http://a.example/f", timedelta(0), 1, False, id="down"
        ),
        pytest.param(URL, URL, 9 * DAY, 99, False, id="to where it is"),
    ],
)
def test_which_moves_are_believed(
    url: str, moved_to: str | None, for_: timedelta | None, polls: int, *, is_believed: bool
) -> None:
    since = None if for_ is None else NOW - for_
    moving = feed(url=url, moved_to=moved_to, moved_since=since, moved_polls=polls)

    assert believed_move(moving, now=NOW) == (moved_to if is_believed else None)
