"""C11 to C20: when a feed and its host are asked, and when they are not."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from aiohttp import web

from feedmill.models.feeds import FeedDeferred, FeedFailed
from feedmill.models.hosts import HostLimit, HostState
from feedmill.models.outcomes import Reason
from feedmill.web.manners import after_refusal
from politeness.conftest import DAY, HOUR, MINUTE, RSS, SECOND, WEEK, Fleet, rss
from support.origin import open_origin
from support.web import get

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def test_c11_conditional_polls_are_an_hour_apart(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    await fleet.add()

    await fleet.live(2 * DAY)

    assert min(fleet.gaps()) >= HOUR
    assert len(fleet.gaps()) >= 40


async def test_c11_unconditional_polls_are_a_day_apart(fleet: Fleet) -> None:
    number = 0

    async def answer(_: web.Request) -> web.StreamResponse:
        nonlocal number
        number += 1
        return web.Response(text=rss(str(number)), content_type=RSS)

    fleet.origin.script("/feed", answer)
    await fleet.add()

    await fleet.live(WEEK)

    assert min(fleet.gaps()) >= DAY
    assert len(fleet.gaps()) >= 6


async def test_c12_never_sooner_not_after_a_restart_nor_for_a_second_subscriber(
    fleet: Fleet,
) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()
    await fleet.round()

    for minute in range(59):
        await fleet.clock.advance(MINUTE)
        if minute % 10 == 5:
            assert await fleet.add() == feed_id
        await fleet.round(activity=f"after restart {minute}")

    assert len(fleet.moments()) == 1


async def test_c12_a_retried_activity_is_one_poll(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    await fleet.add()
    await fleet.round()

    await fleet.round(attempt=2)
    await fleet.round(attempt=3)

    assert len(fleet.moments()) == 1


async def test_c12_a_person_who_keeps_refreshing_is_one_request_in_five_minutes(
    fleet: Fleet,
) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()

    for _ in range(20):
        await fleet.refresh(feed_id)
        await fleet.clock.advance(MINUTE)

    assert fleet.gaps() == [5 * MINUTE] * 3


async def test_c12_a_redirect_to_where_there_is_no_time_is_no_reason_to_ask_again_sooner(
    fleet: Fleet,
) -> None:
    async with fleet.store.transaction() as tx:
        state = await tx.hosts.lock("localhost")
        later = state.next_free_at + 10 * MINUTE
        await tx.hosts.keep(state.model_copy(update={"next_free_at": later}))
    fleet.origin.redirect("/old", fleet.origin.url("/feed").replace("127.0.0.1", "localhost"))
    fleet.origin.serve("/feed", rss("a"), content_type=RSS)
    feed_id = await fleet.add("/old")

    await fleet.live(HOUR / 2)
    hindered = await fleet.feed(feed_id)
    await fleet.live(3 * HOUR)

    assert hindered.last_reason is Reason.RATE_LIMITED
    assert fleet.gaps("/old")[0] >= HOUR
    assert (await fleet.feed(feed_id)).last_reason is None


@pytest.mark.parametrize("status", [200, 304])
@pytest.mark.parametrize(
    ("said", "floor"),
    [
        pytest.param("max-age=18000", 5 * HOUR, id="max-age"),
        pytest.param("max-age=31536000", 31 * DAY, id="absurd"),
    ],
)
async def test_c13_max_age_is_a_floor(
    fleet: Fleet, status: int, said: str, floor: timedelta
) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()
    if status == 304:
        await fleet.round()
        await fleet.clock.advance(3 * HOUR)
    fresh = {"Cache-Control": said}
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"', headers=fresh)
    await fleet.round()
    asked_at = fleet.moments()[-1]

    await fleet.live(floor + 2 * HOUR)

    later = [moment for moment in fleet.moments() if moment > asked_at]
    assert floor <= later[0] - asked_at <= floor + 2 * HOUR
    assert (await fleet.feed(feed_id)).failures == 0


async def test_c13_expires_is_a_floor(fleet: Fleet) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        now = await fleet.clock.now()
        expires = {
            "Date": format_datetime(now),
            "Expires": format_datetime(now + 7 * HOUR),
            "ETag": '"1"',
        }
        return web.Response(text=rss("a"), headers=expires)

    fleet.origin.script("/feed", answer)
    await fleet.add()

    await fleet.live(DAY)

    assert min(fleet.gaps()) >= 7 * HOUR


async def test_c13_max_age_of_a_429_is_a_floor(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", status=429, headers={"Cache-Control": "max-age=7200"})
    await fleet.add()
    await fleet.round()
    fleet.origin.serve("/feed", rss("a"), content_type=RSS)

    await fleet.live(4 * HOUR)

    assert 2 * HOUR <= fleet.gaps()[0] <= 3 * HOUR


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_c14_retry_after_is_a_floor_for_the_whole_host(
    fleet: Fleet, status: int, form: str
) -> None:
    until = await fleet.clock.now() + 3 * HOUR

    async def answer(_: web.Request) -> web.StreamResponse:
        # Dates are judged by the clock of the machine, like the date of the answer.
        date = datetime.now(until.tzinfo) + 3 * HOUR
        value = "10800" if form == "seconds" else format_datetime(date, usegmt=False)
        return web.Response(status=status, headers={"Retry-After": value})

    fleet.origin.script("/feed", answer)
    fleet.origin.serve("/other", rss("b"), content_type=RSS)
    feed_id = await fleet.add()
    await fleet.round()
    fleet.origin.serve("/feed", rss("a"), content_type=RSS)
    await fleet.add("/other")

    refreshed = await fleet.refresh(feed_id)
    await fleet.live(5 * HOUR)

    assert isinstance(refreshed, FeedFailed | FeedDeferred)
    assert 3 * HOUR - 2 * SECOND <= fleet.gaps()[0] <= 4 * HOUR
    assert fleet.moments("/other")[0] >= until - 2 * SECOND


async def test_c15_without_retry_after_the_host_is_backed_off_from(fleet: Fleet) -> None:
    fleet.origin.fail("/feed", 429)
    feed_id = await fleet.add()

    await fleet.live(2 * DAY)

    gaps = fleet.gaps()
    assert all(later >= earlier for earlier, later in pairwise(gaps[:6]))
    assert gaps[0] > MINUTE
    assert gaps[3] >= 8 * MINUTE
    assert len(gaps) < 20
    # The host's doing is no failure of the feed.
    assert ((await fleet.feed(feed_id)).last_reason, (await fleet.feed(feed_id)).failures) == (
        Reason.RATE_LIMITED,
        0,
    )


async def test_c15_backoffs_of_hosts_differ(fleet: Fleet) -> None:
    """Chance spreads those who come back: without it, every host's feeds return together."""
    now = await fleet.clock.now()
    state = HostState(host="a", next_free_at=now)
    holds = {
        after_refusal(state, now=now, asked=None, luck=luck / 10).held_until for luck in range(10)
    }

    assert len(holds) == 10


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "1800"}, {}], ids=["with Retry-After", "after it had worked"]
)
async def test_c15_a_403_from_a_rate_limiter_slows_the_host_down(
    fleet: Fleet, headers: dict[str, str]
) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    fleet.origin.serve("/other", rss("b"), content_type=RSS, etag='"1"')
    await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.serve("/feed", status=403, headers=headers)
    while len(fleet.moments()) < 3:
        await fleet.live(10 * MINUTE)
    forbidden_at = fleet.moments()[2]
    await fleet.add("/other")

    await fleet.live(3 * HOUR)

    held = timedelta(minutes=30) if headers else MINUTE
    assert fleet.moments("/other")[0] - forbidden_at >= held


async def one_a_minute(fleet: Fleet, *, says: bool) -> tuple[Handler, list[datetime]]:
    """Return a host that allows one request a minute, and when it refused."""
    allowed_at: list[datetime] = []
    refused_at: list[datetime] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        now = await fleet.clock.now()
        if allowed_at and now - allowed_at[-1] < MINUTE:
            refused_at.append(now)
            left = MINUTE - (now - allowed_at[-1])
            headers = {"Retry-After": str(int(left.total_seconds()) + 1)} if says else {}
            return web.Response(status=429, headers=headers)
        allowed_at.append(now)
        return web.Response(text=rss(request.path), content_type=RSS, headers={"ETag": '"1"'})

    return answer, refused_at


@pytest.mark.parametrize("says", [True, False], ids=["with Retry-After", "without"])
async def test_c16_a_host_that_allows_one_a_minute_is_learnt_at_once(
    fleet: Fleet, *, says: bool
) -> None:
    fleet.limit = HostLimit(host="", spacing=SECOND, in_flight=1)
    answer, refused_at = await one_a_minute(fleet, says=says)
    for number in range(20):
        fleet.origin.script(f"/{number}", answer)
        await fleet.add(f"/{number}")

    await fleet.live(25 * MINUTE)

    async with fleet.store.transaction() as tx:
        feeds = await tx.feeds.get(range(1, 21))
    assert all(feed.last_success_at is not None for feed in feeds.values())
    assert len(refused_at) == 1


async def test_c17_requests_of_all_kinds_share_one_host_also_over_a_restart(
    fleet: Fleet,
) -> None:
    fleet.limit = HostLimit(host="", spacing=0.3 * SECOND, in_flight=1)
    async with fleet.store.transaction() as tx:
        # Real time: spacing is what the site sees.
        await tx.connection.exec_driver_sql(
            "create or replace function feedmill_now() returns timestamptz "
            "language sql volatile parallel safe as 'select clock_timestamp()'"
        )
    under_way = most = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.05)
        under_way -= 1
        return web.Response(text=rss(request.path), content_type=RSS)

    for number in range(6):
        fleet.origin.script(f"/{number}", answer)
        await fleet.add(f"/{number}")

    async def fetch_page() -> None:
        """Ask the way page fetches, icons and robots.txt do, from another process."""
        async with fleet.governor().slot(fleet.origin.url("/page")) as until:
            if until is None:
                await get(fleet._web, fleet.origin.url("/page"))

    await asyncio.gather(
        fleet.round(activity="one"), fleet.round(activity="two"), fetch_page(), fetch_page()
    )
    await asyncio.gather(fleet.round(activity="after a restart"), fetch_page())

    starts = sorted(seen.at for seen in fleet.origin.requests)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    # How many get a turn within their patience depends on the machine.
    assert len(starts) >= 4
    assert most == 1
    # What reaches the site a hair early left in time.
    assert min(gaps) > 0.28


async def test_c17_one_hosts_backlog_of_500_never_delays_anothers_10(fleet: Fleet) -> None:
    fleet.limit = HostLimit(host="", spacing=SECOND, in_flight=1)
    async with open_origin() as quiet:
        quiet.clock = fleet.clock.now
        for number in range(500):
            fleet.origin.serve(f"/{number}", rss("a"), content_type=RSS, etag='"1"')
            await fleet.add(f"/{number}")
        async with fleet.store.transaction() as tx:
            for number in range(10):
                quiet.serve(f"/{number}", rss("a"), content_type=RSS, etag='"1"')
                await tx.feeds.add(quiet.url(f"/{number}"))

        await fleet.live(15 * SECOND)

        began = await fleet.clock.now() - 15 * SECOND
        served = sorted(seen.moment - began for seen in quiet.requests if seen.moment)
    assert len(served) == 10
    assert served[-1] <= 12 * SECOND


HINTS = {
    "ttl": ("<ttl>300</ttl>", 5 * HOUR),
    "sy": ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 6 * HOUR),
}  # fmt: skip


@pytest.mark.parametrize("hint", HINTS)
async def test_c18_a_feed_says_how_often_it_may_be_polled(fleet: Fleet, hint: str) -> None:
    channel, floor = HINTS[hint]
    body = rss("a", channel=channel).replace(
        "<rss", '<rss xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    )
    fleet.origin.serve("/feed", body, content_type=RSS, etag='"1"')
    await fleet.add()

    await fleet.live(2 * DAY)

    assert min(fleet.gaps()) >= floor
    assert len(fleet.gaps()) >= 6


async def test_c18_a_feed_says_when_it_sleeps(fleet: Fleet) -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(7))
    channel = f"<skipHours>{hours}</skipHours><skipDays><day>Monday</day></skipDays>"
    body = rss("a", channel=channel)
    fleet.origin.serve("/feed", body, content_type=RSS, etag='"1"')
    await fleet.add()

    await fleet.live(9 * DAY)

    later = fleet.moments()[1:]
    assert {moment.hour for moment in later} == set(range(7, 24))
    assert {moment.weekday() for moment in later} == {1, 2, 3, 4, 5, 6}


async def test_c19_a_dead_feed_slows_down_never_stops_and_recovers_by_one_success(
    fleet: Fleet,
) -> None:
    fleet.origin.fail("/feed", 500)
    feed_id = await fleet.add()

    await fleet.live(60 * DAY)
    slow = fleet.gaps()[-1]
    dead = await fleet.feed(feed_id)
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    await fleet.live(8 * DAY)

    assert 7 * DAY <= slow <= 8 * DAY
    assert (dead.last_reason, dead.failures > 10) == (Reason.HTTP_STATUS, True)
    recovered = await fleet.feed(feed_id)
    assert (recovered.last_reason, recovered.failures) == (None, 0)
    assert HOUR <= fleet.gaps()[-1] <= 3 * HOUR


async def test_c20_feeds_polled_together_have_turns_of_their_own_and_keep_them(
    fleet: Fleet,
) -> None:
    paths = [f"/{number}" for number in range(120)]
    for path in paths:
        fleet.origin.serve(path, rss("a"), content_type=RSS, etag='"1"')
        await fleet.add(path)
    await fleet.live(2 * SECOND)

    async with fleet.store.transaction() as tx:
        feeds = (await tx.feeds.get(range(1, 121))).values()
    turns = Counter(
        feed.next_poll_at.minute // 10 for feed in feeds if feed.next_poll_at is not None
    )

    assert len(fleet.origin.requests) == 120
    assert len(turns) == 6
    assert max(turns.values()) < 45
