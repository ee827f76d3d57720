from datetime import timedelta

import pytest

from feedmill.models.outcomes import Reason
from feedmill.models.reader import FeedHealth
from feedmill.store import Store
from feedmill.store.users import OWNER
from support.clock import NOON, Clock

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("standing", "health"),
    [
        pytest.param({}, FeedHealth.NEW, id="nobody has asked it yet"),
        pytest.param({"last_polled_at": NOON}, FeedHealth.GOOD, id="it answers"),
        pytest.param(
            {"last_polled_at": NOON, "failures": 1, "failing_since": NOON},
            FeedHealth.FAILING,
            id="it fails",
        ),
        pytest.param(
            {"last_polled_at": NOON, "failures": 9, "failing_since": NOON - 14 * DAY},
            FeedHealth.DEAD,
            id="it has failed for two weeks",
        ),
        pytest.param(
            {"last_polled_at": NOON, "last_reason": Reason.RATE_LIMITED},
            FeedHealth.BUSY,
            id="its host asks for time",
        ),
        pytest.param(
            {"last_polled_at": NOON, "failures": 3, "retired_at": NOON},
            FeedHealth.RETIRED,
            id="it is gone",
        ),
    ],
)
async def test_a_feeds_health_in_a_word(
    store: Store, standing: dict[str, object], health: FeedHealth
) -> None:
    await Clock(store).start()
    async with store.transaction() as tx:
        user = await tx.users.let_in(OWNER, "a-long-enough-token")
        feed_id = await tx.feeds.add("https://a.example/")
        await tx.feeds.subscribe(user, feed_id)
        feed = (await tx.feeds.get([feed_id]))[feed_id]
        await tx.feeds.keep([feed.model_copy(update=standing)])

        assert (await tx.reader.feed(user, feed_id)).health is health
