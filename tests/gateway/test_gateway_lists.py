import asyncio
import time
from io import BytesIO
from ipaddress import ip_network

import pytest
from aiohttp import ClientSession
from temporalio.client import Client

from feedmill.models.events import EventKind
from feedmill.models.lists import MAX_LIST_BYTES, Listed, ListImported, OutlineOutcome
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import FeedList, FeedView, RunStatus
from feedmill.store import Store
from support.library import Library
from support.live_gateway import client, running_gateway, take
from support.opml import FEEDLY, opml

# Lists are followed by the orchestrator.
pytestmark = pytest.mark.usefixtures("orchestrator")

OPML = "/api/v1/opml"
PROBLEM = "application/problem+json"
A = '<outline type="rss" text="A" xmlUrl="https://a.example/"/>'
B = '<outline type="rss" text="B" xmlUrl="https://b.example/"/>'


async def imported(api: ClientSession, body: bytes) -> ListImported:
    answer = await api.post(OPML, data=BytesIO(body), headers={"Content-Type": "text/x-opml"})
    assert answer.status == 200, await answer.text()
    return ListImported.model_validate(await answer.json())


async def followed(api: ClientSession) -> list[FeedView]:
    return list(FeedList.model_validate(await (await api.get("/api/v1/feeds")).json()).items)


async def test_a_list_is_imported_and_every_outline_accounted_for(
    api: ClientSession, library: Library, store: Store
) -> None:
    before = await library.feed("https://known.example/", "Known")

    report = await imported(
        api,
        opml(
            A,
            '<outline text="Tech">',
            B,
            '<outline text="A again" xmlUrl="https://a.example/"/>',
            '<outline text="Known" xmlUrl="https://known.example/"/>',
            '<outline text="Gone" type="rss"/>',
            "</outline>",
        ),
    )

    assert report.href == f"/api/v1/imports/{report.id}"
    assert report == ListImported(
        id=report.id,
        href=report.href,
        status=RunStatus.COMPLETED,
        outlines=5,
        added=2,
        followed=1,
        duplicates=1,
        broken=1,
        categories=1,
        lines=(
            OutlineOutcome(
                line=5,
                outcome=Listed.DUPLICATE,
                title="A again",
                url="https://a.example/",
                first_line=2,
            ),
            OutlineOutcome(
                line=6, outcome=Listed.FOLLOWED, title="Known", url="https://known.example/"
            ),
            OutlineOutcome(
                line=7,
                outcome=Listed.BROKEN,
                title="Gone",
                reason=Reason.NO_FEED_URL,
                advice=ADVICE[Reason.NO_FEED_URL],
            ),
        ),
    )
    a, b, known = await followed(api)
    assert [(feed.title, feed.category) for feed in (a, b, known)] == [
        ("A", ()),
        ("B", ("Tech",)),
        ("Known", ()),
    ]
    assert known.id == before
    async with store.transaction() as tx:
        events = await tx.events.after(0)
    assert {(event.kind, event.feed_id) for event in events} == {
        (EventKind.FEED_ADDED, a.id),
        (EventKind.FEED_ADDED, b.id),
    }


async def test_importing_again_changes_nothing(api: ClientSession, store: Store) -> None:
    first = await imported(api, FEEDLY.encode())
    before = await followed(api)

    second = await imported(api, FEEDLY.encode())

    assert (first.added, first.categories, first.duplicates) == (2, 2, 1)
    assert (second.added, second.categories, second.followed) == (0, 0, 2)
    assert await followed(api) == before
    async with store.transaction() as tx:
        assert len(await tx.events.after(0)) == 2


async def test_a_list_comes_with_any_media_type(api: ClientSession) -> None:
    for number, media_type in enumerate(["application/xml", "application/json", "image/png"]):
        body = opml(A.replace("a.", f"a{number}."))
        answer = await api.post(OPML, data=BytesIO(body), headers={"Content-Type": media_type})

        assert (answer.status, (await answer.json())["added"]) == (200, 1)


async def test_private_networks_that_are_allowed_hold_for_lists_too(
    store: Store, library: Library, temporal: Client, database_url: str
) -> None:
    networks = (ip_network("127.0.0.0/8"),)
    async with (
        running_gateway(store, temporal, database_url, networks) as gateway,
        client(gateway.url) as api,
    ):
        report = await imported(api, opml('<outline xmlUrl="http://127.0.0.1:8000/feed"/>'))

    assert report.added == 1


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        pytest.param(
            b"<html><body>Sign in",
            Reason.NOT_A_LIST,
            "The file cannot be imported: its outermost element is <html> and not <opml>.",
            id="a page",
        ),
        pytest.param(
            b"", Reason.NOT_A_LIST, "The file cannot be imported: it is empty.", id="nothing"
        ),
        pytest.param(
            opml(A) + b" " * MAX_LIST_BYTES,
            Reason.LIST_TOO_LARGE,
            "The file is larger than 10 MB.",
            id="a file without end",
        ),
    ],
)
async def test_a_file_that_is_no_list_is_one_problem_and_changes_nothing(
    idle_api: ClientSession, body: bytes, reason: Reason, detail: str
) -> None:
    answer = await idle_api.post(OPML, data=BytesIO(body))

    problem = await answer.json(content_type=PROBLEM)
    assert answer.status == 422
    assert problem == {
        "type": "urn:feedmill:problem:list-refused",
        "title": "List refused",
        "status": 422,
        "detail": detail,
        "reason": reason,
        "advice": ADVICE[reason],
        "errors": [],
    }
    assert await followed(idle_api) == []


async def test_a_list_that_takes_for_ever_costs_its_own_process(
    idle_api: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedmill_gateway.lists.importing._READING_SECONDS", 0.5)
    attributes = "".join(f'a{number}="" ' for number in range(200_000))

    answer = await idle_api.post(OPML, data=BytesIO(opml(f"<outline {attributes}/>")))

    problem = await answer.json(content_type=PROBLEM)
    assert (answer.status, problem["reason"]) == (422, Reason.LIST_UNREADABLE)
    assert problem["detail"] == "Reading it took longer than 0.5 s."
    assert (await idle_api.get("/api/v1/feeds")).status == 200


async def test_lists_imported_at_once_are_all_imported(api: ClientSession) -> None:
    bodies = [
        opml(*(f'<outline xmlUrl="https://h{n}.example/{m}"/>' for m in range(50)))
        for n in range(3)
    ]

    reports = await asyncio.gather(*(imported(api, body) for body in [*bodies, *bodies]))

    # The same file is one import: who sends it meanwhile gets its report.
    assert {report.added + report.followed for report in reports} == {50}
    assert len({report.id for report in reports}) == 3
    assert len(await followed(api)) == 150


async def test_open_pages_hear_of_every_new_feed(api: ClientSession) -> None:
    async with api.get("/api/v1/events") as stream:
        await imported(api, opml(A, B))

        heard = await take(stream, 2)

    assert [message.event for message in heard] == [EventKind.FEED_ADDED] * 2


async def test_everything_followed_is_exported(api: ClientSession, library: Library) -> None:
    await imported(api, opml('<outline text="Tech"><outline text="AI">', A, "</outline></outline>"))
    await library.feed("https://news.example/feed?a=1&b=2", "Salt & bread")

    answer = await api.get(OPML)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="feedmill.opml"'
    body = (await answer.text()).partition("<body>")[2]
    assert (
        body
        == """
    <outline text="Tech" title="Tech">
      <outline text="AI" title="AI">
        <outline type="rss" text="A" title="A" xmlUrl="https://a.example/"/>
      </outline>
    </outline>
    <outline type="rss" text="Salt &amp; bread" title="Salt &amp; bread" xmlUrl="https://news.example/feed?a=1&amp;b=2" htmlUrl="https://news.example/"/>
  </body>
</opml>
"""
    )


async def test_an_export_imports_to_the_same_feeds_elsewhere(
    api: ClientSession, store: Store
) -> None:
    await imported(api, FEEDLY.encode())
    exported = await (await api.get(OPML)).read()
    mine = await followed(api)
    for feed in mine:
        await api.delete(f"/api/v1/feeds/{feed.id}")
    assert await followed(api) == []

    await imported(api, exported)

    assert [(feed.url, feed.title, feed.category) for feed in await followed(api)] == [
        (feed.url, feed.title, feed.category) for feed in mine
    ]
    assert await (await api.get(OPML)).text() != ""


async def test_a_list_of_thousands_takes_seconds(api: ClientSession) -> None:
    outlines = (
        f'<outline type="rss" text="Feed {n}" xmlUrl="https://h{n % 900}.example/{n}.xml"/>'
        for n in range(5_000)
    )
    body = opml('<outline text="Many">', *outlines, "</outline>")

    started = time.perf_counter()
    report = await imported(api, body)
    seconds = time.perf_counter() - started

    print(f"5,000 outlines imported in {seconds:.2f} s")
    assert report.added == 5_000
    assert seconds < 20


async def test_a_feed_is_renamed_and_moved(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed(title="News")
    path = f"/api/v1/feeds/{feed_id}"

    renamed = await (await api.patch(path, json={"title": "  My\tnews "})).json()
    moved = await (await api.patch(path, json={"category": ["Tech", "AI"]})).json()
    entry_id = await library.entry(feed_id)
    entry = await (await api.get(f"/api/v1/entries/{entry_id}")).json()
    back = await (await api.patch(path, json={"title": "", "category": []})).json()

    assert (renamed["title"], renamed["category"]) == ("My news", [])
    assert (moved["title"], moved["category"]) == ("My news", ["Tech", "AI"])
    assert entry["feedTitle"] == "My news"
    assert (back["title"], back["category"]) == ("News", [])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param({"title": "x" * 501}, "body.title", id="a long title"),
        pytest.param({"title": None}, "body.title", id="no title"),
        pytest.param({"category": ["x" * 201]}, "body.category.0", id="a long name"),
        pytest.param({"category": ["Tech", " \x00 "]}, "body.category.1", id="an empty name"),
        pytest.param({"category": ["x"] * 17}, "body.category", id="too deep"),
        pytest.param({"category": "Tech"}, "body.category", id="no path"),
        pytest.param({"url": "https://a.example/"}, "body.url", id="what cannot be changed"),
    ],
)
async def test_a_change_that_cannot_be_is_named(
    api: ClientSession, library: Library, body: dict[str, object], where: str
) -> None:
    feed_id = await library.feed()

    answer = await api.patch(f"/api/v1/feeds/{feed_id}", json=body)

    problem = await answer.json(content_type=PROBLEM)
    assert (answer.status, [error["where"] for error in problem["errors"]]) == (422, [where])


async def test_nobody_changes_what_they_do_not_follow(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed(followed=False)

    answer = await api.patch(f"/api/v1/feeds/{feed_id}", json={"category": ["Tech"]})

    assert answer.status == 404
