"""C36: robots.txt governs pages, not feeds; who withholds a text from models is obeyed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.distillates import Distiller, EntryDistilled
from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    EntryDeferred,
    FetchEntries,
    FetchOutcome,
    Stage,
)
from feedmill.models.feeds import FeedPolled, PollFeeds, SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.models.reader import EntryDetail
from feedmill.store import Store
from feedmill.web import robots as shell
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.extractive import ExtractiveDistiller
from feedmill_distillation.model import open_model
from feedmill_fetch.fetching import Fetcher
from feedmill_ingestion.polling import Poller
from support.articles import ENGLISH
from support.clock import Clock
from support.distilling import distill
from support.model_server import ModelServer, open_model_server
from support.origin import Origin, open_origin

ROBOTS = "/robots.txt"
FORBID_ALL = "User-agent: *\nDisallow: /"
ARTICLE = "".join(f"<p>{line}</p>" for line in ENGLISH.splitlines())
PAGE = "<html><head>{head}</head><body><article>{article}</article></body></html>"
RSS = '<rss version="2.0"><channel><title>T</title><item><guid>1</guid></item></channel></rss>'
TEASER = "A sentence of the feed itself, which has several of them. " * 5


def page(head: str = "") -> str:
    return PAGE.format(head=head, article=ARTICLE)


async def add(store: Store, url: str, teaser: str = "") -> int:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add("https://feed.example/")
        owner = await tx.users.let_in("owner", "a token of the owner's own")
        await tx.feeds.subscribe(owner, feed_id)
        shown = [SnapshotEntry(guid=url, url=url, title="T", teaser=teaser)]
        return (await tx.entries.add_new({feed_id: shown}))[feed_id][0]


async def fetch(fetcher: Fetcher, *entry_ids: int) -> list[FetchOutcome]:
    request = FetchEntries(entry_ids=entry_ids)
    return list((await ActivityEnvironment().run(fetcher.fetch_entries, request)).outcomes)


async def read(store: Store, entry_id: int) -> EntryDetail:
    async with store.transaction() as tx:
        owner = await tx.users.let_in("owner", "a token of the owner's own")
        return await tx.reader.entry(owner, entry_id)


async def test_c36_a_page_that_robots_txt_forbids_is_not_asked_for_and_said_so(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve(ROBOTS, FORBID_ALL)
    entry_id = await add(store, origin.url("/page"), teaser="What the feed says.")

    outcomes = await fetch(fetcher, entry_id)

    assert outcomes == [
        ContentUnavailable(
            entry_id=entry_id, reason=Reason.ROBOTS_DISALLOWED, detail=origin.url(ROBOTS)
        )
    ]
    assert origin.paths == [ROBOTS]
    shown = await read(store, entry_id)
    assert (shown.stage, shown.teaser) == (Stage.UNAVAILABLE, "What the feed says.")
    assert shown.advice is not None


async def test_c36_where_pages_are_forbidden_the_feeds_own_text_is_the_article(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve(ROBOTS, FORBID_ALL)
    entry_id = await add(store, origin.url("/page"), teaser=TEASER)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert (await read(store, entry_id)).text == TEASER
    assert origin.paths == [ROBOTS]


async def test_c36_where_pages_are_forbidden_to_models_too_so_is_the_feeds_text(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve(ROBOTS, f"{FORBID_ALL}\nContent-Signal: ai-input=no")
    entry_id = await add(store, origin.url("/page"), teaser=TEASER)

    await fetch(fetcher, entry_id)

    assert (await read(store, entry_id)).withheld == "robots.txt Content-Signal: ai-input=no"


async def test_c36_a_redirect_is_subject_to_the_rules_of_where_it_leads(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    async with open_origin() as other:
        other.serve(ROBOTS, FORBID_ALL)
        origin.redirect("/page", other.url("/page"))
        entry_id = await add(store, origin.url("/page"))

        [outcome] = await fetch(fetcher, entry_id)

    assert isinstance(outcome, ContentUnavailable)
    assert (outcome.reason, outcome.detail) == (Reason.ROBOTS_DISALLOWED, other.url(ROBOTS))
    assert (origin.paths, other.paths) == ([ROBOTS, "/page"], [ROBOTS])


async def test_c36_a_feed_that_somebody_follows_is_not_subject_to_robots_txt(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve(ROBOTS, FORBID_ALL)
    origin.serve("/feed.xml", RSS, content_type="application/rss+xml")
    async with store.transaction() as tx:
        feed_id, now = await tx.feeds.add(origin.url("/feed.xml")), await tx.now()

    request = PollFeeds(feed_ids=(feed_id,), asked_at=now)
    polled = await ActivityEnvironment().run(poller.poll_feeds, request)

    assert isinstance(polled.outcomes[0], FeedPolled)
    assert origin.paths == ["/feed.xml"]


async def test_c36_robots_txt_is_asked_for_once_a_day(
    fetcher: Fetcher, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_REMEMBERED_SECONDS", 0)
    clock = await Clock(store).start()
    origin.serve("/page", page())
    pages = [await add(store, f"{origin.url('/page')}#{number}") for number in range(3)]

    await fetch(fetcher, pages[0], pages[1])
    await clock.advance(timedelta(hours=25))
    await fetch(fetcher, pages[2])

    assert len(origin.asked(ROBOTS)) == 2
    assert len(origin.asked("/page")) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_c36_a_client_error_allows_everything(
    fetcher: Fetcher, store: Store, origin: Origin, status: int
) -> None:
    origin.fail(ROBOTS, status)
    origin.serve("/page", page())
    entry_id = await add(store, origin.url("/page"))

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_c36_a_server_error_forbids_everything(
    fetcher: Fetcher, store: Store, origin: Origin, status: int
) -> None:
    origin.fail(ROBOTS, status)
    origin.serve("/page", page())
    entry_id = await add(store, origin.url("/page"))

    [outcome] = await fetch(fetcher, entry_id)

    # Until its robots.txt can be had: the page is asked for later.
    assert isinstance(outcome, EntryDeferred)
    assert (outcome.reason, outcome.detail) == (Reason.SITE_BROKEN, f"robots.txt: {status}")
    assert origin.asked("/page") == []


async def test_c36_a_host_that_wants_time_for_its_robots_txt_gets_it(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail(ROBOTS, 429, retry_after="600")
    entry_id = await add(store, origin.url("/page"))

    [outcome] = await fetch(fetcher, entry_id)

    assert isinstance(outcome, EntryDeferred)
    assert origin.paths == [ROBOTS]


@asynccontextmanager
async def distillation(
    store: Store, parsers: IsolatedPool
) -> AsyncIterator[tuple[ModelServer, DistillationService]]:
    async with open_model_server() as server, open_model(server.url, "small", None) as model:
        local = ExtractiveDistiller(parsers)
        yield server, DistillationService(store, model, local=local, concurrency=2)


@pytest.mark.parametrize(
    ("headers", "head", "robots", "sign"),
    [
        pytest.param({"X-Robots-Tag": "noai"}, "", "", "X-Robots-Tag: noai", id="tag"),
        pytest.param(
            {"X-Robots-Tag": "max-snippet: 50, otherbot: noindex, feedmill: noai"},
            "",
            "",
            "X-Robots-Tag: max-snippet: 50, otherbot: noindex, feedmill: noai",
            id="tag for us",
        ),
        pytest.param(
            {"Content-Signal": "search=yes, ai-input=no"},
            "",
            "",
            "Content-Signal: search=yes, ai-input=no",
            id="signal",
        ),
        pytest.param({"TDM-Reservation": "1"}, "", "", "TDM-Reservation: 1", id="reservation"),
        pytest.param(
            {},
            '<meta name="ROBOTS" content="noindex, NoAI">',
            "",
            '<meta name="robots" content="noindex, NoAI">',
            id="page's tag",
        ),
        pytest.param(
            {},
            "<meta name=feedmill content=noai>",
            "",
            '<meta name="feedmill" content="noai">',
            id="page's tag for us",
        ),
        pytest.param(
            {},
            '<meta name="tdm-reservation" content="1">',
            "",
            '<meta name="tdm-reservation" content="1">',
            id="page's reservation",
        ),
        pytest.param(
            {},
            "",
            "User-agent: *\nContent-Signal: ai-train=no, ai-input=no\nAllow: /",
            "robots.txt Content-Signal: ai-train=no, ai-input=no",
            id="robots.txt",
        ),
    ],
)
async def test_c36_what_is_withheld_is_shown_and_never_sent_to_a_model(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    parsers: IsolatedPool,
    headers: Mapping[str, str],
    head: str,
    robots: str,
    sign: str,
) -> None:
    origin.serve(ROBOTS, robots)
    origin.serve("/page", page(head), headers=headers)
    entry_id = await add(store, origin.url("/page"))

    fetched = await fetch(fetcher, entry_id)
    async with distillation(store, parsers) as (server, service):
        distilled = await distill(service, [entry_id])

    assert fetched == [ContentFetched(entry_id=entry_id)]
    assert distilled == [EntryDistilled(entry_id=entry_id)]
    assert server.requests == []
    shown = await read(store, entry_id)
    assert (shown.withheld, shown.distiller) == (sign, Distiller.EXTRACTIVE)
    assert shown.summary
    assert shown.text
    assert "tidal power station" in shown.text


@pytest.mark.parametrize(
    ("headers", "head", "robots"),
    [
        ({}, "", ""),
        ({"X-Robots-Tag": "noindex, nofollow"}, "", ""),
        ({"X-Robots-Tag": "otherbot: noai"}, "", ""),
        ({"Content-Signal": "ai-input=yes, ai-train=no"}, "", ""),
        ({"TDM-Reservation": "0"}, "", ""),
        ({}, '<meta name="robots" content="max-snippet:-1, index">', ""),
        ({}, '<meta name="otherbot" content="noai">', ""),
        ({}, "", "User-agent: *\nContent-Signal: ai-train=no\nAllow: /"),
    ],
)
async def test_c36_what_is_not_withheld_goes_to_the_model(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    parsers: IsolatedPool,
    headers: Mapping[str, str],
    head: str,
    robots: str,
) -> None:
    origin.serve(ROBOTS, robots)
    origin.serve("/page", page(head), headers=headers)
    entry_id = await add(store, origin.url("/page"))

    await fetch(fetcher, entry_id)
    async with distillation(store, parsers) as (server, service):
        await distill(service, [entry_id])

    assert len(server.requests) == 1
    shown = await read(store, entry_id)
    assert (shown.withheld, shown.distiller) == (None, Distiller.MODEL)


async def test_c36_what_a_model_wrote_of_the_same_text_elsewhere_is_not_taken_either(
    fetcher: Fetcher, store: Store, origin: Origin, parsers: IsolatedPool
) -> None:
    origin.serve("/open", page())
    origin.serve("/kept", page(), headers={"X-Robots-Tag": "noai"})
    ids = [await add(store, origin.url(path)) for path in ("/open", "/kept")]

    await fetch(fetcher, *ids)
    async with distillation(store, parsers) as (server, service):
        await distill(service, ids)

    assert len(server.requests) == 1
    distillers = [(await read(store, entry_id)).distiller for entry_id in ids]
    assert distillers == [Distiller.MODEL, Distiller.EXTRACTIVE]


async def test_c36_a_page_without_article_withholds_the_feeds_text_too(
    fetcher: Fetcher, store: Store, origin: Origin, parsers: IsolatedPool
) -> None:
    origin.serve("/page", '<meta name="robots" content="noai"><p>Please enable JavaScript.</p>')
    entry_id = await add(store, origin.url("/page"), teaser=TEASER)

    await fetch(fetcher, entry_id)
    async with distillation(store, parsers) as (server, service):
        await distill(service, [entry_id])

    assert server.requests == []
    shown = await read(store, entry_id)
    assert (shown.text, shown.distiller) == (TEASER, Distiller.EXTRACTIVE)
