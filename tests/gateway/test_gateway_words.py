from datetime import timedelta

import pytest

from feedmill.models.entries import Stage
from feedmill.models.reader import (
    EnclosureView,
    EntryPosition,
    FeedHealth,
    FeedView,
    RunStatus,
    web_only,
)
from feedmill.models.runs import RunStep
from feedmill_gateway.words import (
    ENDS,
    STAGES,
    STEPS,
    counted,
    enclosure_words,
    failure_words,
    feed_words,
    when,
)
from support.library import NOON


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=0), "just now"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
        (timedelta(hours=-1), "1 hour ago"),
        (timedelta(days=-14), "14 days ago"),
        (timedelta(days=-15), "16 January 2026"),
        (timedelta(seconds=30), "in a moment"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(days=400), "7 March 2027"),
    ],
)
def test_when(distance: timedelta, said: str) -> None:
    assert when(NOON + distance, NOON) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 entries"), (1, "1 entry"), (1_200, "1,200 entries")]
)
def test_counted(number: int, said: str) -> None:
    assert counted(number, "entry", "entries") == said


@pytest.mark.parametrize(
    ("enclosure", "said"),
    [
        ({"media_type": "audio/mpeg", "duration_seconds": 3_900, "size_bytes": 60_400_000}, "Audio, 1 h 5 min, 60 MB"),
        ({"media_type": "video/mp4", "duration_seconds": 7_200}, "Video, 2 h"),
        ({"media_type": "video/mp4", "duration_seconds": 9}, "Video, 1 min"),
        ({"media_type": "image/png", "size_bytes": 9}, "Picture, less than 1 MB"),
        ({"media_type": "application/pdf"}, "File"),
        ({}, "File"),
    ],
)  # fmt: skip
def test_what_a_file_is(enclosure: dict[str, object], said: str) -> None:
    assert enclosure_words(EnclosureView.model_validate(enclosure)) == said


_FEED = FeedView(id=1, url="https://news.example/feed", added_at=NOON)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Not polled yet"),
        ({"last_polled_at": NOON, "entries": 1}, "Polled just now · 1 entry"),
        (
            {"last_polled_at": NOON - timedelta(hours=3), "entries": 20, "waiting": 4},
            "Polled 3 hours ago · 20 entries, 4 waiting",
        ),
        (
            {"last_polled_at": NOON - timedelta(hours=20), "pushed": True},
            "Polled 20 hours ago, news is pushed · 0 entries",
        ),
    ],
)
def test_feed_words(changes: dict[str, object], said: str) -> None:
    assert feed_words(_FEED.model_copy(update=changes), NOON) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failures": 1}, "The last poll failed."),
        ({"failures": 3, "next_poll_at": NOON - timedelta(hours=1)}, "3 polls failed."),
        (
            {"failures": 3, "next_poll_at": NOON + timedelta(hours=1)},
            "3 polls failed. Next try in 1 hour at the earliest.",
        ),
        (
            {"health": FeedHealth.BUSY, "next_poll_at": NOON + timedelta(minutes=2)},
            "The site is busy. Next try in 2 minutes at the earliest.",
        ),
        (
            {
                "health": FeedHealth.DEAD,
                "failures": 40,
                "failing_since": NOON - timedelta(days=30),
                "next_poll_at": NOON + timedelta(days=3),
            },
            "Nothing since 1 January 2026. Next try in 3 days at the earliest.",
        ),
        ({"health": FeedHealth.RETIRED, "failures": 3}, "Not polled any more."),
    ],
)
def test_failure_words(changes: dict[str, object], said: str) -> None:
    assert failure_words(_FEED.model_copy(update=changes), NOON) == said


def test_every_state_has_its_words() -> None:
    assert set(STAGES) == set(Stage)
    assert set(STEPS) == set(RunStep)
    assert set(ENDS) == set(RunStatus)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/", "https://a.example/"),
        ("HTTP://a.example/", "HTTP://a.example/"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.example", None),
        ("", None),
        (None, None),
    ],
)
def test_only_the_web_is_linked(url: str | None, shown: str | None) -> None:
    assert web_only(url) == shown


def test_a_position_survives_a_url() -> None:
    position = EntryPosition(at=NOON + timedelta(microseconds=1), id=7)

    assert EntryPosition.decode(position.encode()) == position


@pytest.mark.parametrize("text", ["", "=", "é", "NyA=", "eCAyMDI2LTAxLTMxVDEyOjAwOjAwKzAwOjAw"])
def test_no_other_text_is_a_position(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        EntryPosition.decode(text)
