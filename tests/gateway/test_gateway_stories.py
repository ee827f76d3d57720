"""A story that several feeds tell stands once in a list, and says where else it is."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from feedmill.models.reader import AlsoIn, EntryPage
from feedmill.store import Store
from feedmill.store.stories import Telling
from support.library import NOON, Library


async def page(api: ClientSession, **query: str | int) -> EntryPage:
    answer = await api.get("/api/v1/entries", params=query)
    assert answer.status == 200
    return EntryPage.model_validate(await answer.json())


async def told(store: Store, *entry_ids: int) -> None:
    async with store.transaction() as tx:
        await tx.stories.join([Telling(id_, "hash", (1,), entry_ids[0]) for id_ in entry_ids])


@pytest.fixture
async def story(library: Library, store: Store) -> tuple[list[int], list[int]]:
    """A story in three feeds, one of them somebody else's; the ids of feeds and entries."""
    feeds = [
        await library.feed(f"https://{name}.example/", name, followed=name != "Secret")
        for name in ("Gazette", "Herald", "Secret")
    ]
    entries = [
        await library.entry(feed, f"in feed {n}", published_at=NOON - timedelta(hours=n))
        for n, feed in enumerate(feeds)
    ]
    await told(store, *entries)
    return feeds, entries


Story = tuple[list[int], list[int]]


async def test_a_list_shows_a_story_once_and_where_else_it_is(
    api: ClientSession, library: Library, story: Story
) -> None:
    feeds, entries = story
    alone = await library.entry(feeds[0], "alone", published_at=NOON - timedelta(days=1))

    items = (await page(api)).items

    assert [item.id for item in items] == [entries[0], alone]
    assert items[0].also_in == (
        AlsoIn(
            entry_id=entries[1],
            feed_id=feeds[1],
            feed_title="Herald",
            url="https://news.example/night",
        ),
    )
    assert items[1].also_in == ()


async def test_who_asks_for_a_feed_or_for_all_gets_all(api: ClientSession, story: Story) -> None:
    feeds, entries = story

    assert [item.id for item in (await page(api, feedId=feeds[1])).items] == [entries[1]]
    assert [item.id for item in (await page(api, folded="false")).items] == entries[:2]
    assert [item.id for item in (await page(api, stage="new")).items] == entries[:2]
    assert (await page(api, feedId=feeds[1], folded="true")).items == ()


async def test_the_distilled_entry_stands_for_its_story(
    api: ClientSession, library: Library, story: Story
) -> None:
    _, entries = story
    await library.article(entries[1])
    await library.distillate(entries[1])

    assert [item.id for item in (await page(api)).items] == [entries[1]]


async def test_pages_of_a_folded_list_leave_nothing_out(
    api: ClientSession, library: Library, story: Story
) -> None:
    feeds, entries = story
    others = [
        await library.entry(feeds[1], f"o{n}", published_at=NOON - timedelta(minutes=n + 1))
        for n in range(3)
    ]

    shown: list[int] = []
    query: dict[str, str | int] = {"limit": 1}
    while True:
        got = await page(api, **query)
        shown += [item.id for item in got.items]
        if got.next is None:
            break
        query["before"] = got.next

    assert shown == [entries[0], *others]


async def test_pages_show_where_else_a_story_is(reader: ClientSession, story: Story) -> None:
    _, entries = story
    link = f'<a href="/entries/{entries[1]}">Herald</a>'

    for path in ("/", f"/entries/{entries[0]}"):
        shown = await (await reader.get(path)).text()
        assert link in shown
        assert "Secret" not in shown
    assert f'id="entry-{entries[1]}"' not in await (await reader.get("/")).text()


async def test_the_card_of_a_folded_entry_is_that_of_its_story(
    reader: ClientSession, library: Library, story: Story
) -> None:
    feeds, entries = story
    alone = await library.entry(feeds[0], "alone")

    async def card(path: str) -> str:
        return await (await reader.get(f"/fragments/entries/{path}")).text()

    assert f'id="entry-{entries[0]}"' in await card(str(entries[1]))
    assert f'id="entry-{entries[1]}"' in await card(f"{entries[1]}?feed={feeds[1]}")
    assert f'id="entry-{alone}"' in await card(str(alone))
    assert (await reader.get(f"/fragments/entries/{entries[2]}")).status == 404
