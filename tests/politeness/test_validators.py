"""C1 to C10: what is sent to ask "changed since?"."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from politeness.conftest import DAY, HOUR, MINUTE, RSS, WEEK, Fleet, rss

CONDITIONS = ("If-None-Match", "If-Modified-Since")


def sent(fleet: Fleet, path: str = "/feed") -> list[tuple[str | None, str | None]]:
    """Return both conditions of each request for a path."""
    return [
        (seen.headers.get("If-None-Match"), seen.headers.get("If-Modified-Since"))
        for seen in fleet.origin.asked(path)
    ]


async def test_c1_one_unconditional_get_in_a_feeds_life(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"1"')
    await fleet.add()

    await fleet.live(3 * DAY)

    asked = sent(fleet)
    assert len(asked) > 2
    assert asked == [(None, None), *[('"1"', None)] * (len(asked) - 1)]


@pytest.mark.parametrize(
    "last_modified",
    [
        "Sun, 22 Nov 2026 06:00:00 GMT",
        "sun, 22 nov 2026 6:00:00 utc",
        "Sat, 1 Jan 2022 00:00:00 +0000 (about)",
        "yesterday",
        "0",
    ],
)
async def test_c2_last_modified_goes_back_byte_for_byte(fleet: Fleet, last_modified: str) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, last_modified=last_modified)
    await fleet.add()

    await fleet.live(DAY + 2 * HOUR)

    assert sent(fleet)[1] == (None, last_modified)


@pytest.mark.parametrize("etag", ['"abc"', 'W/"a-b--gzip"', "no quotes", '""', '"a", "b"'])
async def test_c3_an_etag_goes_back_byte_for_byte(fleet: Fleet, etag: str) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag=etag)
    await fleet.add()

    await fleet.live(DAY + 2 * HOUR)

    assert sent(fleet)[1] == (etag, None)


async def test_c4_both_are_sent_and_a_stale_one_is_dropped_by_a_200_alone(fleet: Fleet) -> None:
    answers = iter(
        [
            web.Response(text=rss("a"), headers={"ETag": '"1"', "Last-Modified": "A"}),
            web.Response(status=304),
            web.Response(text=rss("b"), headers={"ETag": '"2"'}),
            web.Response(text=rss("c"), headers={"Last-Modified": "C"}),
            web.Response(status=304),
        ]
    )

    async def answer(_: web.Request) -> web.StreamResponse:
        return next(answers)

    fleet.origin.script("/feed", answer)
    feed_id = await fleet.add()
    for _ in range(5):
        await fleet.refresh(feed_id)
        await fleet.clock.advance(DAY)

    assert sent(fleet) == [
        (None, None),
        ('"1"', "A"),
        ('"1"', "A"),
        ('"2"', None),
        (None, "C"),
    ]


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        pytest.param(
            {"body": rss("a"), "etag": '"2"', "last_modified": "B"},
            ('"2"', "B"),
            id="c5 same body",
        ),
        pytest.param(
            {"body": rss("b"), "etag": '"2"', "last_modified": "A"},
            ('"2"', "A"),
            id="c6 same Last-Modified, new ETag",
        ),
        pytest.param({"status": 304, "etag": '"2"'}, ('"2"', "A"), id="c7 a 304 with a new one"),
    ],
)
async def test_c5_c6_c7_the_newest_validators_are_kept(
    fleet: Fleet, answer: dict[str, object], stored: tuple[str, str]
) -> None:
    fleet.origin.serve("/feed", rss("a"), etag='"1"', last_modified="A")
    feed_id = await fleet.add()
    await fleet.refresh(feed_id)
    await fleet.clock.advance(DAY)
    fleet.origin.serve("/feed", **answer)  # type: ignore[arg-type]  # a table of scripts

    await fleet.refresh(feed_id)

    validators = (await fleet.feed(feed_id)).validators
    assert (validators.etag, validators.last_modified) == stored


async def test_c8_a_slow_old_answer_never_replaces_a_newer_one(fleet: Fleet) -> None:
    late = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        number = len(fleet.origin.requests)
        if number == 1:
            await late.wait()
        return web.Response(text=rss(f"{number}"), headers={"ETag": f'"{number}"'})

    fleet.origin.script("/feed", answer)
    feed_id = await fleet.add()
    stuck = asyncio.ensure_future(fleet.round(activity="stuck"))
    while not fleet.origin.requests:
        await asyncio.sleep(0.01)
    # Taken for dead, though it only waits.
    await fleet.clock.advance(11 * MINUTE)

    await fleet.round(activity="other")
    late.set()
    await stuck

    assert (await fleet.feed(feed_id)).validators.etag == '"2"'
    await fleet.clock.advance(DAY)
    await fleet.round()
    assert sent(fleet)[-1] == ('"2"', None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("<html>We will be back</html>", Reason.NOT_A_FEED, id="a page"),
        pytest.param("{}", Reason.NOT_A_FEED, id="no JSON Feed"),
    ],
)
async def test_c9_what_did_not_parse_is_not_taken_for_the_feed_nor_sent_again_and_again(
    fleet: Fleet, body: str, reason: Reason
) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"good"')
    feed_id = await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.serve("/feed", body, etag='"bad"')

    await fleet.live(10 * DAY)
    broken = await fleet.feed(feed_id)
    asked = sent(fleet)[2:]
    fleet.origin.serve("/feed", rss("a", "b"), content_type=RSS, etag='"better"')
    await fleet.live(2 * DAY)

    assert (broken.last_reason, broken.validators.etag) == (reason, '"good"')
    # The bad body was sent once; from then on it is asked for by its own validator.
    assert asked[0] == ('"good"', None)
    assert set(asked[1:]) == {('"bad"', None)}
    assert len(asked) > 5
    healed = await fleet.feed(feed_id)
    assert (healed.last_reason, healed.validators.etag, healed.rejected) == (None, '"better"', None)


async def test_c9_a_feed_that_never_parsed_is_asked_for_whole_but_once(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", "<html>Soon</html>", etag='"1"')
    await fleet.add()

    await fleet.live(WEEK)

    assert sent(fleet)[0] == (None, None)
    assert set(sent(fleet)[1:]) == {('"1"', None)}


async def test_c9_what_was_cut_short_is_asked_for_whole_again_but_slowly(fleet: Fleet) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": '"1"', "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<rss>")
        assert request.transport is not None
        request.transport.close()
        return response

    fleet.origin.script("/feed", answer)
    await fleet.add()

    await fleet.live(6 * DAY)

    assert set(sent(fleet)) == {(None, None)}
    assert min(fleet.gaps()) >= DAY


async def test_c10_validators_go_to_the_address_that_gave_them_and_to_no_other(
    fleet: Fleet,
) -> None:
    fleet.origin.redirect("/feed", "/there")
    fleet.origin.serve("/there", rss("a"), content_type=RSS, etag='"there"')
    feed_id = await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.redirect("/feed", "/elsewhere")
    fleet.origin.serve("/elsewhere", rss("b"), content_type=RSS, etag='"elsewhere"')
    await fleet.live(2 * DAY)

    assert set(sent(fleet, "/feed")) == {(None, None)}
    assert sent(fleet, "/there")[0] == (None, None)
    assert set(sent(fleet, "/there")[1:]) == {('"there"', None)}
    assert sent(fleet, "/elsewhere")[0] == (None, None)
    assert set(sent(fleet, "/elsewhere")[1:]) == {('"elsewhere"', None)}
    assert (await fleet.feed(feed_id)).validators == Validators(
        etag='"elsewhere"', url=fleet.origin.url("/elsewhere")
    )


async def test_c10_a_feed_that_moves_leaves_its_validators_behind(fleet: Fleet) -> None:
    fleet.origin.serve("/feed", rss("a"), content_type=RSS, etag='"old"')
    feed_id = await fleet.add()
    await fleet.live(2 * HOUR)
    fleet.origin.redirect("/feed", "/new", status=301)
    fleet.origin.serve("/new", rss("a"), content_type=RSS, etag='"new"')

    await fleet.live(9 * DAY)

    assert (await fleet.feed(feed_id)).url == fleet.origin.url("/new")
    assert set(sent(fleet, "/new")) == {(None, None), ('"new"', None)}
    assert sent(fleet, "/new").count((None, None)) == 1
    assert timedelta(0) < fleet.moments("/new")[-1] - fleet.moments("/feed")[-1]
