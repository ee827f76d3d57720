import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from feedmill.models.distillates import Distillate, Distiller, Recipe
from feedmill.models.events import EventKind, NewEvent
from feedmill.store import Store
from feedmill.store.contents import hash_text
from feedmill.store.distillates import Result
from feedmill.store.stories import WINDOW, Teller, Telling
from feedmill.store.tables import story_keys
from support.articles import article, store_articles

RECIPE = Recipe(id="r", distiller=Distiller.MODEL, model="m", prompt_version="1")


async def join(store: Store, entry_id: int, keys: list[int], story: int) -> None:
    async with store.transaction() as tx:
        await tx.stories.join([Telling(entry_id, "hash", tuple(keys), story)])


async def like(store: Store, entry_id: int, keys: list[int]) -> list[int]:
    async with store.transaction() as tx:
        found = await tx.stories.like([Telling(entry_id, "hash", tuple(keys))])
        return [teller.entry_id for teller in found.get(entry_id, ())]


async def test_entries_that_share_a_key_are_found_the_likest_first(store: Store) -> None:
    one, two, three, new = await store_articles(store, "one", "two", "three", "new")
    await join(store, one, [1, 2, 3], one)
    await join(store, two, [3, 4, 5], one)
    await join(store, three, [6, 7, 8], three)

    assert await like(store, new, [3, 4, 9]) == [two, one]
    assert await like(store, new, [10]) == []
    assert await like(store, one, [1, 2, 3]) == [two]
    async with store.transaction() as tx:
        assert await tx.stories.like([Telling(new, "hash", (8,)), Telling(one, "hash", (9,))]) == {
            new: [Teller(entry_id=three, story=three, text="three", language="en")]
        }


async def test_who_looks_for_a_story_holds_up_others_who_look_and_no_events(store: Store) -> None:
    one, two = await store_articles(store, "one", "two")
    async with asyncio.timeout(10), store.transaction() as first:
        await first.stories.like([Telling(one, "hash", (1,))])
        looking = asyncio.create_task(like(store, two, [1]))
        async with store.transaction() as tx:
            tx.events.append(NewEvent(kind=EventKind.FEED_ADDED, feed_id=1))
        await first.stories.join([Telling(one, "hash", (1,), one)])
        assert not looking.done()

    assert await looking == [one]


async def test_what_was_told_days_ago_is_not_found(store: Store) -> None:
    old, new = await store_articles(store, "old", "new")
    await join(store, old, [1], old)
    async with store.transaction() as tx:
        before = await tx.now() - WINDOW - timedelta(minutes=1)
        await tx.connection.execute(update(story_keys).values(told_at=before))

    assert await like(store, new, [1]) == []


async def test_no_more_than_a_few_are_compared(store: Store) -> None:
    *told, new = await store_articles(store, *(f"text {n}" for n in range(9)))
    for entry_id in told:
        await join(store, entry_id, [1], entry_id)

    assert len(await like(store, new, [1])) == 5


async def test_what_is_known_of_an_entry_is_known_of_its_text(store: Store) -> None:
    entry_id, other = await store_articles(store, "text", "other")
    known = hash_text("text")

    async def story() -> int | None:
        [content] = await tx.contents.to_distill([entry_id])
        return content.story

    async with store.transaction() as tx:
        assert await story() is None
        await tx.stories.join([Telling(entry_id, known, (1, 2), entry_id)])
        assert await story() == entry_id
        await tx.stories.join([Telling(entry_id, "of another text", (1, 2), entry_id)])
        assert await story() is None
        await tx.stories.join(
            [Telling(entry_id, known, (1, 3, 3), 77), Telling(other, "hash", (1, 4), other)]
        )
        assert await story() == 77
        kept = await tx.connection.execute(select(story_keys.c.entry_id, story_keys.c.key))
        assert sorted(map(tuple, kept)) == [(entry_id, 1), (entry_id, 3), (other, 1), (other, 4)]


async def test_what_was_made_of_a_story_is_found_from_its_other_entries(store: Store) -> None:
    one, two = await store_articles(store, "One text.", "Another text.")
    made = Distillate(summary="One.", relevance=0.5)
    for entry_id in (one, two):
        await join(store, entry_id, [1], one)
    async with store.transaction() as tx:
        await tx.distillates.save(article("One text.", entry_id=one), [Result(RECIPE, made)])

    async with store.transaction() as tx:
        assert await tx.stories.told_before(two, one, "r") == (made, "One text.")
        assert await tx.stories.told_before(one, one, "r") is None
        assert await tx.stories.told_before(two, one, "another recipe") is None
        assert await tx.stories.told_before(two, two, "r") is None
