"""C27 to C33: what the site's answer says about the feed."""

from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from feedmill.models.events import EventKind
from feedmill.models.outcomes import Reason
from politeness.conftest import DAY, HOUR, RSS, WEEK, Fleet, rss
from support.origin import open_origin


async def told(fleet: Fleet) -> list[tuple[EventKind, str]]:
    async with fleet.store.transaction() as tx:
        return [(each.kind, each.detail) for each in await tx.events.after(0)]


@pytest.mark.parametrize("status", [301, 308])
async def test_c27_a_permanent_move_is_followed_now_and_believed_after_a_week(
    fleet: Fleet, status: int
) -> None:
    fleet.origin.redirect("/feed", "/new", status=status)
    fleet.origin.serve("/new", rss("a"), content_type=RSS)
    feed_id = await fleet.add()

    await fleet.live(6 * DAY)
    before = await fleet.feed(feed_id)
    await fleet.live(3 * DAY)
    after = await fleet.feed(feed_id)
    asked = len(fleet.moments("/feed"))
    await fleet.live(2 * DAY)

    assert (before.url, before.last_reason) == (fleet.origin.url("/feed"), None)
    assert after.url == fleet.origin.url("/new")
    assert len(fleet.moments("/feed")) == asked
    assert (EventKind.FEED_MOVED, fleet.origin.url("/new")) in await told(fleet)


async def test_c27_many_hits_are_evidence_too(fleet: Fleet) -> None:
    fleet.origin.redirect("/feed", "/new", status=301)
    fleet.origin.serve("/new", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()

    await fleet.live(2 * DAY)

    assert (await fleet.feed(feed_id)).url == fleet.origin.url("/new")
    assert len(fleet.moments("/feed")) == 30


async def test_c27_one_that_changes_its_mind_stays(fleet: Fleet) -> None:
    fleet.origin.redirect("/feed", "/new", status=301)
    fleet.origin.serve("/new", rss("a"), content_type=RSS)
    feed_id = await fleet.add()
    await fleet.live(5 * DAY)
    fleet.origin.serve("/feed", rss("a"), content_type=RSS)
    await fleet.live(2 * DAY)
    fleet.origin.redirect("/feed", "/new", status=301)

    await fleet.live(5 * DAY)

    assert (await fleet.feed(feed_id)).url == fleet.origin.url("/feed")


async def test_c27_a_temporary_hop_makes_the_whole_chain_temporary(fleet: Fleet) -> None:
    fleet.origin.redirect("/feed", "/hop", status=301)
    fleet.origin.redirect("/hop", "/new", status=302)
    fleet.origin.serve("/new", rss("a"), content_type=RSS)
    feed_id = await fleet.add()

    await fleet.live(2 * WEEK)

    assert (await fleet.feed(feed_id)).url == fleet.origin.url("/feed")


async def test_c27_a_captive_portal_moves_nobody(fleet: Fleet) -> None:
    """A network that wants somebody to sign in sends every feed to one page, for good."""
    async with open_origin() as portal:
        portal.serve("/sign-in", "<html>Please sign in</html>")
        ids = []
        for number in range(5):
            fleet.origin.redirect(f"/{number}", portal.url("/sign-in"), status=301)
            ids.append(await fleet.add(f"/{number}"))

        await fleet.live(2 * WEEK)

    for number, feed_id in enumerate(ids):
        feed = await fleet.feed(feed_id)
        assert feed.url == fleet.origin.url(f"/{number}")
        assert feed.last_reason == Reason.NOT_A_FEED


async def test_c27_many_sites_that_suddenly_point_at_one_feed_stay_where_they_are(
    fleet: Fleet,
) -> None:
    fleet.origin.serve("/portal", rss("please sign in"), content_type=RSS)
    async with AsyncExitStack() as sites:
        urls = []
        for _ in range(4):
            site = await sites.enter_async_context(open_origin())
            site.redirect("/feed", fleet.origin.url("/portal"), status=301)
            urls.append(site.url("/feed"))
        async with fleet.store.transaction() as tx:
            ids = [await tx.feeds.add(url) for url in urls]

        await fleet.live(2 * WEEK)

    assert [(await fleet.feed(feed_id)).url for feed_id in ids] == urls


@pytest.mark.parametrize("status", [302, 303, 307])
async def test_c28_a_temporary_redirect_is_followed_and_never_a_move(
    fleet: Fleet, status: int
) -> None:
    fleet.origin.redirect("/feed", "/new", status=status)
    fleet.origin.serve("/new", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()

    await fleet.live(2 * WEEK)

    feed = await fleet.feed(feed_id)
    assert (feed.url, feed.last_reason) == (fleet.origin.url("/feed"), None)
    assert len(fleet.moments("/feed")) == len(fleet.moments("/new"))


async def test_c29_a_feed_that_is_gone_for_a_day_is_retired_and_keeps_its_entries(
    fleet: Fleet,
) -> None:
    fleet.origin.serve("/feed", rss("a", "b"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.fail("/feed", 410)

    await fleet.live(30 * DAY)

    feed = await fleet.feed(feed_id)
    gone = fleet.moments()[-3:]
    assert DAY <= gone[-1] - gone[0] <= 2 * DAY
    assert (feed.retired_at, feed.next_poll_at, feed.last_reason) == (gone[-1], None, Reason.GONE)
    assert (EventKind.FEED_RETIRED, "gone") in await told(fleet)
    async with fleet.store.transaction() as tx:
        assert len((await tx.entries.waiting([feed_id]))[feed_id]) == 2


async def test_c29_a_retired_feed_comes_back_when_somebody_asks(fleet: Fleet) -> None:
    fleet.origin.fail("/feed", 410)
    feed_id = await fleet.add()
    await fleet.live(5 * DAY)
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')

    await fleet.refresh(feed_id)

    feed = await fleet.feed(feed_id)
    assert (feed.retired_at, feed.gone_since, feed.last_reason) == (None, None, None)
    assert feed.next_poll_at is not None


async def test_c29_a_410_that_does_not_repeat_retires_nobody(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()
    for _ in range(3):
        await fleet.live(DAY)
        fleet.origin.fail("/feed", 410)
        asked = len(fleet.moments())
        while len(fleet.moments()) == asked:
            await fleet.live(HOUR)
        fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
        await fleet.live(DAY)

    assert (await fleet.feed(feed_id)).retired_at is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.NOT_FOUND), (401, Reason.LOGIN_NEEDED), (407, Reason.LOGIN_NEEDED)],
)
async def test_c30_what_a_site_refuses_is_asked_less_and_less(
    fleet: Fleet, status: int, reason: Reason
) -> None:
    fleet.origin.fail("/feed", status)
    feed_id = await fleet.add()

    await fleet.live(3 * DAY)

    gaps = fleet.gaps()
    # 1, 2, 4, 8, 16, 24 hours: nothing within an attempt, no storm after it.
    assert all(gap >= HOUR * 2**number for number, gap in enumerate(gaps[:4]))
    assert len(gaps) <= 7
    assert (await fleet.feed(feed_id)).last_reason == reason


async def test_c32_a_block_page_deletes_nothing_and_stores_no_validators(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    feed_id = await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.serve("/feed", "<!doctype html><title>Just a moment...</title>", etag='"block"')

    await fleet.live(DAY)

    feed = await fleet.feed(feed_id)
    assert (feed.last_reason, feed.last_detail) == (Reason.NOT_A_FEED, "an HTML page")
    assert feed.validators.etag == '"1"'
    async with fleet.store.transaction() as tx:
        assert len((await tx.entries.waiting([feed_id]))[feed_id]) == 1


async def test_c33_a_304_to_somebody_who_has_nothing_is_no_success_and_no_storm(
    fleet: Fleet,
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=304)

    fleet.origin.script("/feed", answer)
    feed_id = await fleet.add()

    await fleet.live(WEEK)

    feed = await fleet.feed(feed_id)
    assert (feed.last_reason, feed.last_detail) == (Reason.HTTP_STATUS, "304")
    assert feed.last_success_at is None
    assert min(fleet.gaps()) >= DAY
