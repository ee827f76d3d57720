"""robots.txt as it is asked for and remembered."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import select

from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.store.tables import hosts
from feedmill.web import robots as shell
from feedmill.web.answers import Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.robots import Robots
from support.clock import Clock
from support.manners import governor_of
from support.origin import Origin, open_origin
from support.wire import open_wire, saying

FORBID = "User-agent: *\nDisallow: /private"
ROBOTS = "/robots.txt"


def robots_of(store: Store, client: WebClient, spacing: timedelta = timedelta(0)) -> Robots:
    return Robots(store, client, governor_of(store, spacing))


@pytest.fixture
def robots(store: Store, client: WebClient) -> Robots:
    return robots_of(store, client)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that remembers nothing by itself, as if each question came to another one."""
    monkeypatch.setattr(shell, "_REMEMBERED_SECONDS", 0)
    monkeypatch.setattr(shell, "_REFUSAL_SECONDS", 0)


async def test_a_page_is_permitted_unless_its_origin_forbids_it(
    robots: Robots, origin: Origin
) -> None:
    origin.serve(ROBOTS, FORBID)

    assert await robots.permit(origin.url("/open?x")) is None
    assert await robots.permit(origin.url("/private/page")) == Refusal(
        reason=Reason.ROBOTS_DISALLOWED, detail=origin.url(ROBOTS)
    )
    assert origin.paths == [ROBOTS]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(lambda o: o.fail(ROBOTS, 404), id="none"),
        pytest.param(lambda o: o.fail(ROBOTS, 403), id="not for us"),
        pytest.param(lambda o: o.fail(ROBOTS, 401), id="for those with a password"),
        pytest.param(lambda o: o.fail(ROBOTS, 302), id="a redirect to nowhere"),
        pytest.param(lambda o: o.redirect(ROBOTS, ROBOTS), id="a loop"),
        pytest.param(lambda o: o.serve(ROBOTS, "<!doctype html>Not here"), id="a page"),
        pytest.param(lambda o: o.serve(ROBOTS, b"\xff\xfe\x00User"), id="no text"),
    ],
)
async def test_an_origin_without_rules_permits_everything(
    robots: Robots, origin: Origin, script: Callable[[Origin], None]
) -> None:
    script(origin)

    assert await robots.permit(origin.url("/page")) is None


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        (lambda o: o.fail(ROBOTS, 500), Reason.SITE_BROKEN, "robots.txt: 500"),
        (lambda o: o.fail(ROBOTS, 502), Reason.SITE_BROKEN, "robots.txt: 502"),
        (lambda o: o.hang(ROBOTS), Reason.TIMED_OUT, "robots.txt: no answer in time"),
        (
            lambda o: o.cut(ROBOTS, b"User", promised_bytes=99),
            Reason.TRUNCATED,
            "robots.txt: cut short after 4 bytes",
        ),
        (
            lambda o: o.redirect(ROBOTS, "http://10.0.0.1/"),
            Reason.ADDRESS_FORBIDDEN,
            "robots.txt: 10.0.0.1 port 80 is private or reserved",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_origin_that_cannot_say_forbids_everything_for_now(
    robots: Robots,
    origin: Origin,
    store: Store,
    script: Callable[[Origin], None],
    reason: Reason,
    detail: str,
) -> None:
    script(origin)

    refused = [await robots.permit(origin.url(path)) for path in ("/a", "/b")]

    assert refused == [Refusal(reason=reason, detail=detail)] * 2
    assert origin.paths == [ROBOTS]
    async with store.transaction() as tx:
        assert await tx.robots.get(origin.base) is None


@pytest.mark.usefixtures("forgetful")
async def test_rules_are_asked_for_once_a_day_by_the_whole_fleet(
    store: Store, client: WebClient, origin: Origin
) -> None:
    clock = await Clock(store).start()
    origin.serve(ROBOTS, FORBID)

    async def permitted() -> bool:
        # Another worker each time.
        return await robots_of(store, client).permit(origin.url("/private")) is None

    assert [await permitted() for _ in range(3)] == [False] * 3
    origin.serve(ROBOTS, "")
    await clock.advance(timedelta(hours=23, minutes=59))
    assert not await permitted()
    assert len(origin.requests) == 1
    await clock.advance(timedelta(minutes=2))
    assert await permitted()
    assert len(origin.requests) == 2


@pytest.mark.usefixtures("forgetful")
async def test_old_rules_stand_for_a_month_while_there_are_no_others(
    store: Store, robots: Robots, origin: Origin
) -> None:
    clock = await Clock(store).start()
    origin.serve(ROBOTS, FORBID)
    await robots.permit(origin.url("/open"))
    origin.fail(ROBOTS, 500)

    await clock.advance(timedelta(days=29))
    assert await robots.permit(origin.url("/open")) is None
    assert isinstance(await robots.permit(origin.url("/private")), Refusal)
    await clock.advance(timedelta(days=2))
    assert await robots.permit(origin.url("/open")) == Refusal(
        reason=Reason.SITE_BROKEN, detail="robots.txt: 500"
    )


@pytest.mark.parametrize("status", [429, 503])
async def test_an_origin_that_wants_time_gets_it(
    store: Store, robots: Robots, origin: Origin, status: int
) -> None:
    origin.fail(ROBOTS, status, retry_after="600")

    first = await robots.permit(origin.url("/a"))
    second = await robots.permit(origin.url("/a"))

    assert isinstance(first, Deferred)
    assert isinstance(second, Deferred)
    async with store.transaction() as tx:
        assert timedelta(seconds=500) < first.until - await tx.now() <= timedelta(seconds=900)
    assert origin.paths == [ROBOTS]


async def test_the_request_takes_its_turn_at_the_host(
    store: Store, client: WebClient, origin: Origin
) -> None:
    origin.serve(ROBOTS, "")
    spacing = timedelta(minutes=1)
    governor = governor_of(store, spacing)
    async with governor.slot(origin.url("/feed")) as until:
        assert until is None

    reply = await robots_of(store, client, spacing).permit(origin.url("/page"))

    assert isinstance(reply, Deferred)
    assert origin.requests == []


async def test_many_who_ask_at_once_are_one_request(robots: Robots, origin: Origin) -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.Response(text=FORBID)

    origin.script(ROBOTS, slow)

    answers = await asyncio.gather(
        *(robots.permit(origin.url(path)) for path in ["/open", "/private"] * 10)
    )

    assert [answer is None for answer in answers] == [True, False] * 10
    assert origin.paths == [ROBOTS]


async def test_each_origin_has_rules_of_its_own(robots: Robots, origin: Origin) -> None:
    origin.serve(ROBOTS, FORBID)
    async with open_origin() as other:
        other.redirect(ROBOTS, origin.url("/shared"))
        origin.serve("/shared", "User-agent: *\nDisallow: /open")

        assert await robots.permit(origin.url("/open")) is None
        assert await robots.permit(other.url("/private")) is None
        assert isinstance(await robots.permit(other.url("/open")), Refusal)


async def test_rules_may_lie_five_redirects_away_and_not_six(
    robots: Robots, origin: Origin
) -> None:
    origin.redirect(ROBOTS, "/1")
    for hop in range(1, 5):
        origin.redirect(f"/{hop}", f"/{hop + 1}")
    origin.serve("/5", FORBID)
    async with open_origin() as further:
        further.redirect(ROBOTS, origin.url(ROBOTS))

        assert isinstance(await robots.permit(origin.url("/private")), Refusal)
        assert await robots.permit(further.url("/private")) is None


async def test_half_a_megabyte_is_read_and_no_more(robots: Robots, origin: Origin) -> None:
    filler = "# a comment that goes on and on\n" * 15_900
    origin.serve(ROBOTS, f"User-agent: *\n{filler}Disallow: /early\n{filler}Disallow: /late\n")

    assert isinstance(await robots.permit(origin.url("/early")), Refusal)
    assert await robots.permit(origin.url("/late")) is None


@pytest.mark.usefixtures("forgetful")
async def test_the_governor_learns_the_distance_that_is_asked_for(
    store: Store, robots: Robots, origin: Origin
) -> None:
    clock = await Clock(store).start()

    async def delays() -> list[timedelta | None]:
        await robots.permit(origin.url("/page"))
        async with store.transaction() as tx:
            return list((await tx.connection.execute(select(hosts.c.crawl_delay))).scalars())

    origin.serve(ROBOTS, "User-agent: *\nCrawl-delay: 7")
    asked = await delays()
    origin.serve(ROBOTS, "")
    await clock.advance(timedelta(days=2))
    taken_back = await delays()

    assert (asked, taken_back) == ([timedelta(seconds=7)], [None])


async def test_a_robots_txt_may_keep_its_origin_from_models(robots: Robots, origin: Origin) -> None:
    origin.serve(ROBOTS, "User-agent: *\nContent-Signal: search=yes, ai-input=no")
    async with open_wire(saying()) as silent:
        assert await robots.withheld(silent.url("/page")) is None

    assert await robots.withheld(origin.url("/page")) == (
        "robots.txt Content-Signal: search=yes, ai-input=no"
    )


async def test_it_is_asked_for_like_everything_else(robots: Robots, origin: Origin) -> None:
    await robots.permit(origin.url("/page"))

    (request,) = origin.requests
    assert request.headers["Accept"] == "text/plain, */*;q=0.1"
    assert request.headers["User-Agent"].startswith("Feedmill/")
