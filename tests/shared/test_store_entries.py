from datetime import UTC, datetime

from sqlalchemy import insert, select

from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    Distiller,
    KeyPoint,
    Recipe,
)
from feedmill.models.entries import Content, EntryToFetch, PageSign, Stage
from feedmill.models.feeds import SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.store.contents import hash_text
from feedmill.store.distillates import Result
from feedmill.store.tables import contents, drafts

CONTENT = Content(
    url="https://a.example/1",
    title="",
    html="<p>Mills grind.</p>",
    text="Mills grind.",
    word_count=2,
    extractor="test 1",
)
RECIPE = Recipe(id="r1", distiller=Distiller.EXTRACTIVE, model="lexrank", prompt_version="1")
DISTILLATE = Distillate(
    summary="Mills grind.",
    key_points=(KeyPoint(text="Mills grind.", start=0, end=12),),
    topics=("mills",),
    relevance=0.5,
    language="en",
)


async def add_entry(tx: Transaction, guid: str = "1") -> EntryToFetch:
    feed_id = await tx.feeds.add("https://a.example/feed.xml")
    shown = SnapshotEntry(guid=guid, title="Mills")
    ((entry_id,),) = (await tx.entries.add_new({feed_id: [shown]})).values()
    (entry,) = await tx.entries.to_fetch([entry_id])
    return entry


async def test_entries_are_numbered_in_the_order_in_which_their_feed_shows_them(
    store: Store,
) -> None:
    shown = [SnapshotEntry(guid=str(number), title=f"T{number}") for number in range(50)]
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add("https://a.example/feed.xml")
        ids = (await tx.entries.add_new({feed_id: shown}))[feed_id]
        found = await tx.entries.to_fetch(sorted(ids))

    assert ids == sorted(ids)
    titles = {entry.id: entry.title for entry in found}
    assert [titles[id_] for id_ in ids] == [entry.title for entry in shown]


async def test_a_stage_is_left_once(store: Store) -> None:
    async with store.transaction() as tx:
        entry = await add_entry(tx)

        first = await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED)
        second = await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED)

        assert (first, second) == (True, False)


async def test_what_a_page_says_of_itself_is_kept(store: Store) -> None:
    said = {
        "byline": "Ada Byron",
        "site_name": "The Mill",
        "published_at": datetime(2026, 11, 24, 9, tzinfo=UTC),
        "modified_at": datetime(2026, 11, 24, 10, tzinfo=UTC),
        "canonical_url": "https://a.example/mills",
        "reading_minutes": 1,
        "signs": (PageSign.PAYWALL,),
    }
    async with store.transaction() as tx:
        entry = await add_entry(tx)

        await tx.contents.save(entry.id, CONTENT.model_copy(update=said))

        columns = [contents.c[name] for name in said]
        (row,) = await tx.connection.execute(select(*columns))
        assert dict(row._mapping) == {**said, "signs": ["paywall"]}


async def test_a_dead_end_waits_no_more(store: Store) -> None:
    async with store.transaction() as tx:
        entry = await add_entry(tx)

        await tx.entries.move(
            entry.id, before=Stage.NEW, after=Stage.UNAVAILABLE, reason=Reason.NO_ARTICLE
        )

        assert await tx.entries.waiting([entry.feed_id]) == {entry.feed_id: ()}


async def test_only_fetched_entries_can_be_distilled(store: Store) -> None:
    async with store.transaction() as tx:
        fetched, new = await add_entry(tx, "1"), await add_entry(tx, "2")
        for entry in (fetched, new):
            await tx.contents.save(entry.id, CONTENT)
        await tx.entries.move(fetched.id, before=Stage.NEW, after=Stage.FETCHED)

        contents = await tx.contents.to_distill([fetched.id, new.id, 999_999])

        assert contents == [
            ContentToDistill(
                entry_id=fetched.id,
                feed_id=fetched.feed_id,
                title="Mills",
                text="Mills grind.",
                content_hash=hash_text("Mills grind."),
            )
        ]


async def test_a_second_content_takes_the_place_of_the_first(store: Store) -> None:
    async with store.transaction() as tx:
        entry = await add_entry(tx)
        await tx.contents.save(entry.id, CONTENT)
        await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED)

        await tx.contents.save(entry.id, CONTENT.model_copy(update={"text": "They stop."}))

        (content,) = await tx.contents.to_distill([entry.id])
        assert (content.text, content.content_hash) == ("They stop.", hash_text("They stop."))


async def test_a_distillate_is_found_by_text_and_recipe(store: Store) -> None:
    async with store.transaction() as tx:
        entry = await add_entry(tx)
        await tx.contents.save(entry.id, CONTENT)
        await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED)
        (content,) = await tx.contents.to_distill([entry.id])
        for key, hash_ in (("its", content.content_hash), ("another's", "0000")):
            draft = insert(drafts).values(key=key, content_hash=hash_, completion={})
            await tx.connection.execute(draft)
        brief = RECIPE.model_copy(update={"id": "brief"})

        for _ in range(2):
            await tx.distillates.save(
                content, [Result(RECIPE, DISTILLATE), Result(brief, DISTILLATE, reused=True)]
            )

        for recipe in (RECIPE, brief):
            made = await tx.distillates.made_before(content.content_hash, recipe.id)
            assert made == DISTILLATE
        assert not await tx.drafts.any(content.content_hash), "paid for: it stands in the results"
        assert await tx.drafts.any("0000")
        assert await tx.distillates.made_before(content.content_hash, "r2") is None
        assert await tx.distillates.made_before("0000", RECIPE.id) is None
