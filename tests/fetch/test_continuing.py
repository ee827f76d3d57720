"""Articles that go on from page to page, by a rule for their site."""

from datetime import timedelta
from pathlib import Path

import pytest

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import Content, ContentFetched, PageSign
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill.web.manners import host_of
from feedmill_fetch import continuing, examining
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from support import misbehaviour
from support.entries import add_pages, articles, content_row, fetch
from support.fetching import build_fetcher
from support.origin import Origin

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again."
RULE = """
[[rule]]
name = "Mills"
hosts = ["127.0.0.1"]
include = [".text"]
next = ["a.more"]
"""


def page(name: str, more: str = "", head: str = "") -> str:
    link = f"<a class=more href='{more}'>More</a>" if more else ""
    body = f"<div class=text><p>{name}. {SENTENCE * 3}</p></div>{link}<p>{SENTENCE * 9}</p>"
    return f"<html><head>{head}</head><body>{body}</body></html>"


@pytest.fixture
def rules(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(RULE)
    return str(tmp_path)


@pytest.fixture
def fetcher(store: Store, web_client: WebClient, extractors: IsolatedPool, rules: str) -> Fetcher:
    return build_fetcher(store, web_client, extractors, rules=rules)


async def read(store: Store, fetcher: Fetcher, url: str, teaser: str = "") -> list[str]:
    """Return the names of an article's pages."""
    (entry_id,) = await add_pages(store, url, teaser=teaser)
    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]
    lines = (await articles(store))[entry_id].split("\n")
    return [line.partition(".")[0] for line in lines]


async def sign(store: Store) -> tuple[str, ...]:
    row = await content_row(store, 1)
    return tuple(row.signs)


async def test_an_article_is_read_to_its_last_page(
    store: Store, fetcher: Fetcher, origin: Origin
) -> None:
    origin.serve("/a", page("One", "/a?page=2#top"), etag='"1"')
    origin.serve("/a?page=2", page("Two", "/a/3"))
    origin.serve("/a/3", page("Three"))

    names = await read(store, fetcher, origin.url("/a"), teaser=SENTENCE * 4)

    assert names == ["One", "Two", "Three"]
    assert origin.paths == ["/a", "/a?page=2", "/a/3"]
    row = await content_row(store, 1)
    assert row.html.count("<p>") == 3
    assert row.word_count == 3 * (1 + 14 * 3)
    assert row.signs == []
    # Asked for again, all of it is.
    assert row.etag is None


@pytest.mark.parametrize(
    ("more", "names"),
    [
        pytest.param("/a", ["One"], id="to itself"),
        pytest.param("/b", ["One", "Two"], id="back"),
        pytest.param("/over", ["One"], id="to itself by a redirect"),
        pytest.param("http://127.0.0.2:1/", ["One"], id="to another host"),
        pytest.param("http://[", ["One"], id="to nowhere"),
    ],
)
async def test_a_link_that_leads_to_no_further_page_ends_an_article(
    store: Store, fetcher: Fetcher, origin: Origin, more: str, names: list[str]
) -> None:
    origin.serve("/a", page("One", more))
    origin.serve("/b", page("Two", "/a"))
    origin.redirect("/over", "/a")

    assert await read(store, fetcher, origin.url("/a")) == names
    assert await sign(store) == ()


@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [
        pytest.param("gone", 404, "text/html", id="missing"),
        pytest.param("later", 503, "text/html", id="busy"),
        pytest.param("%PDF-1.4", 200, "application/pdf", id="no page"),
        pytest.param("<p>Nothing.</p>", 200, "text/html", id="no article"),
    ],
)
async def test_an_article_whose_next_page_cannot_be_had_is_kept_and_says_so(
    store: Store, fetcher: Fetcher, origin: Origin, body: str, status: int, content_type: str
) -> None:
    origin.serve("/a", page("One", "/b"))
    origin.serve("/b", body, status=status, content_type=content_type)

    assert await read(store, fetcher, origin.url("/a")) == ["One"]
    assert await sign(store) == (PageSign.UNFINISHED,)


async def test_an_article_without_end_is_read_for_a_while(
    store: Store, fetcher: Fetcher, origin: Origin
) -> None:
    for number in range(30):
        origin.serve(f"/{number}", page(f"P{number}", f"/{number + 1}"))

    names = await read(store, fetcher, origin.url("/0"))

    assert names == [f"P{number}" for number in range(20)]
    assert len(origin.requests) == 20
    assert await sign(store) == (PageSign.UNFINISHED,)


async def test_what_a_feed_says_is_about_the_article_and_no_page_of_it(
    store: Store, fetcher: Fetcher, origin: Origin
) -> None:
    origin.serve("/a", page("One", "/b").replace(SENTENCE, SENTENCE * 4))
    origin.serve("/b", page("Two"))

    names = await read(store, fetcher, origin.url("/a"), teaser=f"Feed. {SENTENCE * 12}")

    assert names == ["One", "Two"]


@pytest.mark.parametrize(("bound", "least"), [("_MOST_SECONDS", 0.5), ("_MOST_CHARACTERS", 600)])
async def test_an_article_is_read_no_longer_than_its_attempt_may_take(
    store: Store,
    web_client: WebClient,
    extractors: IsolatedPool,
    origin: Origin,
    rules: str,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    least: float,
) -> None:
    monkeypatch.setattr(continuing, bound, least)
    for number in range(6):
        origin.serve(f"/{number}", page(f"P{number}", f"/{number + 1}"))
    spacing = timedelta(seconds=0.3)
    fetcher = build_fetcher(store, web_client, extractors, spacing=spacing, rules=rules)

    names = await read(store, fetcher, origin.url("/0"))

    assert 1 < len(names) < 5
    assert await sign(store) == (PageSign.UNFINISHED,)


async def test_pages_are_put_together_beside_the_event_loop(
    extractors: IsolatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "joined", misbehaviour.die)
    content = Content(
        url="http://a.example/", html="<p>A</p>", text="A", word_count=1, extractor="x"
    )

    whole = await Examiner(extractors).joined([content, content], is_whole=True)

    assert (whole.text, whole.signs) == ("A", (PageSign.UNFINISHED,))


async def test_robots_and_spacing_hold_for_every_page(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin, rules: str
) -> None:
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "User-agent: *\nDisallow: /c")
    origin.serve("/a", page("One", "/b"))
    origin.serve("/b", page("Two", "/c"))
    fetcher = build_fetcher(
        store, web_client, extractors, spacing=timedelta(seconds=1), rules=rules
    )

    assert await read(store, fetcher, origin.url("/a")) == ["One", "Two"]
    assert origin.paths == ["/a", "/b"]
    assert origin.requests[1].at - origin.requests[0].at > 0.95
    assert await sign(store) == (PageSign.UNFINISHED,)


@pytest.mark.parametrize(
    ("head", "headers"),
    [("", {"X-Robots-Tag": "noai"}), ("<meta name=robots content=noai>", {})],
)
async def test_what_one_page_withholds_from_models_is_withheld(
    store: Store, fetcher: Fetcher, origin: Origin, head: str, headers: dict[str, str]
) -> None:
    origin.serve("/a", page("One", "/b"))
    origin.serve("/b", page("Two", head=head), headers=headers)

    await read(store, fetcher, origin.url("/a"))

    assert (await content_row(store, 1)).withheld is not None


async def test_a_host_that_asks_for_time_in_the_middle_of_an_article_has_it(
    store: Store, fetcher: Fetcher, origin: Origin
) -> None:
    origin.serve("/a", page("One", "/b"))
    origin.fail("/b", 429, retry_after="600")

    assert await read(store, fetcher, origin.url("/a")) == ["One"]

    async with store.transaction() as tx:
        free_at = await tx.hosts.next_free_at(host_of(origin.url("/a")))
        assert free_at - await tx.now() > timedelta(minutes=9)
