from io import BytesIO

import pytest
from aiohttp import ClientResponse, ClientSession, FormData

from feedmill.models.lists import MAX_LIST_BYTES
from feedmill.models.outcomes import ADVICE, Reason
from support.library import Library
from support.opml import opml

A = '<outline type="rss" text="A mill" xmlUrl="https://a.example/"/>'
HOSTILE = "&lt;script&gt;alert(1)&lt;/script&gt;"

# Lists are followed by the orchestrator.
pytestmark = pytest.mark.usefixtures("orchestrator")


async def send(reader: ClientSession, body: bytes) -> ClientResponse:
    form = FormData()
    form.add_field("file", BytesIO(body), filename="feeds.opml", content_type="text/x-opml")
    return await reader.post("/opml", data=form)


async def test_a_list_sent_by_the_form_is_imported_and_told(reader: ClientSession) -> None:
    answer = await send(
        reader,
        opml(
            '<outline text="Tech">',
            A,
            A,
            "</outline>",
            f'<outline text="{HOSTILE}" xmlUrl="nowhere"/>',
            '<outline text="Gone" type="rss"/>',
        ),
    )

    shown = await answer.text()
    assert answer.status == 200
    for part in (
        "<h1>1 feed added</h1>",
        "1 category made.",
        '<h2>More than once in the file <span class="count">1 line</span></h2>',
        "Line 4</span>\n<div><strong>A mill</strong>",
        "<span>https://a.example/</span><span>first on line 3</span>",
        ADVICE[Reason.URL_INVALID],
        f"Line 6</span>\n<div><strong>{HOSTILE}</strong>",
        "<span>nowhere</span>",
        ADVICE[Reason.NO_FEED_URL],
        "Line 7</span>\n<div><strong>Gone</strong>",
    ):
        assert part in shown
    home = await (await reader.get("/")).text()
    assert '<h3 class="category">Tech</h3>' in home
    assert "A mill" in home


async def test_a_list_with_nothing_new_says_so(reader: ClientSession) -> None:
    await send(reader, opml(A))

    shown = await (await send(reader, opml(A))).text()

    assert "<h1>Nothing new in the list</h1>" in shown
    assert "1 feed followed already, left as they were." in shown


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<html>", Reason.NOT_A_LIST, id="a page"),
        pytest.param(b"", Reason.NOT_A_LIST, id="an empty file"),
        pytest.param(opml(A) + b" " * MAX_LIST_BYTES, Reason.LIST_TOO_LARGE, id="too long a file"),
    ],
)
async def test_a_refused_file_is_explained_beside_its_form(
    reader: ClientSession, body: bytes, reason: Reason
) -> None:
    answer = await send(reader, body)

    shown = await answer.text()
    assert answer.status == 422
    assert ADVICE[reason] in shown
    assert 'aria-describedby="list-refusal"' in shown
    assert "A mill" not in shown


async def test_a_form_without_a_file_is_refused_likewise(reader: ClientSession) -> None:
    answer = await reader.post("/opml", data={"file": "text"})

    assert answer.status == 422
    assert "it is empty" in await answer.text()


async def test_who_is_not_signed_in_imports_nothing(web: ClientSession) -> None:
    answer = await send(web, opml(A))

    assert answer.status == 401


async def test_another_sites_page_imports_nothing(reader: ClientSession) -> None:
    answer = await reader.post(
        "/opml", data={"file": BytesIO(opml(A))}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status == 403


async def test_feeds_are_shown_by_category(reader: ClientSession, library: Library) -> None:
    await library.feed("https://c.example/", "Without")
    await send(
        reader,
        opml(
            '<outline text="tech">',
            '<outline text="B" xmlUrl="https://b.example/"/>',
            '<outline text="AI"><outline text="A" xmlUrl="https://a.example/"/></outline>',
            "</outline>",
            '<outline text="Mills"><outline text="D" xmlUrl="https://d.example/"/></outline>',
        ),
    )

    shown = await (await reader.get("/fragments/feeds")).text()

    marks = [
        "Without",
        ">Mills</h3>",
        ">D</a>",
        ">tech</h3>",
        ">B</a>",
        ">tech / AI</h3>",
        ">A</a>",
    ]
    places = [shown.index(mark) for mark in marks]
    assert places == sorted(places)


async def test_the_front_page_leads_to_import_and_export(
    reader: ClientSession, library: Library
) -> None:
    assert 'href="/api/v1/opml"' not in await (await reader.get("/")).text()
    await library.feed()

    shown = await (await reader.get("/")).text()
    exported = await reader.get("/api/v1/opml")

    assert 'enctype="multipart/form-data"' in shown
    assert 'href="/api/v1/opml" download="feedmill.opml"' in shown
    assert (exported.status, exported.content_type) == (200, "text/x-opml")
