"""Pages are kept for a while, so that articles can be found in them anew."""

import os
from datetime import timedelta

import pytest
from backports import zstd
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import KeptPage, Stage
from feedmill.models.reextraction import PagesReextracted, ReextractPages
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill_fetch import pruning
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.keeping import MOST_KEPT_BYTES, unpacked
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.reextracting import Reextractor
from support.entries import add_pages, content_row, fetch, stored
from support.fetching import build_fetcher
from support.origin import Origin

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
PAGE = f"<html><body><article>{f'<p>{SENTENCE}</p>' * 9}</article></body></html>"


@pytest.fixture
def reextractor(store: Store, extractors: IsolatedPool) -> Reextractor:
    return Reextractor(store, Examiner(extractors))


async def reextract(reextractor: Reextractor, **which: object) -> PagesReextracted:
    request = ReextractPages.model_validate(which)
    return await ActivityEnvironment().run(reextractor.reextract_pages, request)


async def kept(store: Store, entry_id: int) -> KeptPage | None:
    async with store.transaction() as tx:
        return (await tx.pages.get([entry_id])).get(entry_id)


async def execute(store: Store, statement: str) -> None:
    async with store.transaction() as tx:
        await tx.connection.execute(text(statement))


async def distilled(store: Store, entry_id: int) -> None:
    async with store.transaction() as tx:
        await tx.entries.move(entry_id, before=Stage.FETCHED, after=Stage.DISTILLED)


async def test_a_page_is_kept_as_it_came_and_small(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.redirect("/old", "/a", status=301)
    origin.serve("/a", PAGE, headers={"X-Robots-Tag": "noai"})
    (entry_id,) = await add_pages(store, origin.url("/old"))

    await fetch(fetcher, entry_id)

    page = await kept(store, entry_id)
    assert page is not None
    assert unpacked(page) == PAGE.encode()
    assert len(page.body) < len(PAGE) / 4
    assert page.model_dump(exclude={"body"}) == {
        "entry_id": entry_id,
        "url": origin.url("/a"),
        "media_type": "text/html",
        "charset": "utf-8",
        "withheld": "X-Robots-Tag: noai",
        "moved_to": origin.url("/a"),
    }


async def test_a_page_in_which_nothing_was_found_is_kept_for_better_days(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", "<html><body><p>Too little.</p></body></html>")
    origin.fail("/b", 404)
    nothing, missing = await add_pages(store, origin.url("/a"), origin.url("/b"))

    await fetch(fetcher, nothing, missing)

    assert await kept(store, nothing) is not None
    assert await kept(store, missing) is None


async def test_who_keeps_no_pages_has_none(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    await fetch(build_fetcher(store, web_client, extractors, keeps_pages=False), entry_id)

    assert await kept(store, entry_id) is None
    assert await content_row(store, entry_id) is not None


async def test_a_page_too_large_to_keep_is_read_all_the_same(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    noise = os.urandom(MOST_KEPT_BYTES).hex()
    origin.serve("/a", PAGE.replace("<body>", f"<body><script>var a='{noise}'</script>"))
    (entry_id,) = await add_pages(store, origin.url("/a"))

    await fetch(fetcher, entry_id)

    assert await kept(store, entry_id) is None
    assert (await content_row(store, entry_id)).text.startswith(SENTENCE.strip())


async def test_what_reads_otherwise_now_is_distilled_again_and_nobody_is_asked(
    fetcher: Fetcher, reextractor: Reextractor, store: Store, origin: Origin
) -> None:
    for path in ("/a", "/b"):
        origin.serve(path, PAGE, etag='"1"')
    same, other = await add_pages(store, origin.url("/a"), origin.url("/b"))
    await fetch(fetcher, same, other)
    await distilled(store, same)
    await distilled(store, other)
    # As an earlier extractor might have read it.
    await execute(
        store,
        f"update contents set text = 'Half of it.', hash = 'x', extractor = 'arbiter/0' "
        f"where entry_id = {other}",
    )
    requests = list(origin.paths)

    reextracted = await reextract(reextractor)

    assert reextracted == PagesReextracted(kept=2, examined=2, changed=1, to_distill=(other,))
    assert await stored(store, same) == (Stage.DISTILLED, None, "")
    assert await stored(store, other) == (Stage.FETCHED, None, "")
    content = await content_row(store, other)
    assert content.text.startswith(SENTENCE.strip())
    assert (content.etag, content.validators_url) == ('"1"', origin.url("/b"))
    assert origin.paths == requests
    # A second attempt has nothing to change, and still says what waits for its distillate.
    assert await reextract(reextractor) == PagesReextracted(
        kept=2, examined=2, changed=0, to_distill=(other,)
    )


async def test_a_dead_end_is_left_once_better_extraction_finds_the_article(
    fetcher: Fetcher, reextractor: Reextractor, store: Store, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    await execute(store, "delete from contents")
    await execute(store, "update entries set stage = 'unavailable', reason = 'no_article'")

    reextracted = await reextract(reextractor)

    assert reextracted.to_distill == (entry_id,)
    assert await stored(store, entry_id) == (Stage.FETCHED, None, "")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no zstd at all", id="damaged"),
        pytest.param(zstd.compress(b"<p>Nothing.</p>"), id="nothing found"),
        pytest.param(b"", id="empty"),
    ],
)
async def test_what_was_found_stands_where_nothing_is_found_any_more(
    fetcher: Fetcher, reextractor: Reextractor, store: Store, origin: Origin, body: bytes
) -> None:
    origin.serve("/a", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    page = await kept(store, entry_id)
    assert page is not None
    async with store.transaction() as tx:
        await tx.pages.keep(page.model_copy(update={"body": body}))

    reextracted = await reextract(reextractor)

    assert (reextracted.examined, reextracted.changed, reextracted.failed) == (1, 0, 1)
    assert (await content_row(store, entry_id)).text.startswith(SENTENCE.strip())


async def test_a_page_that_was_kept_no_more_never_takes_the_place_of_a_newer_article(
    fetcher: Fetcher,
    reextractor: Reextractor,
    store: Store,
    web_client: WebClient,
    extractors: IsolatedPool,
    origin: Origin,
) -> None:
    origin.serve("/a", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    origin.serve("/a", PAGE.replace("again", "backwards"))
    keeps_none = build_fetcher(store, web_client, extractors, keeps_pages=False)
    async with store.transaction() as tx:
        since = await tx.now()
    await fetch(keeps_none, entry_id, again_since=since)

    assert (await reextract(reextractor)).changed == 0
    assert "backwards" in (await content_row(store, entry_id)).text


async def test_a_long_way_is_gone_in_slices_of_one_feed_or_of_what_came_lately(
    fetcher: Fetcher, reextractor: Reextractor, store: Store, origin: Origin
) -> None:
    urls = [origin.url(f"/{number}") for number in range(5)]
    for number in range(5):
        origin.serve(f"/{number}", PAGE)
    ids = await add_pages(store, *urls)
    await fetch(fetcher, *ids)
    await execute(store, f"update pages set kept_at = '2020-01-01' where entry_id = {ids[0]}")

    first = await reextract(reextractor, limit=2)
    second = await reextract(reextractor, limit=2, after=first.last)
    third = await reextract(reextractor, limit=2, after=second.last)
    lately = await reextract(reextractor, since="2025-01-01T00:00:00Z")
    other_feed = await reextract(reextractor, feed_id=10_000)

    assert [(each.kept, each.examined, each.last) for each in (first, second, third)] == [
        (5, 2, ids[1]),
        (3, 2, ids[3]),
        (1, 1, None),
    ]
    assert (lately.kept, lately.examined) == (4, 4)
    assert other_feed == PagesReextracted()


async def test_old_pages_are_forgotten_a_few_at_a_time(
    fetcher: Fetcher, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_AT_ONCE", 2)
    for number in range(4):
        origin.serve(f"/{number}", PAGE)
    ids = await add_pages(store, *(origin.url(f"/{number}") for number in range(4)))
    await fetch(fetcher, *ids)
    await execute(
        store, f"update pages set kept_at = now() - interval '15 days' where entry_id <> {ids[3]}"
    )
    pruner = PagePruner(store, timedelta(days=14))

    pruned = [await pruner.prune_if_due() for _ in range(3)]

    assert pruned == [2, 1, 0]
    assert [await kept(store, entry_id) is not None for entry_id in ids] == [False] * 3 + [True]
    assert await content_row(store, ids[0]) is not None


async def test_a_slice_forgets_what_is_too_old_beside_its_own_work(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    origin.serve("/b", PAGE)
    old, new = await add_pages(store, origin.url("/a"), origin.url("/b"))
    await fetch(fetcher, old)
    await execute(store, "update pages set kept_at = '2020-01-01'")
    # It looks only now and then.
    fetcher._pruner._next = 0

    await fetch(fetcher, new)

    assert await kept(store, old) is None
    assert await kept(store, new) is not None
