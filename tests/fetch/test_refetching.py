"""Looking at a page again whose article is there already."""

import asyncio
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    ContentUnchanged,
    EntryDeferred,
    EntryGone,
    Stage,
)
from feedmill.models.events import EventKind
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill_fetch.fetching import Fetcher
from support.entries import add_pages, content_row, entry_row, fetch, stored, told
from support.origin import Origin

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
OWN = SENTENCE * 6
MODIFIED = "Mon, 05 Jan 2026 06:00:00 GMT"


def page(what: str = "again") -> str:
    text = SENTENCE.replace("again", what)
    return f"<html><body><article>{f'<p>{text}</p>' * 9}</article></body></html>"


async def now(store: Store) -> datetime:
    async with store.transaction() as tx:
        return await tx.now()


async def distilled(store: Store, entry_id: int, *, as_: Stage = Stage.DISTILLED) -> None:
    async with store.transaction() as tx:
        assert await tx.entries.move(entry_id, before=Stage.FETCHED, after=as_)


async def fetched(fetcher: Fetcher, store: Store, url: str) -> int:
    """Return an entry that has been fetched and distilled."""
    (entry_id,) = await add_pages(store, url)
    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    await distilled(store, entry_id)
    return entry_id


async def test_a_page_that_says_it_is_unchanged_is_not_sent_again(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page(), etag='W/"1"', last_modified=MODIFIED)
    entry_id = await fetched(fetcher, store, origin.url("/a"))
    before = await content_row(store, entry_id)

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    assert outcomes == [ContentUnchanged(entry_id=entry_id)]
    assert await content_row(store, entry_id) == before
    assert await stored(store, entry_id) == (Stage.DISTILLED, None, "")
    asked = origin.asked("/a")[1].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('W/"1"', MODIFIED)


async def test_a_page_without_validators_is_compared_by_its_text(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))

    assert await fetch(fetcher, entry_id, again_since=await now(store)) == [
        ContentUnchanged(entry_id=entry_id)
    ]
    assert (await entry_row(store, entry_id)).stage == Stage.DISTILLED


@pytest.mark.parametrize("end", [Stage.DISTILLED, Stage.UNDISTILLABLE, Stage.FETCHED])
async def test_a_page_that_reads_otherwise_waits_for_a_new_distillate(
    fetcher: Fetcher, store: Store, origin: Origin, end: Stage
) -> None:
    origin.serve("/a", page(), etag='"1"')
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    await distilled(store, entry_id, as_=end)
    before = await content_row(store, entry_id)
    origin.serve("/a", page("backwards"), etag='"2"')

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    after = await content_row(store, entry_id)
    assert outcomes == [ContentFetched(entry_id=entry_id)]
    assert await stored(store, entry_id) == (Stage.FETCHED, None, "")
    assert "backwards" in after.text
    assert after.hash != before.hash
    assert (before.etag, after.etag, after.validators_url) == ('"1"', '"2"', origin.url("/a"))
    assert [kind for kind, *_ in await told(store)] == [EventKind.ENTRY_FETCHED] * 2


async def test_a_new_validator_beside_unchanged_is_the_next_ones(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page(), etag='"1"')
    entry_id = await fetched(fetcher, store, origin.url("/a"))

    async def unchanged(_: web.Request) -> web.StreamResponse:
        return web.Response(status=304, headers={"ETag": '"renewed"'})

    origin.script("/a", unchanged)
    await fetch(fetcher, entry_id, again_since=await now(store))

    assert (await content_row(store, entry_id)).etag == '"renewed"'


async def test_a_second_attempt_asks_nobody_again(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))
    since = await now(store)
    origin.serve("/a", page("backwards"))

    first = await fetch(fetcher, entry_id, again_since=since)
    second = await fetch(fetcher, entry_id, again_since=since)

    assert first == second == [ContentFetched(entry_id=entry_id)]
    assert len(origin.paths) == 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.PAGE_MISSING), (403, Reason.PAGE_BLOCKED), (500, Reason.SITE_BROKEN)],
)
async def test_what_a_page_was_outlives_the_page(
    fetcher: Fetcher, store: Store, origin: Origin, status: int, reason: Reason
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))
    before = await content_row(store, entry_id)
    # Nothing is told of a limit here: pages were shown long ago.
    async with store.transaction() as tx:
        await tx.connection.exec_driver_sql("update entries set asked_at = '2020-01-01'")
    origin.fail("/a", status)

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    assert outcomes == [ContentUnavailable(entry_id=entry_id, reason=reason, detail=str(status))]
    assert await content_row(store, entry_id) == before
    assert await stored(store, entry_id) == (Stage.DISTILLED, None, "")


async def test_a_feeds_own_text_never_replaces_the_article_of_a_page(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN)
    await fetch(fetcher, entry_id)
    origin.serve("/a", "<html><body><p>Please enable JavaScript.</p></body></html>")

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    assert outcomes == [ContentUnchanged(entry_id=entry_id)]
    assert (await content_row(store, entry_id)).extractor.startswith("arbiter")


async def test_an_article_takes_the_place_of_a_feeds_own_text(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/a", 404)
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN[:300])
    await fetch(fetcher, entry_id)
    assert (await content_row(store, entry_id)).extractor == "feed"
    origin.serve("/a", page("backwards"))

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    assert outcomes == [ContentFetched(entry_id=entry_id)]
    assert "backwards" in (await content_row(store, entry_id)).text


async def test_a_dead_end_is_left_once_there_is_an_article(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/a", 404)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    still = await fetch(fetcher, entry_id, again_since=await now(store))
    origin.serve("/a", page())

    outcomes = await fetch(fetcher, entry_id, again_since=await now(store))

    assert [each.outcome for each in (*still, *outcomes)] == ["unavailable", "fetched"]
    assert await stored(store, entry_id) == (Stage.FETCHED, None, "")


async def test_a_page_that_waits_for_its_next_try_is_asked_for_when_a_person_wants_it(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/a", 500)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    origin.serve("/a", page())

    assert await fetch(fetcher, entry_id, again_since=await now(store)) == [
        ContentFetched(entry_id=entry_id)
    ]


async def test_a_host_in_need_of_time_is_not_asked_again_either(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))
    async with store.transaction() as tx:
        await tx.connection.exec_driver_sql(
            "update hosts set next_free_at = now() + interval '1 hour'"
        )

    (outcome,) = await fetch(fetcher, entry_id, again_since=await now(store))

    assert isinstance(outcome, EntryDeferred)
    assert outcome.until > await now(store) + timedelta(minutes=50)


async def test_of_two_who_look_again_at_once_one_writes(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))
    both_here, since = asyncio.Event(), await now(store)

    async def answer(_: web.Request) -> web.StreamResponse:
        number = len(origin.requests)
        if number == 3:
            both_here.set()
        await both_here.wait()
        return web.Response(text=page(f"time {number}"), content_type="text/html")

    origin.script("/a", answer)

    outcomes = await asyncio.gather(
        fetch(fetcher, entry_id, again_since=since), fetch(fetcher, entry_id, again_since=since)
    )

    assert outcomes == [[ContentFetched(entry_id=entry_id)]] * 2
    assert len([kind for kind, *_ in await told(store)]) == 2


async def test_an_entry_removed_while_its_page_is_looked_at_is_gone(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", page())
    entry_id = await fetched(fetcher, store, origin.url("/a"))

    async def answer(_: web.Request) -> web.StreamResponse:
        async with store.transaction() as tx:
            await tx.connection.exec_driver_sql("delete from entries")
        return web.Response(text=page(), content_type="text/html")

    origin.script("/a", answer)

    assert await fetch(fetcher, entry_id, again_since=await now(store)) == [
        EntryGone(entry_id=entry_id)
    ]


@pytest.mark.parametrize(
    ("status", "said", "canonical"),
    [
        pytest.param(301, "", "/new", id="moved for good"),
        pytest.param(308, "", "/new", id="moved for good, again"),
        pytest.param(302, "", None, id="elsewhere for now"),
        pytest.param(307, "", None, id="elsewhere for now, again"),
        pytest.param(302, "/said", "/said", id="as the page says"),
        pytest.param(301, "/said", "/said", id="the page knows best"),
    ],
)
async def test_where_an_article_lives_is_kept_and_its_entry_stays_what_it_is(
    fetcher: Fetcher, store: Store, origin: Origin, status: int, said: str, canonical: str | None
) -> None:
    link = f'<link rel="canonical" href="{said}">' if said else ""
    origin.redirect("/old", "/new", status=status)
    origin.serve("/new", page().replace("<body>", f"<head>{link}</head><body>"))
    (entry_id,) = await add_pages(store, origin.url("/old"))

    await fetch(fetcher, entry_id)

    content, entry = await content_row(store, entry_id), await entry_row(store, entry_id)
    assert content.url == origin.url("/new")
    assert content.canonical_url == (canonical and origin.url(canonical))
    assert (entry.url, entry.guid) == (origin.url("/old"), f"0 {origin.url('/old')}")
