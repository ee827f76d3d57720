import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.feeds import (
    FeedFailed,
    FeedLink,
    FeedPolled,
    PollDueFeeds,
    PollFeeds,
    PollOutcome,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.store.users import OWNER
from feedmill.web.client import WebClient
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.discovery_looks import likely_paths
from feedmill_ingestion.polling import Poller
from ingestion.conftest import PACE
from support.clock import Clock
from support.manners import governor_of
from support.origin import Origin

RSS = (
    '<rss version="2.0"><channel><title>The feed</title><item><guid>1</guid></item></channel></rss>'
)
PAGE = "<!doctype html><head>{}</head><body>Hello</body>"
ATOM = '<link rel="alternate" type="application/atom+xml" href="{}" title="{}">'


async def follow(store: Store, url: str) -> int:
    async with store.transaction() as tx:
        user = await tx.users.let_in(OWNER, "a-long-enough-token")
        feed_id = await tx.feeds.add(url)
        await tx.feeds.subscribe(user, feed_id)
    return feed_id


async def poll(poller: Poller, store: Store, feed_id: int) -> PollOutcome:
    async with store.transaction() as tx:
        request = PollFeeds(feed_ids=(feed_id,), asked_at=await tx.now())
    return (await ActivityEnvironment().run(poller.poll_feeds, request)).outcomes[0]


async def url_of(store: Store, feed_id: int) -> str:
    async with store.transaction() as tx:
        return (await tx.feeds.get([feed_id]))[feed_id].url


async def test_an_address_that_is_a_feeds_costs_one_request(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", RSS)
    feed_id = await follow(store, origin.url("/feed"))

    outcome = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedPolled)
    assert outcome.found == ()
    assert origin.paths == ["/feed"]


async def test_a_page_leads_to_the_feed_that_it_names_first(
    poller: Poller, store: Store, origin: Origin
) -> None:
    links = ATOM.format("/comments", "Comments") + ATOM.format("/atom", "Posts")
    origin.serve("/", PAGE.format(links))
    origin.serve("/atom", RSS, etag='"1"')
    feed_id = await follow(store, origin.url("/"))

    outcome = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedPolled)
    assert outcome.feed_id == feed_id
    assert len(outcome.waiting_entry_ids) == 1
    assert [link.url for link in outcome.found] == [origin.url("/atom"), origin.url("/comments")]
    assert origin.paths == ["/", "/atom"]
    async with store.transaction() as tx:
        feed = (await tx.feeds.get([feed_id]))[feed_id]
        assert await tx.feeds.add(origin.url("/")) == feed_id
    assert (feed.url, feed.title) == (origin.url("/atom"), "The feed")
    assert feed.validators.url == origin.url("/atom")


async def test_what_a_page_names_wrongly_is_passed_over(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/", PAGE.format(ATOM.format("/gone", "") + ATOM.format("/feed", "")))
    origin.serve("/feed", RSS)

    outcome = await poll(poller, store, await follow(store, origin.url("/")))

    assert isinstance(outcome, FeedPolled)
    assert outcome.found[0].url == origin.url("/feed")
    assert origin.paths == ["/", "/gone", "/feed"]


async def test_a_page_that_names_no_feed_may_have_one_where_they_usually_are(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/", PAGE.format(""))
    usual = likely_paths(origin.url("/"))
    origin.serve(usual[2].removeprefix(origin.base), RSS)

    outcome = await poll(poller, store, await follow(store, origin.url("/")))

    assert isinstance(outcome, FeedPolled)
    assert outcome.found == (FeedLink(url=usual[2]),)
    assert [origin.url(path) for path in origin.paths] == [origin.url("/"), *usual[:3]]


@pytest.mark.parametrize("links", ["", ATOM.format("/feed", "This page")])
async def test_a_page_is_asked_for_once_even_where_feeds_usually_are(
    links: str, poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", PAGE.format(links))
    feed_id = await follow(store, origin.url("/feed"))

    await poll(poller, store, feed_id)

    assert origin.paths.count("/feed") == 1
    assert len(origin.paths) > 1


async def test_a_page_without_a_feed_is_searched_no_more_than_twice(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/", PAGE.format(""))
    feed_id = await follow(store, origin.url("/"))
    outcomes, requests = [], []
    for _ in range(3):
        outcomes.append(await poll(poller, store, feed_id))
        requests.append(len(origin.requests))

    assert {
        (outcome.reason, outcome.detail) for outcome in outcomes if isinstance(outcome, FeedFailed)
    } == {
        (Reason.NOT_A_FEED, "an HTML page that leads to no feed"),
        (Reason.NOT_A_FEED, "an HTML page"),
    }
    search = 1 + len(likely_paths(origin.url("/")))
    assert requests == [search, 2 * search, 2 * search + 1]
    assert await url_of(store, feed_id) == origin.url("/")


async def test_a_feed_that_shows_a_page_for_once_is_not_exchanged_for_another(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", RSS)
    feed_id = await follow(store, origin.url("/feed"))
    await poll(poller, store, feed_id)
    origin.serve("/feed", PAGE.format(ATOM.format("/other", "")))
    origin.serve("/other", RSS)

    outcome = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedFailed)
    assert await url_of(store, feed_id) == origin.url("/feed")


async def test_a_page_whose_feed_is_known_already_becomes_that_feed(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/", PAGE.format(ATOM.format("/feed", "")))
    origin.serve("/feed", RSS)
    async with store.transaction() as tx:
        known = await tx.feeds.add(origin.url("/feed"))
    await poll(poller, store, known)
    page = await follow(store, origin.url("/"))

    outcome = await poll(poller, store, page)

    assert isinstance(outcome, FeedPolled)
    assert outcome.feed_id == known
    assert len(outcome.waiting_entry_ids) == 1
    async with store.transaction() as tx:
        user = await tx.users.let_in(OWNER, "a-long-enough-token")
        assert (await tx.reader.feed(user, page)).id == known


async def test_a_page_on_a_common_host_is_not_asked_for(
    poller: Poller, store: Store, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    origin.serve("/rule", RSS)
    known = (FeedLink(url=origin.url("/rule")),)
    monkeypatch.setattr("feedmill_ingestion.finding.known_feeds", lambda _: known)

    outcome = await poll(poller, store, await follow(store, origin.url("/channel")))

    assert isinstance(outcome, FeedPolled)
    assert outcome.found == known
    assert origin.paths == ["/rule"]


async def test_a_page_in_a_list_is_exchanged_for_its_feed_too(
    poller: Poller, store: Store, origin: Origin
) -> None:
    clock = await Clock(store).start()
    origin.serve("/", PAGE.format(ATOM.format("/feed", "")))
    origin.serve("/feed", RSS)
    feed_id = await follow(store, origin.url("/"))

    polled = await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=5))

    assert (polled.polled, polled.failed, len(polled.new_entry_ids)) == (1, 0, 1)
    assert await url_of(store, feed_id) == origin.url("/feed")
    await clock.advance(timedelta(days=2))
    await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=5))
    assert origin.paths == ["/", "/feed", "/feed"]


async def test_links_to_forbidden_places_lead_nowhere(
    poller: Poller, store: Store, origin: Origin
) -> None:
    links = ATOM.format("http://169.254.169.254/feed", "") + ATOM.format("file:///etc/passwd", "")
    origin.serve("/", PAGE.format(links))

    outcome = await poll(poller, store, await follow(store, origin.url("/")))

    assert isinstance(outcome, FeedFailed)
    assert outcome.reason == Reason.NOT_A_FEED


async def test_nothing_is_asked_for_twice_in_one_search(
    poller: Poller, store: Store, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    known = (FeedLink(url=origin.url("/rule")),)
    monkeypatch.setattr("feedmill_ingestion.finding.known_feeds", lambda _: known)
    origin.serve("/channel", PAGE.format(ATOM.format("/rule", "")))
    # Some sites send whoever asks for nothing they have to their front page.
    for path in likely_paths(origin.url("/channel")):
        origin.redirect(path.removeprefix(origin.base), "/channel")

    outcome = await poll(poller, store, await follow(store, origin.url("/channel")))

    assert isinstance(outcome, FeedFailed)
    assert origin.paths[:2] == ["/rule", "/channel"]
    assert len(origin.paths) == len(set(origin.paths)) > 2


async def test_a_search_gets_the_one_place_that_there_is(
    store: Store, web_client: WebClient, parsers: IsolatedPool, origin: Origin
) -> None:
    governor = governor_of(store, in_flight=1)
    poller = Poller(store, governor, Asker(web_client, governor, parsers), PACE)
    origin.serve("/", PAGE.format(ATOM.format("/feed", "")))
    origin.serve("/feed", RSS)
    await follow(store, origin.url("/"))

    async with asyncio.timeout(20):
        polled = await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=1))

    assert (polled.failed, len(polled.new_entry_ids)) == (0, 1)
    assert origin.paths == ["/", "/feed"]


async def test_a_place_at_a_host_lets_nobody_ask_another(
    store: Store,
    web_client: WebClient,
    parsers: IsolatedPool,
    monkeypatch: pytest.MonkeyPatch,
    origin: Origin,
) -> None:
    known = (FeedLink(url=origin.url("/rule")),)
    monkeypatch.setattr("feedmill_ingestion.finding.known_feeds", lambda _: known)
    governor = governor_of(store, timedelta(hours=1), in_flight=1)
    poller = Poller(store, governor, Asker(web_client, governor, parsers), PACE)
    origin.serve("/rule", RSS)
    async with governor.slot(origin.url("/rule")) as until:
        assert until is None
    await follow(store, "http://page.example/channel")

    polled = await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=1))

    assert origin.paths == []
    assert polled.next_due_at is not None


async def test_a_feed_is_known_by_the_address_that_is_asked(
    poller: Poller, store: Store, origin: Origin
) -> None:
    spelt = origin.url("/feed").replace("http://127.0.0.1", "HTTP://127.1")
    origin.serve("/", PAGE.format(ATOM.format(spelt, "")))
    origin.serve("/feed", RSS)
    feed_id = await follow(store, origin.url("/"))

    await poll(poller, store, feed_id)

    assert await url_of(store, feed_id) == origin.url("/feed")
    assert await follow(store, origin.url("/feed")) == feed_id


async def test_a_page_whose_feeds_host_wants_time_is_not_sent_again_meanwhile(
    poller: Poller, store: Store, origin: Origin
) -> None:
    clock = await Clock(store).start()
    feed_url = origin.url("/feed").replace("127.0.0.1", "localhost")
    origin.serve("/", PAGE.format(ATOM.format(feed_url, "")), etag='"page"')
    origin.fail("/feed", 429, retry_after="60")
    feed_id = await follow(store, origin.url("/"))
    for hours in (0, 1, 22):
        await clock.advance(timedelta(hours=hours))
        await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=1))
    hindered = origin.paths
    origin.serve("/feed", RSS)
    await clock.advance(timedelta(hours=4))
    await ActivityEnvironment().run(poller.poll_due_feeds, PollDueFeeds(seconds=1))

    assert hindered == ["/", "/feed"]
    assert origin.paths == ["/", "/feed", "/", "/feed"]
    assert await url_of(store, feed_id) == feed_url


async def test_a_site_that_takes_its_time_over_every_guess_is_left_in_time(
    poller: Poller, store: Store, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    monkeypatch.setattr("feedmill_ingestion.finding._SEARCH_SECONDS", 0)
    origin.serve("/", PAGE.format(""))

    outcome = await poll(poller, store, await follow(store, origin.url("/")))

    assert isinstance(outcome, FeedFailed)
    assert origin.paths == ["/"]
