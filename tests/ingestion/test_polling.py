import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.events import EventKind
from feedmill.models.feeds import (
    FeedDeferred,
    FeedFailed,
    FeedMissing,
    FeedPolled,
    PollFeeds,
    PollOutcome,
    Validators,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.store.tables import entries, events, feeds
from feedmill.web.client import WebClient
from feedmill_ingestion.asking import ACCEPT, Asker
from feedmill_ingestion.polling import Poller
from ingestion.conftest import PACE
from support import misbehaviour
from support.corpus import serve_corpus
from support.manners import governor_of
from support.origin import Origin
from support.sabotage import SabotagedPool

RSS = "application/rss+xml; charset=utf-8"
HOUR = timedelta(hours=1)


def rss(*guids: str) -> str:
    items = "".join(f"<item><guid>{guid}</guid><title>{guid}</title></item>" for guid in guids)
    return f'<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


async def add_feed(store: Store, url: str) -> int:
    async with store.transaction() as tx:
        return await tx.feeds.add(url)


async def now(store: Store) -> datetime:
    async with store.transaction() as tx:
        return await tx.now()


async def poll(poller: Poller, store: Store, *feed_ids: int) -> list[PollOutcome]:
    """Poll as a new run would: whatever was polled before is asked again."""
    request = PollFeeds(feed_ids=feed_ids, asked_at=await now(store))
    return list((await ActivityEnvironment().run(poller.poll_feeds, request)).outcomes)


async def rows(store: Store, table: object) -> list[dict[str, object]]:
    async with store.transaction() as tx:
        found = await tx.connection.execute(select(table).order_by(table.c.id))  # type: ignore[attr-defined, call-overload]  # any table
        return [dict(row._mapping) for row in found]


async def feed_row(store: Store, feed_id: int) -> dict[str, object]:
    return next(row for row in await rows(store, feeds) if row["id"] == feed_id)


async def unleased_row(store: Store, feed_id: int) -> dict[str, object]:
    """Return a feed's row without who polls it."""
    row = await feed_row(store, feed_id)
    return {name: value for name, value in row.items() if not name.startswith("lease")}


async def held(store: Store, feed_id: int) -> Validators:
    row = await feed_row(store, feed_id)
    return Validators.model_validate({**row, "url": row["validators_url"]})


async def told(store: Store) -> list[tuple[str, object, str]]:
    return [
        (str(row["kind"]), row["entry_id"], str(row["detail"])) for row in await rows(store, events)
    ]


async def waited(store: Store, feed_id: int) -> timedelta:
    row = await feed_row(store, feed_id)
    polled, following = row["last_polled_at"], row["next_poll_at"]
    assert isinstance(polled, datetime)
    assert isinstance(following, datetime)
    return following - polled


def is_about(wait: timedelta, expected: timedelta) -> bool:
    return abs(wait - expected) < timedelta(seconds=10)


def is_turn(wait: timedelta, interval: timedelta) -> bool:
    """Tell whether a feed's next turn comes after an interval, with the leeway turns have."""
    return interval <= wait <= interval + timedelta(minutes=66)


async def test_a_first_poll_stores_all_it_saw(poller: Poller, store: Store, origin: Origin) -> None:
    feed = serve_corpus(origin)[0]
    feed_id = await add_feed(store, origin.url(feed.path))

    (outcome,) = await poll(poller, store, feed_id)

    stored = await rows(store, entries)
    assert outcome == FeedPolled(
        feed_id=feed_id, waiting_entry_ids=tuple(row["id"] for row in stored)
    )
    assert [(row["title"], row["url"], row["teaser"], row["published_at"]) for row in stored] == [
        (entry.title, origin.url(entry.path), entry.summary, entry.published_at)
        for entry in feed.entries
    ]
    row = await feed_row(store, feed_id)
    assert (row["title"], row["site_url"]) == (feed.title, origin.url(feed.site_path))
    assert (row["failures"], row["last_reason"]) == (0, None)
    # It publishes less than monthly.
    assert is_turn(await waited(store, feed_id), 24 * HOUR)
    assert await told(store) == [
        (EventKind.FEED_POLLED, None, "5 new"),
        *((EventKind.ENTRY_ADDED, row["id"], "") for row in stored),
    ]
    (event, *_) = await rows(store, events)
    assert (event["workflow_id"], event["run_id"]) == ("test", "test-run")


async def test_the_first_request_is_one_unconditional_get(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", rss("a"), content_type=RSS)

    await poll(poller, store, await add_feed(store, origin.url("/feed")))

    (request,) = origin.requests
    assert (request.method, request.path) == ("GET", "/feed")
    assert request.headers["Accept"] == ACCEPT
    assert not {"If-None-Match", "If-Modified-Since", "Cookie", "Referer"} & set(request.headers)


async def test_the_next_poll_asks_what_has_changed(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", rss("a"), content_type=RSS, etag='W/"1"', last_modified="last week")
    feed_id = await add_feed(store, origin.url("/feed"))
    (first,) = await poll(poller, store, feed_id)

    (second,) = await poll(poller, store, feed_id)

    sent = origin.requests[1].headers
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == ('W/"1"', "last week")
    assert second == first
    assert (await told(store))[-1] == (EventKind.FEED_POLLED, None, "0 new")
    assert (await feed_row(store, feed_id))["title"] == "T"


@pytest.mark.parametrize(
    ("second", "stored"),
    [
        pytest.param(
            {"body": rss("a", "b"), "etag": '"2"', "last_modified": "B"},
            Validators(etag='"2"', last_modified="B"),
            id="both renewed",
        ),
        pytest.param({"body": rss("b"), "etag": '"2"'}, Validators(etag='"2"'), id="one dropped"),
        pytest.param({"body": rss("b")}, Validators(), id="both dropped"),
        pytest.param(
            {"body": rss("a"), "etag": '"2"', "last_modified": "A"},
            Validators(etag='"2"', last_modified="A"),
            id="renewed over the same body",
        ),
        pytest.param(
            {"status": 304, "etag": '"2"'},
            Validators(etag='"2"', last_modified="A"),
            id="one renewed by a 304",
        ),
        pytest.param(
            {"body": "<html>Please wait</html>", "etag": '"2"'},
            Validators(etag='"1"', last_modified="A"),
            id="of something that is no feed",
        ),
        pytest.param(
            {"body": rss("b")[:-10], "etag": '"2"'},
            Validators(etag='"1"', last_modified="A"),
            id="of half a feed",
        ),
        pytest.param(
            {"status": 500, "etag": '"2"'},
            Validators(etag='"1"', last_modified="A"),
            id="of an error",
        ),
    ],
)
async def test_which_validators_are_kept(
    poller: Poller, store: Store, origin: Origin, second: dict[str, str], stored: Validators
) -> None:
    origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"', last_modified="A")
    feed_id = await add_feed(store, origin.url("/feed"))
    await poll(poller, store, feed_id)
    origin.serve("/feed", **second)  # type: ignore[arg-type]  # a table of scripts

    await poll(poller, store, feed_id)

    url = origin.url("/feed") if stored.etag or stored.last_modified else None
    assert await held(store, feed_id) == stored.model_copy(update={"url": url})


async def test_validators_of_where_a_redirect_leads_are_asked_with_there_alone(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.redirect("/feed", "/moved")
    origin.serve("/moved", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await add_feed(store, origin.url("/feed"))

    (first,) = await poll(poller, store, feed_id)
    (second,) = await poll(poller, store, feed_id)

    assert isinstance(first, FeedPolled)
    assert second == first
    assert await held(store, feed_id) == Validators(etag='"1"', url=origin.url("/moved"))
    assert (await feed_row(store, feed_id))["url"] == origin.url("/feed")
    assert ["If-None-Match" in request.headers for request in origin.requests] == [
        False,
        False,
        False,
        True,
    ]


async def test_the_same_body_without_validators_is_no_news(
    poller: Poller, store: Store, origin: Origin
) -> None:
    def unchanged() -> float:
        labels = {"outcome": "unchanged"}
        return REGISTRY.get_sample_value("feedmill_feeds_polled_total", labels) or 0

    origin.serve("/feed", rss("a"), content_type=RSS)
    feed_id = await add_feed(store, origin.url("/feed"))
    (first,) = await poll(poller, store, feed_id)
    before = unchanged()

    (second,) = await poll(poller, store, feed_id)

    assert second == first
    assert unchanged() == before + 1


async def test_only_new_entries_are_added(poller: Poller, store: Store, origin: Origin) -> None:
    origin.serve("/feed", rss("b", "a"), content_type=RSS)
    feed_id = await add_feed(store, origin.url("/feed"))
    await poll(poller, store, feed_id)
    origin.serve("/feed", rss("d", "c", "b"), content_type=RSS)

    await poll(poller, store, feed_id)

    stored = await rows(store, entries)
    assert [row["guid"] for row in stored] == ["b", "a", "d", "c"]
    assert (await told(store))[3:] == [
        (EventKind.FEED_POLLED, None, "2 new"),
        (EventKind.ENTRY_ADDED, stored[2]["id"], ""),
        (EventKind.ENTRY_ADDED, stored[3]["id"], ""),
    ]


@pytest.mark.parametrize("answer", ["a feed", "no feed"])
async def test_a_retried_activity_is_one_poll(
    poller: Poller, store: Store, origin: Origin, answer: str
) -> None:
    origin.serve("/feed", rss("a") if answer == "a feed" else "nonsense")
    feed_id = await add_feed(store, origin.url("/feed"))
    request = PollFeeds(feed_ids=(feed_id,), asked_at=await now(store))
    first = await ActivityEnvironment().run(poller.poll_feeds, request)
    before = await told(store)

    second = await ActivityEnvironment().run(poller.poll_feeds, request)

    assert second == first
    assert len(origin.requests) == 1
    assert await told(store) == before


async def test_everything_of_a_poll_is_stored_or_nothing(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", rss("a", "b"), content_type=RSS, etag='"1"')
    feed_id = await add_feed(store, origin.url("/feed"))
    untouched = await unleased_row(store, feed_id)
    async with store.transaction() as tx:
        # Events are written last: whatever else was written must go with them.
        await tx.connection.execute(text("alter table events add constraint full_up check (false)"))

    with pytest.raises(DBAPIError):
        await poll(poller, store, feed_id)
    torn = await unleased_row(store, feed_id), await rows(store, entries), await told(store)
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table events drop constraint full_up"))
    await poll(poller, store, feed_id)

    assert torn == (untouched, [], [])
    assert [row["guid"] for row in await rows(store, entries)] == ["a", "b"]
    assert [detail for _, _, detail in await told(store)] == ["2 new", "", ""]


async def test_of_two_polls_at_once_one_stands(
    poller: Poller, store: Store, origin: Origin
) -> None:
    both_here = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        number = len(origin.requests)
        if number == 2:
            both_here.set()
        await both_here.wait()
        return web.Response(text=rss(f"entry {number}"), headers={"ETag": f'"{number}"'})

    origin.script("/feed", answer)
    feed_id = await add_feed(store, origin.url("/feed"))

    first, second = await asyncio.gather(poll(poller, store, feed_id), poll(poller, store, feed_id))

    (stored,) = await rows(store, entries)
    assert first == second == [FeedPolled(feed_id=feed_id, waiting_entry_ids=(stored["id"],))]
    assert f'"{str(stored["guid"])[-1]}"' == (await held(store, feed_id)).etag
    assert len(await told(store)) == 2


async def test_a_feed_removed_while_it_is_asked_is_missing(
    poller: Poller, store: Store, origin: Origin
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        async with store.transaction() as tx:
            await tx.connection.execute(text("delete from feeds"))
        return web.Response(text=rss("a"))

    origin.script("/feed", answer)
    feed_id = await add_feed(store, origin.url("/feed"))

    assert await poll(poller, store, feed_id, 404) == [
        FeedMissing(feed_id=feed_id),
        FeedMissing(feed_id=404),
    ]
    assert await told(store) == []


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        (lambda o: o.fail("/feed", 404), Reason.NOT_FOUND, "404"),
        (lambda o: o.fail("/feed", 410), Reason.GONE, "410"),
        (lambda o: o.fail("/feed", 403), Reason.HTTP_STATUS, "403"),
        (lambda o: o.fail("/feed", 500), Reason.HTTP_STATUS, "500"),
        (lambda o: o.fail("/feed", 304), Reason.HTTP_STATUS, "304"),
        (
            lambda o: o.serve("/feed", "<html>hi</html>"),
            Reason.NOT_A_FEED,
            "an HTML page that leads to no feed",
        ),
        (lambda o: o.redirect("/feed", "/feed"), Reason.TOO_MANY_REDIRECTS, "redirects in a loop"),
        (
            lambda o: o.cut("/feed", b"<rss>", promised_bytes=100),
            Reason.TRUNCATED,
            "cut short after 5 bytes",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_site_does_wrong_is_an_outcome(
    poller: Poller,
    store: Store,
    origin: Origin,
    script: Callable[[Origin], None],
    reason: Reason,
    detail: str,
) -> None:
    script(origin)
    feed_id = await add_feed(store, origin.url("/feed"))

    outcomes = await poll(poller, store, feed_id)

    assert outcomes == [FeedFailed(feed_id=feed_id, reason=reason, detail=detail)]
    assert await told(store) == [(EventKind.FEED_FAILED, None, reason)]
    row = await feed_row(store, feed_id)
    assert (row["failures"], row["last_reason"], row["last_detail"]) == (1, reason, detail)


async def test_a_forbidden_address_is_never_asked(poller: Poller, store: Store) -> None:
    feed_id = await add_feed(store, "http://169.254.169.254/latest/")

    (outcome,) = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedFailed)
    assert outcome.reason == Reason.ADDRESS_FORBIDDEN


async def test_failures_slow_down_and_one_success_forgives(
    poller: Poller, store: Store, origin: Origin
) -> None:
    feed_id = await add_feed(store, origin.url("/feed"))
    waits = []
    for _ in range(4):
        await poll(poller, store, feed_id)
        waits.append(await waited(store, feed_id))
    origin.serve("/feed", rss("a"), etag='"1"')

    await poll(poller, store, feed_id)

    assert all(map(is_turn, waits, [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR]))
    assert is_turn(await waited(store, feed_id), HOUR)


async def test_a_failing_feed_still_names_what_waits(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed", rss("a"))
    feed_id = await add_feed(store, origin.url("/feed"))
    await poll(poller, store, feed_id)
    origin.fail("/feed", 500)

    (outcome,) = await poll(poller, store, feed_id)

    (entry,) = await rows(store, entries)
    assert outcome == FeedFailed(
        feed_id=feed_id, reason=Reason.HTTP_STATUS, detail="500", waiting_entry_ids=(entry["id"],)
    )


@pytest.mark.parametrize(
    ("status", "retry_after", "wait"),
    [
        pytest.param(429, "7200", 2 * HOUR, id="429, asks for two hours"),
        pytest.param(503, "7200", 2 * HOUR, id="503"),
        pytest.param(403, "7200", 2 * HOUR, id="403 of a rate limiter"),
        pytest.param(429, None, timedelta(minutes=1), id="429 without saying"),
        pytest.param(503, "soon", timedelta(minutes=1), id="503, unintelligible"),
        pytest.param(429, "0", timedelta(minutes=1), id="429, contradicting itself"),
    ],
)
async def test_who_asks_for_fewer_requests_is_left_alone(
    poller: Poller,
    store: Store,
    origin: Origin,
    status: int,
    retry_after: str | None,
    wait: timedelta,
) -> None:
    origin.fail("/feed", status, retry_after=retry_after)
    origin.serve("/other", rss("a"))
    feed_id = await add_feed(store, origin.url("/feed"))
    other_id = await add_feed(store, origin.url("/other"))

    outcomes = await poll(poller, store, feed_id)
    (deferred,) = await poll(poller, store, other_id)

    assert outcomes == [FeedFailed(feed_id=feed_id, reason=Reason.RATE_LIMITED, detail=str(status))]
    assert is_about(await waited(store, feed_id), wait)
    assert isinstance(deferred, FeedDeferred)
    assert is_about(deferred.until - await now(store), wait)
    assert origin.paths == ["/feed"]
    assert len(await told(store)) == 1


async def test_fresh_for_a_day_means_no_poll_for_a_day(
    poller: Poller, store: Store, origin: Origin
) -> None:
    day = {"Cache-Control": "max-age=86400"}
    origin.serve("/feed", rss("a"), etag='"1"', headers=day)
    feed_id = await add_feed(store, origin.url("/feed"))

    await poll(poller, store, feed_id)
    after_200 = await waited(store, feed_id)
    await poll(poller, store, feed_id)
    after_304 = await waited(store, feed_id)

    assert is_turn(after_200, 24 * HOUR)
    assert is_turn(after_304, 24 * HOUR)


async def test_a_parser_that_hangs_or_dies_costs_one_outcome(
    store: Store, web_client: WebClient, parsers: IsolatedPool, origin: Origin
) -> None:
    bodies = {b"hang": misbehaviour.hang, b"die": misbehaviour.die}
    governor = governor_of(store)
    poller = Poller(
        store, governor, Asker(web_client, governor, SabotagedPool(parsers, bodies)), PACE
    )
    origin.serve("/good", rss("a"))
    origin.serve("/hang", b"hang")
    origin.serve("/die", b"die")
    ids = [await add_feed(store, origin.url(path)) for path in ("/hang", "/good", "/die")]

    hung, good, died = await poll(poller, store, *ids)

    assert hung == FeedFailed(
        feed_id=ids[0], reason=Reason.PARSER_FAILED, detail="took longer than 0.3 s"
    )
    assert isinstance(good, FeedPolled)
    assert died == FeedFailed(
        feed_id=ids[2], reason=Reason.PARSER_FAILED, detail="ended its process with code 139"
    )


async def test_a_slice_runs_at_once_and_beats(poller: Poller, store: Store, origin: Origin) -> None:
    all_here = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        if len(origin.requests) == 5:
            all_here.set()
        await all_here.wait()
        return web.Response(text=rss("a"))

    for number in range(5):
        origin.script(f"/{number}", answer)
    ids = [await add_feed(store, origin.url(f"/{number}")) for number in range(5)]
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)

    polled = await environment.run(
        poller.poll_feeds, PollFeeds(feed_ids=tuple(ids), asked_at=datetime.now(UTC))
    )

    assert [outcome.feed_id for outcome in polled.outcomes] == ids
    assert beats
