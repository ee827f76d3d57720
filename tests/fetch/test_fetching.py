import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    EntryDeferred,
    EntryGone,
    FetchEntries,
    Stage,
)
from feedmill.models.events import EventKind
from feedmill.models.feeds import SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill_fetch.fetching import Fetcher
from support.corpus import serve_corpus
from support.entries import add_entries, add_pages, articles, fetch, stored, told
from support.fetching import build_fetcher
from support.origin import Origin

PAGE = "<article>" + "<p>Enough words, in sentences, to be an article of some kind.</p>" * 9
TEASER = "A sentence of the feed itself, which has several of them. " * 5


async def test_articles_are_fetched_and_kept(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    feed = serve_corpus(origin)[1]
    ids = await add_pages(store, *(origin.url(entry.path) for entry in feed.entries))

    outcomes = await fetch(fetcher, *ids)

    assert outcomes == [ContentFetched(entry_id=entry_id) for entry_id in ids]
    texts = await articles(store)
    assert [entry.first_words in texts[i] for i, entry in zip(ids, feed.entries, strict=True)] == (
        [True] * 5
    )
    assert [await stored(store, i) for i in ids] == [(Stage.FETCHED, None, "")] * 5
    assert sorted(await told(store)) == [
        (EventKind.ENTRY_FETCHED, entry_id, "", "test-run") for entry_id in ids
    ]
    assert sorted(origin.paths) == sorted(entry.path for entry in feed.entries)


async def test_a_second_attempt_asks_nothing_and_says_the_same(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/good", PAGE)
    ids = await add_pages(store, origin.url("/good"), origin.url("/missing"), None)
    first = await fetch(fetcher, *ids)
    before = origin.paths, await told(store), await articles(store)

    second = await fetch(fetcher, *ids)

    assert second == first
    assert (origin.paths, await told(store), await articles(store)) == before


async def test_what_is_further_on_already_was_fetched(fetcher: Fetcher, store: Store) -> None:
    ids = await add_pages(store, "https://a.example/", "https://b.example/")
    async with store.transaction() as tx:
        for entry_id, stage in zip(ids, (Stage.DISTILLED, Stage.UNDISTILLABLE), strict=True):
            await tx.entries.move(entry_id, before=Stage.NEW, after=stage)

    assert await fetch(fetcher, *ids) == [ContentFetched(entry_id=entry_id) for entry_id in ids]


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        (lambda o: o.fail("/a", 404), Reason.PAGE_MISSING, "404"),
        (lambda o: o.fail("/a", 403), Reason.PAGE_BLOCKED, "403"),
        (lambda o: o.fail("/a", 451), Reason.HTTP_STATUS, "451"),
        (lambda o: o.redirect("/a", "/a"), Reason.TOO_MANY_REDIRECTS, "redirects in a loop"),
        (
            lambda o: o.serve("/a", b"\x89PNG", content_type="image/png"),
            Reason.PICTURE,
            "image/png",
        ),
        (lambda o: o.serve("/a", "<p>Hi.</p>"), Reason.NO_ARTICLE, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_dead_end_has_a_name(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    script: Callable[[Origin], None],
    reason: Reason,
    detail: str,
) -> None:
    script(origin)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    outcomes = await fetch(fetcher, entry_id)

    assert outcomes == [ContentUnavailable(entry_id=entry_id, reason=reason, detail=detail)]
    assert await stored(store, entry_id) == (Stage.UNAVAILABLE, reason, detail)
    assert await told(store) == [(EventKind.ENTRY_UNAVAILABLE, entry_id, reason, "test-run")]
    assert await articles(store) == {}


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
async def test_a_page_with_a_poor_label_is_a_page(
    fetcher: Fetcher, store: Store, origin: Origin, content_type: str | None
) -> None:
    origin.serve("/a", f"<html>{PAGE}", content_type=content_type)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_for_time_gets_it(
    fetcher: Fetcher, store: Store, origin: Origin, status: int
) -> None:
    origin.fail("/a", status, retry_after="600")
    origin.serve("/b", PAGE)
    first, second = await add_pages(store, origin.url("/a"), origin.url("/b"))

    (deferred,) = await fetch(fetcher, first)
    later = await fetch(fetcher, second, first)

    assert isinstance(deferred, EntryDeferred)
    async with store.transaction() as tx:
        wait = deferred.until - await tx.now()
    assert timedelta(seconds=595) < wait <= timedelta(seconds=600)
    assert later == [EntryDeferred(entry_id=second, until=deferred.until), deferred]
    assert origin.paths == ["/a"]
    assert await stored(store, first) == (Stage.NEW, Reason.RATE_LIMITED, str(status))
    assert await told(store) == []


async def test_one_host_is_asked_in_turn_and_the_rest_comes_later(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    spacing = timedelta(seconds=3)
    fetcher = build_fetcher(store, web_client, extractors, spacing=spacing)
    for number in range(4):
        origin.serve(f"/{number}", PAGE)
    ids = await add_pages(store, *(origin.url(f"/{number}") for number in range(4)))

    began = time.monotonic()
    outcomes = await fetch(fetcher, *ids)

    assert sorted(outcome.outcome for outcome in outcomes) == ["deferred"] * 2 + ["fetched"] * 2
    assert origin.requests[1].at - began > 2.9


async def test_an_entry_without_link_is_as_good_as_its_own_text(
    fetcher: Fetcher, store: Store
) -> None:
    (rich,) = await add_pages(store, None, teaser=TEASER)
    (poor,) = await add_entries(store, SnapshotEntry(guid="poor", teaser="Three words only."))

    assert await fetch(fetcher, rich, poor) == [
        ContentFetched(entry_id=rich),
        ContentUnavailable(entry_id=poor, reason=Reason.NO_URL),
    ]
    assert await articles(store) == {rich: TEASER}


async def test_a_page_without_article_falls_back_on_the_feed(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", "<p>Please enable JavaScript.</p>")
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=TEASER)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert await articles(store) == {entry_id: TEASER}


async def test_an_entry_removed_meanwhile_is_gone(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        async with store.transaction() as tx:
            await tx.connection.execute(text("delete from entries"))
        return web.Response(text=PAGE, content_type="text/html")

    origin.script("/a", answer)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id, 404) == [
        EntryGone(entry_id=entry_id),
        EntryGone(entry_id=404),
    ]
    assert await told(store) == []


async def test_of_two_fetches_at_once_one_stands(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    both_here = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        number = len(origin.requests)
        if number == 2:
            both_here.set()
        await both_here.wait()
        return web.Response(text=PAGE if number == 1 else "", content_type="text/html")

    origin.script("/a", answer)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    (first,), (second,) = await asyncio.gather(fetch(fetcher, entry_id), fetch(fetcher, entry_id))

    assert first == second
    assert len(await told(store)) == 1
    assert isinstance(first, ContentFetched) == bool(await articles(store))


async def test_an_article_is_stored_whole_or_not_at_all(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table events add constraint full_up check (false)"))

    with pytest.raises(DBAPIError):
        await fetch(fetcher, entry_id)
    torn = await stored(store, entry_id), await articles(store)
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table events drop constraint full_up"))

    assert torn == ((Stage.NEW, None, ""), {})
    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]


async def test_a_slice_beats_while_a_page_is_slow(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    ids = await add_pages(store, origin.url("/a"))
    beats: list[datetime] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beats.append(datetime.now().astimezone())

    await environment.run(fetcher.fetch_entries, FetchEntries(entry_ids=tuple(ids)))

    assert beats
