import asyncio
import time

import pytest
from sqlalchemy import Table, func, select, text

from feedmill.config import StoreSettings
from feedmill.models.lists import FeedsFollowed, ListedFeed
from feedmill.models.reader import FeedView
from feedmill.store import Store, Transaction, open_store
from feedmill.store.tables import categories, feeds, subscriptions
from support.library import open_library

AI = ("Tech", "AI")


async def user(store: Store, name: str = "owner") -> int:
    async with store.transaction() as tx:
        return await tx.users.let_in(name, f"the token of {name}")


async def shown(store: Store, user_id: int) -> list[FeedView]:
    async with store.transaction() as tx:
        return await tx.reader.feeds(user_id)


async def count(tx: Transaction, table: Table) -> int:
    return (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()


async def waiting(store: Store, transactions: int) -> None:
    """Return once so many transactions wait for another one."""
    asked = text("select count(distinct pid) from pg_locks where not granted")
    async with asyncio.timeout(10):
        while True:
            async with store.transaction() as tx:
                if (await tx.connection.execute(asked)).scalar_one() >= transactions:
                    return
            await asyncio.sleep(0.02)


def listed(*names: str, category: tuple[str, ...] = ()) -> list[ListedFeed]:
    return [
        ListedFeed(url=f"https://{name}.example/", title=f"The {name}", category=category)
        for name in names
    ]


async def test_a_list_is_followed_with_its_categories_and_titles(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        followed = await tx.lists.follow(
            owner,
            [*listed("a"), *listed("b", category=("Tech",)), *listed("c", category=AI)],
            empty=[("News", "Local")],
        )

    assert followed == FeedsFollowed(
        feed_ids={feed.url: feed.id for feed in await shown(store, owner)}, categories=4
    )
    assert [(feed.title, feed.category) for feed in await shown(store, owner)] == [
        ("The a", ()),
        ("The b", ("Tech",)),
        ("The c", AI),
    ]
    async with store.transaction() as tx:
        assert set(await tx.categories.of(owner)) == {
            ("Tech",),
            AI,
            ("News",),
            ("News", "Local"),
        }


async def test_new_feeds_are_due_at_once(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        await tx.lists.follow(owner, listed("a"))

        due = await tx.feeds.lock_due(shard=0, shards=1, limit=9)
        assert [feed.url for feed in due] == ["https://a.example/"]


async def test_a_feed_followed_already_stays_as_it_is(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        await tx.lists.follow(owner, listed("a", "b", category=AI))

    async with store.transaction() as tx:
        again = [
            ListedFeed(url="https://a.example/", title="Another", category=("News",)),
            *listed("b"),
            *listed("c"),
        ]
        followed = await tx.lists.follow(owner, again)

    assert list(followed.feed_ids) == ["https://c.example/"]
    assert [(feed.title, feed.category) for feed in await shown(store, owner)] == [
        ("The a", AI),
        ("The b", AI),
        ("The c", ()),
    ]


async def test_two_readers_share_a_feed_and_not_what_they_call_it(store: Store) -> None:
    owner, neighbour = await user(store), await user(store, "neighbour")
    async with store.transaction() as tx:
        await tx.lists.follow(owner, listed("a", category=AI))
        theirs = [ListedFeed(url="https://a.example/", title="Theirs", category=("Tech", "Mills"))]
        followed = await tx.lists.follow(neighbour, theirs)

        assert (await count(tx, feeds), followed.categories) == (1, 2)
    [mine], [other] = await shown(store, owner), await shown(store, neighbour)
    assert mine.id == other.id
    assert (mine.title, mine.category) == ("The a", AI)
    assert (other.title, other.category) == ("Theirs", ("Tech", "Mills"))


async def test_a_feed_without_a_title_of_the_readers_is_called_what_it_calls_itself(
    store: Store,
) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        nameless = ListedFeed(url="https://a.example/")
        followed = await tx.lists.follow(owner, [nameless])
        (feed,) = (await tx.feeds.get([*followed.feed_ids.values()])).values()
        says = {"title": "Mill news", "site_url": "https://a.example/about"}
        await tx.feeds.keep([feed.model_copy(update=says)])

        assert await tx.lists.listed(owner) == [
            ListedFeed(
                url="https://a.example/", title="Mill news", site_url="https://a.example/about"
            )
        ]


async def test_what_is_listed_is_what_was_followed(store: Store) -> None:
    owner = await user(store)
    given = [
        *listed("b", "d"),
        *listed("c", category=("News",)),
        *listed("a", category=("Tech",)),
        *listed("e", category=AI),
    ]
    async with store.transaction() as tx:
        await tx.lists.follow(owner, given)
        await tx.lists.follow(await tx.users.let_in("neighbour", "token"), listed("z"))

        assert await tx.lists.listed(owner) == given


async def test_nothing_is_followed_by_an_empty_list(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        assert await tx.lists.follow(owner, []) == FeedsFollowed(feed_ids={}, categories=0)


async def test_the_same_name_means_another_category_elsewhere(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        ids, made = await tx.categories.make(owner, [("A", "B"), ("B", "B"), ("B", "A", "B")])
        again, made_again = await tx.categories.make(owner, [("B", "A", "B"), ("B",)])

    assert len(set(ids.values())) == made == 6
    assert (again, made_again) == (ids, 0)


async def test_a_feed_is_renamed_and_moved(store: Store) -> None:
    owner = await user(store)
    async with store.transaction() as tx:
        [feed_id] = (await tx.lists.follow(owner, listed("a", category=AI))).feed_ids.values()
        await tx.lists.rename(owner, feed_id, "Mine")
        await tx.lists.move(owner, feed_id, ("News",))
        changed = await tx.reader.feed(owner, feed_id)
        await tx.lists.rename(owner, feed_id, "")
        await tx.lists.move(owner, feed_id, ())
        bare = await tx.reader.feed(owner, feed_id)

    assert (changed.title, changed.category) == ("Mine", ("News",))
    assert (bare.title, bare.category) == ("", ())


async def test_a_feed_listed_where_it_is_and_where_it_was_is_one_feed(store: Store) -> None:
    owner = await user(store)
    was, now = "https://was.example/", "https://now.example/"
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(was)
        await tx.feeds.move(feed_id, now)

    async with store.transaction() as tx:
        followed = await tx.lists.follow(owner, [*listed("was"), *listed("now")])

    assert followed.feed_ids == {was: feed_id}
    assert [feed.title for feed in await shown(store, owner)] == ["The was"]


async def test_a_crash_in_the_middle_leaves_nothing(store: Store) -> None:
    owner = await user(store)

    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            await tx.lists.follow(owner, listed("a", category=AI))
            raise KeyError

    async with store.transaction() as tx:
        assert [await count(tx, table) for table in (feeds, categories, subscriptions)] == [0, 0, 0]


async def test_lists_imported_at_once_do_not_meet_in_a_deadlock(database_url: str) -> None:
    names = [f"n{number:04}" for number in range(500)]
    settings = StoreSettings(database_url=database_url, database_pool_size=8)
    async with open_store(settings) as store:
        owner = await user(store)
        users = [owner, owner, *[await user(store, f"user {number}") for number in range(4)]]

        async def import_all(user_id: int, *, backwards: bool) -> int:
            given = listed(*(reversed(names) if backwards else names), category=AI)
            async with store.transaction() as tx:
                return len((await tx.lists.follow(user_id, given)).feed_ids)

        new = await asyncio.gather(
            *(import_all(each, backwards=bool(n % 2)) for n, each in enumerate(users))
        )

    # Two of them were one reader's: whoever came second found all of it followed.
    assert sorted(new) == [0, *[500] * 5]


async def test_a_list_and_the_polls_of_its_feeds_never_wait_for_each_other(
    database_url: str,
) -> None:
    settings = StoreSettings(database_url=database_url, database_pool_size=5)
    async with open_store(settings) as store:
        owner = await user(store)
        async with store.transaction() as tx:
            # By address and by number they stand in another order.
            ids = [await tx.feeds.add(feed.url) for feed in listed("b", "a")]

        async def follow() -> None:
            async with store.transaction() as tx:
                await tx.lists.follow(owner, listed("a", "b"))

        async def poll() -> None:
            async with store.transaction() as tx:
                await tx.feeds.lock(ids)

        async with store.transaction() as tx:
            await tx.feeds.lock(ids[:1])
            both = []
            for each in (poll(), follow()):
                both.append(asyncio.create_task(each))
                await waiting(store, len(both))
        await asyncio.gather(*both)

    assert len(both) == 2


async def test_a_feed_whose_last_reader_leaves_is_followed_all_the_same_where_it_was(
    store: Store,
) -> None:
    leaver, follower = await user(store, "leaver"), await user(store, "follower")
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add("https://was.example/")
        await tx.feeds.subscribe(leaver, feed_id)
        await tx.feeds.move(feed_id, "https://now.example/")

    async def follow() -> None:
        async with store.transaction() as tx:
            await tx.feeds.subscribe(follower, await tx.feeds.add("https://was.example/"))

    async with store.transaction() as tx:
        await tx.feeds.unsubscribe(leaver, feed_id)
        following = asyncio.create_task(follow())
        await waiting(store, 1)
    await following

    assert [feed.url for feed in await shown(store, follower)] == ["https://was.example/"]


async def test_five_thousand_feeds_take_a_moment(store: Store) -> None:
    library = await open_library(store)
    given = [
        ListedFeed(
            url=f"https://h{number % 900}.example/feeds/{number}.xml",
            title=f"Feed number {number}",
            category=(f"Shelf {number % 20}", f"Box {number % 300}"),
        )
        for number in range(5_000)
    ]

    started = time.perf_counter()
    async with store.transaction() as tx:
        followed = await tx.lists.follow(library.user_id, given)
    seconds = time.perf_counter() - started

    assert (len(followed.feed_ids), followed.categories) == (5_000, 320)
    assert seconds < 5, f"{seconds:.2f} s"
    print(f"5,000 feeds in {seconds:.2f} s")
