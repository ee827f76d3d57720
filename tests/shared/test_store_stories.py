from datetime import timedelta

from sqlalchemy import select, update

from feedmill.models.distillates import Distillate, Distiller, Recipe
from feedmill.store import Store
from feedmill.store.stories import WINDOW, Teller
from feedmill.store.tables import story_keys
from support.articles import article, store_articles

RECIPE = Recipe(id="r", distiller=Distiller.MODEL, model="m", prompt_version="1")


async def join(store: Store, entry_id: int, keys: list[int], story: int) -> None:
    async with store.transaction() as tx:
        await tx.stories.join(entry_id, "hash", keys, story)


async def like(store: Store, entry_id: int, keys: list[int]) -> list[int]:
    async with store.transaction() as tx:
        return [teller.entry_id for teller in await tx.stories.like(entry_id, keys)]


async def test_entries_that_share_a_key_are_found_the_likest_first(store: Store) -> None:
    one, two, three, new = await store_articles(store, "one", "two", "three", "new")
    await join(store, one, [1, 2, 3], one)
    await join(store, two, [3, 4, 5], one)
    await join(store, three, [6, 7, 8], three)

    assert await like(store, new, [3, 4, 9]) == [two, one]
    assert await like(store, new, [10]) == []
    assert await like(store, one, [1, 2, 3]) == [two]
    async with store.transaction() as tx:
        assert await tx.stories.like(new, [8]) == [
            Teller(entry_id=three, story=three, text="three", language="en")
        ]


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
    [entry_id] = await store_articles(store, "text")
    async with store.transaction() as tx:
        assert await tx.stories.known(entry_id, "first") is None
        await tx.stories.join(entry_id, "first", [1, 2], entry_id)
        assert await tx.stories.known(entry_id, "first") == entry_id
        assert await tx.stories.known(entry_id, "second") is None
        await tx.stories.join(entry_id, "second", [1, 3, 3], 77)
        assert await tx.stories.known(entry_id, "second") == 77
        kept = await tx.connection.execute(select(story_keys.c.key))
        assert sorted(kept.scalars()) == [1, 3]


async def test_what_was_made_of_a_story_is_found_from_its_other_entries(store: Store) -> None:
    one, two = await store_articles(store, "One text.", "Another text.")
    made = Distillate(summary="One.", relevance=0.5)
    for entry_id in (one, two):
        await join(store, entry_id, [1], one)
    async with store.transaction() as tx:
        await tx.distillates.register(RECIPE)
        await tx.distillates.save(article("One text.", entry_id=one), "r", made, reused=False)

    async with store.transaction() as tx:
        assert await tx.stories.told_before(two, one, "r") == (made, "One text.")
        assert await tx.stories.told_before(one, one, "r") is None
        assert await tx.stories.told_before(two, one, "another recipe") is None
        assert await tx.stories.told_before(two, two, "r") is None
