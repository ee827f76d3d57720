from datetime import datetime, timedelta

import pytest

from feedmill.models.hubs import HubState, HubSubscription, Push
from feedmill_ingestion.silence import after_finding, after_push
from support.clock import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EARLIER = NOON - 2 * HOUR


def subscription(**known: object) -> HubSubscription:
    return HubSubscription.model_validate(
        {
            "feed_id": 7,
            "hub_url": "https://hub.example/",
            "topic_url": "https://a.example/feed",
            "token": "t",
            "secret": "s",
            "state": HubState.ACTIVE,
            "asked_at": NOON - DAY,
            "promised_until": NOON + DAY,
            "renew_at": NOON + HOUR,
            **known,
        }
    )


@pytest.mark.parametrize(
    ("published", "missed"),
    [
        pytest.param([EARLIER], 1, id="hours ago"),
        pytest.param([None], 1, id="nobody knows when"),
        pytest.param([NOON - 11 * MINUTE], 1, id="long enough ago to push it"),
        pytest.param([NOON - 9 * MINUTE], 0, id="a moment ago"),
        pytest.param([NOON + HOUR], 0, id="later today"),
        pytest.param([NOON - 2 * DAY], 0, id="before the hub was asked"),
        pytest.param([NOON, NOON - 2 * DAY, EARLIER], 1, id="some of it hours ago"),
    ],
)
def test_news_that_a_hub_should_have_pushed_by_now_is_missed(
    published: list[datetime | None], missed: int
) -> None:
    after = after_finding(subscription(), published, now=NOON)

    assert after == subscription(missed=missed)


def test_a_hub_that_misses_two_in_a_row_is_silent() -> None:
    once = after_finding(subscription(), [EARLIER], now=NOON)
    twice = after_finding(once, [EARLIER], now=NOON)

    assert twice == subscription(missed=2, state=HubState.SILENT)


def test_a_hub_that_missed_one_and_pushed_the_next_is_not() -> None:
    push = Push(id=1, feed_id=7, body=b"", received_at=NOON)
    once = after_finding(subscription(), [EARLIER], now=NOON)
    pushed = after_push(once, push, owner="me")
    again = after_finding(pushed, [EARLIER], now=NOON)

    assert pushed == subscription(last_push_at=NOON, read_by="me")
    assert again.state is HubState.ACTIVE


def test_a_hub_that_was_silent_is_trusted_again_when_it_pushes() -> None:
    push = Push(id=1, feed_id=7, body=b"", received_at=NOON)

    after = after_push(subscription(state=HubState.SILENT, missed=2), push, owner="me")

    assert (after.state, after.missed) == (HubState.ACTIVE, 0)


@pytest.mark.parametrize("state", [HubState.LEAVING, HubState.REFUSED])
def test_a_push_read_late_does_not_bring_back_what_was_given_up(state: HubState) -> None:
    push = Push(id=1, feed_id=7, body=b"", received_at=NOON)

    assert after_push(subscription(state=state), push, owner="me").state is state
