"""What becomes of entries whose pages a browser looks at."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    ContentUnchanged,
    EntryDeferred,
    EntryGone,
    EntryNeedsBrowser,
    FetchEntries,
    FetchOutcome,
    Stage,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.web.answers import Refusal
from feedmill.web.client import WebClient
from feedmill.web.robots import Robots
from feedmill_fetch.asking import PageAsker
from feedmill_fetch.browser.browsing import BrowserFetcher
from feedmill_fetch.browser.chromium import open_chromium
from feedmill_fetch.browser.rendering import Browser, MayGo, Rendered
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.recording import Recorder
from feedmill_fetch.transcribing import Transcriber
from support.entries import add_pages, content_row, fetch, stored
from support.fetching import build_fetcher
from support.manners import governor_of
from support.origin import Origin
from support.web import web_settings

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
ARTICLE = f"<article>{f'<p>{SENTENCE}</p>' * 9}</article>"
SHELL = """<html><head><title>The Mill</title></head><body><noscript>You need to enable JavaScript
to run this app.</noscript><div id="root"></div><script src="/app.js"></script></body></html>"""
FILL = f"document.getElementById('root').innerHTML = {ARTICLE!r};"
OWN = SENTENCE * 6


class FakeBrowser:
    """Shows what it is told to, and remembers where it was sent."""

    def __init__(self) -> None:
        self.shows: Rendered | Refusal = Refusal(reason=Reason.TIMED_OUT)
        self.goes_on_to = ""
        self.visited: list[str] = []
        self.let_go: list[bool] = []
        self.visited_at: list[float] = []
        # How long the pages take; the last for good.
        self.seconds = [0.0]
        self._turn = asyncio.Lock()

    async def render(self, url: str, may_go: MayGo) -> Rendered | Refusal:
        async with self._turn:
            self.visited_at.append(asyncio.get_running_loop().time())
            await asyncio.sleep(self.seconds[0])
            self.seconds = self.seconds[1:] or self.seconds
            return await self._render(url, may_go)

    async def _render(self, url: str, may_go: MayGo) -> Rendered | Refusal:
        self.visited.append(url)
        if self.goes_on_to:
            self.let_go.append(await may_go(self.goes_on_to))
        return self.shows

    def show(self, body: str, *, status: int = 200, url: str = "http://a.example/") -> None:
        self.shows = Rendered(url=url, status=status, markup=f"<html><body>{body}</body></html>")


def build(
    store: Store,
    web: WebClient,
    extractors: IsolatedPool,
    browser: Browser,
    *,
    spacing: timedelta = timedelta(0),
    in_flight: int = 1,
) -> BrowserFetcher:
    governor = governor_of(store, spacing, in_flight=in_flight)
    robots = Robots(store, web, governor)
    examiner = Examiner(extractors)
    asker = PageAsker(store, web, governor, robots, examiner, keeps_pages=False)
    recorder = Recorder(store, Transcriber(web, governor, robots, examiner))
    return BrowserFetcher(store, browser, governor, robots, examiner, asker, recorder)


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser()


@pytest.fixture
def browsing(
    store: Store, web_client: WebClient, extractors: IsolatedPool, browser: FakeBrowser
) -> BrowserFetcher:
    return build(store, web_client, extractors, browser)


async def browse(
    fetcher: BrowserFetcher, *entry_ids: int, again: bool = False, store: Store | None = None
) -> list[FetchOutcome]:
    since = None
    if again and store is not None:
        async with store.transaction() as tx:
            since = await tx.now()
    request = FetchEntries(entry_ids=entry_ids, again_since=since)
    return list((await ActivityEnvironment().run(fetcher.browse_entries, request)).outcomes)


@pytest.mark.parametrize("teaser", ["", OWN])
async def test_a_shell_is_left_to_the_pool_with_a_browser_if_there_is_one(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin, teaser: str
) -> None:
    origin.serve("/a", SHELL)
    origin.serve("/b", f"<html><body>{ARTICLE}</body></html>")
    fetcher = build_fetcher(store, web_client, extractors, has_browser=True)
    shell, page = await add_pages(store, origin.url("/a"), origin.url("/b"), teaser=teaser)

    assert await fetch(fetcher, shell, page) == [
        EntryNeedsBrowser(entry_id=shell),
        ContentFetched(entry_id=page),
    ]
    assert await stored(store, shell) == (Stage.NEW, None, "")


async def test_what_a_browser_shows_is_extracted_and_kept(
    browsing: BrowserFetcher, browser: FakeBrowser, store: Store, origin: Origin
) -> None:
    browser.show(ARTICLE, url=origin.url("/shown"))
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await browse(browsing, entry_id, 404) == [
        ContentFetched(entry_id=entry_id),
        EntryGone(entry_id=404),
    ]
    content = await content_row(store, entry_id)
    assert content.text.startswith(SENTENCE.strip())
    assert (content.url, content.etag) == (origin.url("/shown"), None)
    assert await browse(browsing, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert browser.visited == [origin.url("/a")]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (SHELL, 200, Reason.NEEDS_BROWSER),
        ("<p>Little.</p>", 200, Reason.NO_ARTICLE),
        (ARTICLE, 404, Reason.PAGE_MISSING),
    ],
)
async def test_what_a_browser_does_not_show_either_is_a_dead_end(
    browsing: BrowserFetcher,
    browser: FakeBrowser,
    store: Store,
    origin: Origin,
    body: str,
    status: int,
    reason: Reason,
) -> None:
    browser.show(body, status=status)
    dead, saved = [
        (await add_pages(store, origin.url(path), teaser=teaser))[0]
        for path, teaser in (("/a", ""), ("/b", OWN))
    ]

    outcomes = await browse(browsing, dead, saved)

    assert [outcome.outcome for outcome in outcomes] == ["unavailable", "fetched"]
    assert (await stored(store, dead))[:2] == (Stage.UNAVAILABLE, reason)
    assert (await content_row(store, saved)).extractor == "feed"


async def test_a_browser_that_takes_too_long_is_a_page_to_be_tried_again(
    browsing: BrowserFetcher, browser: FakeBrowser, store: Store, origin: Origin
) -> None:
    (entry_id,) = await add_pages(store, origin.url("/a"))

    (outcome,) = await browse(browsing, entry_id)

    assert isinstance(outcome, EntryDeferred)
    assert outcome.reason == Reason.TIMED_OUT
    # Another attempt, as after a kill, asks nobody before that time, unless a person wants it.
    assert await browse(browsing, entry_id) == [outcome]
    assert browser.visited == [origin.url("/a")]
    await browse(browsing, entry_id, again=True, store=store)
    assert len(browser.visited) == 2


async def test_pages_that_wait_for_the_browser_wait_for_their_host_afterwards(
    store: Store,
    web_client: WebClient,
    extractors: IsolatedPool,
    browser: FakeBrowser,
    origin: Origin,
) -> None:
    browser.show(ARTICLE, url=origin.url("/a"))
    browser.seconds = [1.0, 0.0]
    spaced = build(
        store, web_client, extractors, browser, spacing=timedelta(seconds=0.4), in_flight=4
    )

    await browse(spaced, *await add_pages(store, *map(origin.url, ("/a", "/b", "/c"))))

    first, second, third = browser.visited_at
    assert second - first >= 1
    assert third - second > 0.35


async def test_a_browser_asks_only_where_robots_let_it_and_in_the_hosts_turn(
    store: Store,
    web_client: WebClient,
    extractors: IsolatedPool,
    browser: FakeBrowser,
    origin: Origin,
) -> None:
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "User-agent: *\nDisallow: /private\n")
    browser.show(ARTICLE, url=origin.url("/a"))
    slow = build(store, web_client, extractors, browser, spacing=timedelta(minutes=10))
    private, first, second = await add_pages(store, *map(origin.url, ("/private/1", "/a", "/b")))

    assert await browse(slow, private) == [
        ContentUnavailable(
            entry_id=private,
            reason=Reason.ROBOTS_DISALLOWED,
            detail=f"{origin.base}/robots.txt",
        )
    ]
    assert await browse(slow, first) == [ContentFetched(entry_id=first)]
    (outcome,) = await browse(slow, second)
    assert isinstance(outcome, EntryDeferred)
    assert browser.visited == [origin.url("/a")]


@pytest.mark.parametrize(("path", "may"), [("/open", True), ("/private/2", False)])
async def test_a_page_goes_on_only_to_where_we_would(
    browsing: BrowserFetcher,
    browser: FakeBrowser,
    store: Store,
    origin: Origin,
    path: str,
    may: bool,
) -> None:
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "User-agent: *\nDisallow: /private\n")
    browser.show(ARTICLE)
    browser.goes_on_to = origin.url(path)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    await browse(browsing, entry_id)

    assert browser.let_go == [may]


async def test_a_page_looked_at_again_in_a_browser_is_compared_by_its_text(
    browsing: BrowserFetcher, browser: FakeBrowser, store: Store, origin: Origin
) -> None:
    browser.show(ARTICLE)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await browse(browsing, entry_id)

    same = await browse(browsing, entry_id, again=True, store=store)
    browser.show(ARTICLE.replace("again", "backwards"))
    other = await browse(browsing, entry_id, again=True, store=store)

    assert [*same, *other] == [
        ContentUnchanged(entry_id=entry_id),
        ContentFetched(entry_id=entry_id),
    ]


async def test_a_page_that_fills_itself_in_goes_all_the_way_through_a_real_browser(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.serve("/a", SHELL)
    origin.serve("/app.js", FILL, content_type="text/javascript")
    plain: Fetcher = build_fetcher(store, web_client, extractors, has_browser=True)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    async with open_chromium("Feedmill/test", web_settings().allowed_networks) as chromium:
        first = await fetch(plain, entry_id)
        second = await browse(build(store, web_client, extractors, chromium), entry_id)

    assert [*first, *second] == [
        EntryNeedsBrowser(entry_id=entry_id),
        ContentFetched(entry_id=entry_id),
    ]
    assert (await content_row(store, entry_id)).text.count(SENTENCE.strip()) == 9
