"""Feeds that give whole articles: their pages are asked for until that has shown, and now and then."""

import pytest
from sqlalchemy import select, text

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import ContentFetched
from feedmill.models.feeds import SnapshotEntry
from feedmill.store import Store
from feedmill.store.tables import feeds
from feedmill.web.client import WebClient
from feedmill_fetch.fetching import Fetcher
from support.entries import add_entries, content_row, fetch
from support.fetching import build_fetcher
from support.origin import Origin


def paragraphs(number: int, count: int = 14) -> str:
    return "".join(
        f"<p>The miller of house {number} counted sack number {line} of his flour before the wheel "
        f"began to turn for the {line}th time again that morning.</p>"
        for line in range(count)
    )


def page(body: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><article>{body}</article></body></html>"


async def add(store: Store, origin: Origin, number: int, markup: str | None = None) -> int:
    """Add an entry of a feed that gives whole articles, whatever its page says."""
    shown = SnapshotEntry(
        guid=str(number),
        url=origin.url(f"/{number}"),
        title=f"House {number}",
        markup=markup or paragraphs(number),
    )
    (entry_id,) = await add_entries(store, shown)
    return entry_id


async def whole_texts(store: Store) -> int:
    async with store.transaction() as tx:
        return (await tx.connection.execute(select(feeds.c.whole_texts))).scalar_one()


async def evidence(store: Store, count: int) -> None:
    async with store.transaction() as tx:
        await tx.feeds.add("https://feed.example/")
        await tx.connection.execute(text(f"update feeds set whole_texts = {count}"))
        # No entry of these tests is the one of twenty that is looked at all the same.
        await tx.connection.execute(text("alter table entries alter id restart with 1001"))


async def test_once_two_pages_said_no_more_than_the_feed_the_next_is_not_asked_for(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 0)
    for number in range(3):
        origin.serve(f"/{number}", page(paragraphs(number)))
    seen = []

    for number in range(3):
        entry_id = await add(store, origin, number)
        assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
        seen.append((await whole_texts(store), len(origin.paths)))

    assert seen == [(1, 1), (2, 2), (2, 2)]
    content = await content_row(store, entry_id)
    assert (content.extractor, content.url) == ("feed/1", origin.url("/2"))
    assert content.html.count("<p>") == 14
    assert content.text.startswith("The miller of house 2 counted sack number 0")


async def test_a_page_that_says_more_is_asked_for_and_so_are_those_after_it(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 1)
    for number in range(2):
        origin.serve(f"/{number}", page(paragraphs(number, 40)))

    for number in range(2):
        await fetch(fetcher, await add(store, origin, number))

    assert await whole_texts(store) == -2
    assert len(origin.paths) == 2


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param(paragraphs(1) + "<p><a href='/1'>Read more</a></p>", id="leads on"),
        pytest.param(paragraphs(1, 3), id="short"),
        pytest.param(f"<div>{paragraphs(1)} and then he &hellip;</div>", id="cut"),
    ],
)
async def test_a_text_that_looks_like_a_part_is_one_whatever_its_feed_gave_before(
    fetcher: Fetcher, store: Store, origin: Origin, markup: str
) -> None:
    await evidence(store, 5)
    origin.serve("/1", page(paragraphs(1, 40)))

    entry_id = await add(store, origin, 1, markup)
    await fetch(fetcher, entry_id)

    assert origin.paths == ["/1"]
    assert (await content_row(store, entry_id)).text.count("\n") == 39


async def test_one_of_twenty_is_looked_at_so_that_a_feed_that_changes_is_noticed(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 5)
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table entries alter id restart with 2000"))
    origin.serve("/1", page(paragraphs(1, 40)))

    await fetch(fetcher, await add(store, origin, 1))

    assert origin.paths == ["/1"]
    assert await whole_texts(store) == -1


async def test_who_always_wants_the_page_gets_it(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    await evidence(store, 5)
    origin.serve("/1", page(paragraphs(1)))

    entry_id = await add(store, origin, 1)
    await fetch(build_fetcher(store, web_client, extractors, always_asks=True), entry_id)

    assert origin.paths == ["/1"]
    assert (await content_row(store, entry_id)).extractor.startswith("arbiter")


async def test_a_feed_whose_pages_carry_a_sign_is_not_taken_at_its_word(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 1)
    sign = '<meta name="robots" content="noai">'
    origin.serve("/1", page(paragraphs(1), sign))

    entry_id = await add(store, origin, 1)
    await fetch(fetcher, entry_id)

    assert await whole_texts(store) == -1
    assert (await content_row(store, entry_id)).withheld is not None


async def test_what_a_site_withholds_it_withholds_from_its_feeds_text_too(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 5)
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "User-agent: *\nContent-Signal: ai-input=no\nAllow: /\n")

    entry_id = await add(store, origin, 1)
    await fetch(fetcher, entry_id)

    assert origin.paths == []
    assert "ai-input=no" in (await content_row(store, entry_id)).withheld


async def test_hostile_markup_of_a_feed_is_harmless_when_it_is_shown(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 5)
    hostile = (
        "<script>steal()</script><p onmouseover='steal()'>Look <a href='javascript:steal()'>here</a>"
        "</p><iframe src='https://evil.example/'></iframe><img src=x onerror=steal()>"
    )

    entry_id = await add(store, origin, 1, hostile + paragraphs(1))
    await fetch(fetcher, entry_id)

    content = await content_row(store, entry_id)
    assert content.extractor == "feed/1"
    assert not any(
        word in content.html for word in ("steal", "<script", "<iframe", "javascript:", "onerror")
    )


async def test_markup_stands_in_for_a_page_that_cannot_be_had(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/1", 404)

    entry_id = await add(store, origin, 1)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert (await content_row(store, entry_id)).extractor == "feed/1"


async def test_more_of_the_same_evidence_is_not_written_down(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    await evidence(store, 5)
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table entries alter id restart with 2000"))
    origin.serve("/1", page(paragraphs(1)))

    await fetch(fetcher, await add(store, origin, 1))

    assert (origin.paths, await whole_texts(store)) == (["/1"], 5)
