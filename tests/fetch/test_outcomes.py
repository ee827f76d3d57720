"""Whatever a site does has a name. Each way to misbehave, by a scripted origin."""

import gzip
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    EntryDeferred,
    PageSign,
    Stage,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.web.client import open_web
from feedmill.web.exchange import WebLimits
from feedmill_fetch import examining
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.pdf import PDF_READER
from feedmill_fetch.plain_page import TEXT_READER
from support.clock import Clock
from support.entries import add_pages, articles, content_row, entry_row, fetch, stored, told
from support.fetching import build_fetcher
from support.origin import Origin
from support.pdfs import pdf
from support.web import web_settings

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
PAGE = "<html><body><article>" + f"<p>{SENTENCE}</p>" * 9 + "</article></body></html>"
OWN = SENTENCE * 6

LOGIN = """<html><head><title>Log in to The Mill</title></head><body><form><input name="user">
<input type="password" name="password"><button>Log in</button></form></body></html>"""
MISSING = """<html><head><title>Page not found - The Mill</title></head><body>
<h1>Page not found</h1><p>Sorry, that page is no longer with us. Try the search.</p></body></html>"""
BLOCKED = """<html><head><title>Just a moment...</title></head><body>
<script>window._cf_chl_opt={cvId:'3'};</script><p>Checking your browser.</p></body></html>"""
CONSENT = """<html><head><title>The Mill</title></head><body><h1>We value your privacy</h1>
<p>We and our partners store and access information on a device. Accept all cookies to continue.</p>
<button>Accept all</button></body></html>"""
SHELL = """<html><head><title>The Mill</title></head><body><noscript>You need to enable JavaScript
to run this app.</noscript><div id="root"></div><script src="/app.js"></script></body></html>"""

LIMITS = WebLimits(total_seconds=3, silence_seconds=1, grace_seconds=0.5)


@pytest_asyncio.fixture
async def hasty(store: Store, extractors: IsolatedPool) -> AsyncIterator[Fetcher]:
    """A fetcher with little patience."""
    async with open_web(web_settings(), LIMITS) as client:
        yield build_fetcher(store, client, extractors)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        pytest.param(LOGIN, Reason.LOGIN_WALL, id="login wall"),
        pytest.param(MISSING, Reason.PAGE_MISSING, id="error page with 200"),
        pytest.param(BLOCKED, Reason.PAGE_BLOCKED, id="block page"),
        pytest.param(CONSENT, Reason.CONSENT_WALL, id="consent wall"),
        pytest.param(SHELL, Reason.NEEDS_BROWSER, id="empty shell"),
        pytest.param("<html><body><p>Hello.</p></body></html>", Reason.NO_ARTICLE, id="nothing"),
    ],
)
async def test_what_stands_in_place_of_an_article_is_named(
    fetcher: Fetcher, store: Store, origin: Origin, page: str, reason: Reason
) -> None:
    origin.serve("/a", page)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id) == [ContentUnavailable(entry_id=entry_id, reason=reason)]
    assert await stored(store, entry_id) == (Stage.UNAVAILABLE, reason, "")


@pytest.mark.parametrize(
    ("page", "sign"),
    [
        (LOGIN, PageSign.LOGIN_WALL),
        (MISSING, PageSign.NOT_FOUND),
        (CONSENT, PageSign.CONSENT_WALL),
        (SHELL, PageSign.NEEDS_BROWSER),
    ],
)
async def test_before_a_wall_the_feeds_own_text_is_kept_and_the_wall_named(
    fetcher: Fetcher, store: Store, origin: Origin, page: str, sign: PageSign
) -> None:
    origin.serve("/a", page)
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    content = await content_row(store, entry_id)
    assert (content.text, content.extractor, content.signs) == (OWN, "feed", [sign])


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(lambda o: o.fail("/a", 404), id="missing"),
        pytest.param(lambda o: o.fail("/a", 403), id="forbidden"),
        pytest.param(lambda o: o.redirect("/a", "/a"), id="loop"),
        pytest.param(lambda o: o.serve("/a", b"\x89PNG", content_type="image/png"), id="a picture"),
    ],
)
async def test_a_page_that_cannot_be_had_leaves_the_feeds_own_text(
    fetcher: Fetcher, store: Store, origin: Origin, script: Callable[[Origin], None]
) -> None:
    script(origin)
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    content = await content_row(store, entry_id)
    assert (content.text, content.extractor, content.url) == (OWN, "feed", origin.url("/a"))


async def test_who_is_sent_to_the_front_page_has_lost_the_article(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.redirect("/old", "/", status=301)
    origin.serve("/", PAGE)
    (entry_id,) = await add_pages(store, origin.url("/old"))

    assert await fetch(fetcher, entry_id) == [
        ContentUnavailable(
            entry_id=entry_id, reason=Reason.PAGE_MISSING, detail="leads to the front page"
        )
    ]


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        pytest.param(lambda o: o.drip("/a"), Reason.TIMED_OUT, "the answer drips", id="slow drip"),
        pytest.param(lambda o: o.hang("/a"), Reason.TIMED_OUT, "no answer in time", id="silence"),
        pytest.param(
            lambda o: o.cut("/a", b"<p>", promised_bytes=100),
            Reason.TRUNCATED,
            "cut short after 3 bytes",
            id="cut short",
        ),
        pytest.param(lambda o: o.fail("/a", 500), Reason.SITE_BROKEN, "500", id="fault"),
        pytest.param(lambda o: o.fail("/a", 502), Reason.SITE_BROKEN, "502", id="gateway"),
        pytest.param(
            lambda o: o.serve("/a", b"\x1f\x8bno", headers={"Content-Encoding": "gzip"}),
            Reason.BAD_ENCODING,
            None,
            id="no gzip",
        ),
    ],
)
async def test_what_may_pass_is_tried_again_later(
    hasty: Fetcher,
    store: Store,
    origin: Origin,
    script: Callable[[Origin], None],
    reason: Reason,
    detail: str | None,
) -> None:
    script(origin)
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN)

    (outcome,) = await fetch(hasty, entry_id)

    assert isinstance(outcome, EntryDeferred)
    assert outcome.reason == reason
    assert detail in {None, outcome.detail}
    row = await entry_row(store, entry_id)
    assert (row.stage, row.reason, row.tries) == (Stage.NEW, reason, 1)
    assert row.next_try_at == outcome.until
    wait = row.next_try_at - row.asked_at
    assert abs(wait - timedelta(minutes=10)) < timedelta(seconds=5)
    assert await told(store) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(lambda o: o.flood("/a"), Reason.TOO_LARGE, id="endless body"),
        pytest.param(
            lambda o: o.serve("/a", PAGE + "<p>" + "x" * 30_000_000), Reason.TOO_LARGE, id="30 MB"
        ),
        pytest.param(
            lambda o: o.serve(
                "/a",
                gzip.compress(b"<p>" + b" " * 60_000_000),
                headers={"Content-Encoding": "gzip"},
            ),
            Reason.TOO_LARGE,
            id="gzip bomb",
        ),
        pytest.param(
            lambda o: o.redirect("/a", "/a?again"), Reason.PAGE_MISSING, id="redirect to nothing"
        ),
        pytest.param(lambda o: o.redirect("/a", "/a"), Reason.TOO_MANY_REDIRECTS, id="loop"),
        pytest.param(
            lambda o: o.redirect("/a", "http://169.254.169.254/latest"),
            Reason.ADDRESS_FORBIDDEN,
            id="metadata service",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"%PDF-1.7", content_type="application/pdf"),
            Reason.NO_ARTICLE,
            id="broken PDF",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"PK\x03\x04", content_type="application/zip"),
            Reason.ARCHIVE,
            id="archive",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"7z\xbc\xaf'\x1c", content_type="application/octet-stream"),
            Reason.ARCHIVE,
            id="archive with a label that says nothing",
        ),
        pytest.param(
            lambda o: o.serve("/a", "<svg/>", content_type="image/svg+xml"),
            Reason.PICTURE,
            id="drawing",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"\xff\xd8\xff", content_type="image/jpeg"),
            Reason.PICTURE,
            id="picture",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"ID3", content_type="application/octet-stream"),
            Reason.RECORDING,
            id="recording",
        ),
        pytest.param(
            lambda o: o.serve("/a", b"\xd0\xcf", content_type="application/msword"),
            Reason.UNSUPPORTED_TYPE,
            id="office file",
        ),
    ],
)
async def test_what_does_not_pass_is_a_dead_end(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    script: Callable[[Origin], None],
    reason: Reason,
) -> None:
    script(origin)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    (outcome,) = await fetch(fetcher, entry_id)

    assert isinstance(outcome, ContentUnavailable)
    assert outcome.reason == reason
    assert (await stored(store, entry_id))[:2] == (Stage.UNAVAILABLE, reason)


@pytest.mark.parametrize(
    ("body", "content_type", "reader"),
    [
        pytest.param(pdf([SENTENCE.strip()] * 9), "application/pdf", PDF_READER, id="PDF"),
        pytest.param((SENTENCE + "\n\n") * 9, "text/plain", TEXT_READER, id="plain text"),
    ],
)
async def test_what_is_no_web_page_but_text_is_an_article(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    body: bytes | str,
    content_type: str,
    reader: str,
) -> None:
    origin.serve("/a", body, content_type=content_type)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    content = await content_row(store, entry_id)
    assert (content.extractor, content.kind) == (reader, "document")
    assert content.text.count(SENTENCE.strip()) == 9


RUSSIAN = "Мельник пересчитал мешки с мукой, прежде чем колесо снова начало вращаться. "  # noqa: RUF001 - Russian
JAPANESE = "粉屋は水車が再び回り始める前に小麦粉の袋を数え、川の水位を確かめてから扉を閉めた。"


def in_charset(text: str, charset: str) -> bytes:
    return f"<html><body><article>{f'<p>{text}</p>' * 9}</article></body></html>".encode(charset)


@pytest.mark.parametrize(
    ("text", "written_in", "content_type"),
    [
        pytest.param(RUSSIAN, "windows-1251", "text/html", id="windows-1251 undeclared"),
        pytest.param(JAPANESE, "shift_jis", "text/html", id="Shift_JIS undeclared"),
        pytest.param(RUSSIAN, "utf-8", "text/html; charset=no-such", id="unknown charset"),
        pytest.param(JAPANESE, "utf-8", "text/html", id="UTF-8 undeclared"),
        pytest.param(RUSSIAN, "koi8-r", "text/html; charset=koi8-r", id="KOI8-R declared"),
        pytest.param(
            RUSSIAN, "utf-16", "text/html; charset=utf-8", id="a mark that outranks the label"
        ),
    ],
)
async def test_a_page_is_read_in_the_charset_it_was_written_in(
    fetcher: Fetcher, store: Store, origin: Origin, text: str, written_in: str, content_type: str
) -> None:
    origin.serve("/a", in_charset(text, written_in), content_type=content_type)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert (await articles(store))[entry_id].startswith(text.strip())


async def test_a_page_that_is_still_broken_after_a_day_and_a_half_is_given_up(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    clock = await Clock(store).start()
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "")
    origin.fail("/a", 500)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    began, waits = await clock.now(), []

    while isinstance((outcome := (await fetch(fetcher, entry_id))[0]), EntryDeferred):
        async with store.transaction() as tx:
            await tx.robots.save(origin.base, "")
        waits.append(outcome.until - await clock.now())
        # Sooner than that, nobody asks.
        assert await fetch(fetcher, entry_id) == [outcome]
        await clock.advance(waits[-1])

    assert [wait.total_seconds() / 3_600 for wait in waits] == [1 / 6, 1, 6, 24]
    assert await clock.now() - began < timedelta(days=2)
    assert len(origin.paths) == 5
    assert outcome == ContentUnavailable(entry_id=entry_id, reason=Reason.SITE_BROKEN, detail="500")
    row = await entry_row(store, entry_id)
    assert (row.stage, row.tries, row.next_try_at) == (Stage.UNAVAILABLE, 0, None)


async def test_a_page_that_recovers_is_as_good_as_any(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/a", 502)
    (entry_id,) = await add_pages(store, origin.url("/a"))
    await fetch(fetcher, entry_id)
    origin.serve("/a", PAGE)
    async with store.transaction() as tx:
        assert await tx.entries.due_again(10) == ()
        await tx.connection.exec_driver_sql("update entries set next_try_at = now()")
        assert await tx.entries.due_again(10) == (entry_id,)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    row = await entry_row(store, entry_id)
    assert (row.stage, row.reason, row.detail, row.tries) == (Stage.FETCHED, None, "", 0)
    async with store.transaction() as tx:
        assert await tx.entries.due_again(10) == ()


async def test_who_never_stops_asking_for_time_is_given_up_for_the_feeds_own_text(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/a", 503, retry_after="600")
    (entry_id,) = await add_pages(store, origin.url("/a"), teaser=OWN)
    for tries in range(12):
        (outcome,) = await fetch(fetcher, entry_id)
        assert isinstance(outcome, EntryDeferred), tries
        async with store.transaction() as tx:
            await tx.connection.exec_driver_sql("update entries set next_try_at = now()")
            await tx.connection.exec_driver_sql("update hosts set next_free_at = now()")

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert (await content_row(store, entry_id)).extractor == "feed"


async def test_a_block_after_pages_that_were_shown_is_a_limit_and_slows_us_down(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", PAGE)
    origin.serve("/b", BLOCKED)
    origin.serve("/c", PAGE)
    first, second, third = await add_pages(store, *map(origin.url, ("/a", "/b", "/c")))
    await fetch(fetcher, first)

    (blocked,) = await fetch(fetcher, second)
    (held,) = await fetch(fetcher, third)

    assert isinstance(blocked, EntryDeferred)
    assert blocked.reason == Reason.PAGE_BLOCKED
    assert held == EntryDeferred(entry_id=third, until=blocked.until)
    assert origin.asked("/c") == []
    assert (await entry_row(store, second)).tries == 1


async def test_a_block_out_of_the_blue_is_a_wall_and_holds_nobody_up(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/a", BLOCKED)
    origin.fail("/b", 403)
    origin.serve("/c", PAGE)
    ids = await add_pages(store, *map(origin.url, ("/a", "/b", "/c")))

    outcomes = [(await fetch(fetcher, entry_id))[0] for entry_id in ids]

    assert [outcome.outcome for outcome in outcomes] == ["unavailable", "unavailable", "fetched"]


async def test_two_fetches_at_once_count_one_failure_for_a_page_that_the_other_had(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        async with store.transaction() as tx:
            await tx.entries.move(entry_id, before=Stage.NEW, after=Stage.FETCHED)
        return web.Response(status=500)

    origin.script("/a", answer)
    (entry_id,) = await add_pages(store, origin.url("/a"))

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    assert (await entry_row(store, entry_id)).tries == 0


async def test_nesting_without_end_costs_one_outcome(
    fetcher: Fetcher, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "EXTRACTOR_SECONDS", 2)
    origin.serve("/deep", "<html><body>" + "<div>" * 200_000 + f"<p>{SENTENCE * 9}</p>")
    origin.serve("/tables", "<html><body>" + "<table><tr><td>" * 30_000 + f"<p>{SENTENCE * 9}</p>")
    origin.serve("/good", PAGE)
    ids = await add_pages(store, *map(origin.url, ("/deep", "/tables", "/good")))

    outcomes = await fetch(fetcher, *ids)

    assert {outcome.outcome for outcome in outcomes[:2]} <= {"fetched", "unavailable"}
    assert outcomes[2] == ContentFetched(entry_id=ids[2])
