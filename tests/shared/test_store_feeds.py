from datetime import timedelta

from feedmill.models.feeds import FeedSnapshot, FeedToPoll, SnapshotEntry, Validators
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.store.users import OWNER

URL = "https://a.example/feed.xml"
HOUR = timedelta(hours=1)
VALIDATORS = Validators(etag='W/"x"', last_modified="Sun, 22 Nov 2026 06:00:00 GMT", url=URL)


async def only(tx: Transaction, feed_id: int) -> FeedToPoll:
    (feed,) = await tx.feeds.to_poll([feed_id])
    return feed


async def test_adding_a_feed_twice_is_one_feed(store: Store) -> None:
    async with store.transaction() as tx:
        first, second = await tx.feeds.add(URL), await tx.feeds.add(URL)

        assert first == second
        assert await only(tx, first) == FeedToPoll(id=first, url=URL)


async def test_a_success_is_remembered_with_its_validators(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.record_failure(feed_id, Reason.TIMED_OUT, "10 s", next_poll_in=HOUR)

        await tx.feeds.record_success(
            feed_id,
            VALIDATORS,
            next_poll_in=HOUR,
            snapshot=FeedSnapshot(title="A", site_url="https://a.example/"),
            body_hash="00ff",
        )

        feed = await only(tx, feed_id)
        assert (feed.validators, feed.last_reason, feed.failures) == (VALIDATORS, None, 0)
        assert feed.body_hash == "00ff"


async def test_a_success_without_change_keeps_what_the_feed_showed(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.record_success(
            feed_id, VALIDATORS, next_poll_in=HOUR, snapshot=FeedSnapshot(), body_hash="00ff"
        )

        await tx.feeds.record_success(feed_id, VALIDATORS, next_poll_in=HOUR)

        assert (await only(tx, feed_id)).body_hash == "00ff"


async def test_a_failure_keeps_the_validators_and_names_its_reason(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.record_success(feed_id, VALIDATORS, next_poll_in=HOUR)

        await tx.feeds.record_failure(feed_id, Reason.NOT_A_FEED, "text/html", next_poll_in=HOUR)

        feed = await only(tx, feed_id)
        assert (feed.validators, feed.last_reason) == (VALIDATORS, Reason.NOT_A_FEED)
        assert (feed.last_detail, feed.failures) == ("text/html", 1)


async def test_only_entries_not_shown_before_are_new(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        first = await tx.entries.add_new(
            feed_id, [SnapshotEntry(guid="1"), SnapshotEntry(guid="2")]
        )

        again = await tx.entries.add_new(
            feed_id, [SnapshotEntry(guid="2"), SnapshotEntry(guid="3")]
        )

        assert (len(first), len(again)) == (2, 1)
        assert await tx.entries.waiting(feed_id) == first + again
        assert await tx.entries.add_new(feed_id, []) == []


async def test_a_feed_is_forgotten_with_its_last_follower(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        one = await tx.users.let_in(OWNER, "a-long-enough-token")
        two = await tx.users.let_in("second", "another-long-token")
        assert await tx.feeds.subscribe(one, feed_id)
        assert await tx.feeds.subscribe(two, feed_id)
        assert not await tx.feeds.subscribe(two, feed_id)

        assert await tx.feeds.unsubscribe(one, feed_id)
        assert await tx.feeds.to_poll([feed_id])

        assert await tx.feeds.unsubscribe(two, feed_id)
        assert not await tx.feeds.to_poll([feed_id])
        assert not await tx.feeds.unsubscribe(two, feed_id)


async def test_a_token_opens_for_its_user_alone(store: Store) -> None:
    async with store.transaction() as tx:
        one = await tx.users.let_in(OWNER, "a-long-enough-token")
        two = await tx.users.let_in("second", "another-long-token")
        assert await tx.users.let_in(OWNER, "a-long-enough-token") == one

        assert await tx.users.by_token("a-long-enough-token") == one
        assert await tx.users.by_token("another-long-token") == two
        assert await tx.users.by_token("guessed") is None


async def test_a_changed_token_closes_the_former_one(store: Store) -> None:
    async with store.transaction() as tx:
        owner = await tx.users.let_in(OWNER, "a-token-that-leaked")

        assert await tx.users.let_in(OWNER, "the-token-after-it") == owner

        assert await tx.users.by_token("the-token-after-it") == owner
        assert await tx.users.by_token("a-token-that-leaked") is None
