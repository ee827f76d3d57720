import asyncio
import io
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import delete
from temporalio.client import Client

from feedmill.contracts.queues import TaskQueue
from feedmill.models.lists import MAX_LIST_BYTES, KeptImport, ListedFeed
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.store import Store
from feedmill.store.tables import categories, feeds
from feedmill.worker.run import build_worker
from feedmill_orchestrator.importing import Importer
from feedmill_orchestrator.workflows.import_subscriptions import ImportSubscriptionsWorkflow
from support import live_gateway
from support.gateway import TOKEN, ScriptedGateway, message, problem, scripted_gateway
from support.library import open_library
from support.live_gateway import running_gateway
from support.opml import FEEDLY, opml
from support.person import Person, Said
from support.programs import another_temporal, free_port

IMPORTED = {
    "outlines": 9,
    "added": 4,
    "followed": 1,
    "duplicates": 1,
    "broken": 3,
    "categories": 2,
    "lines": [
        {
            "line": 3,
            "outcome": "broken",
            "title": "Typo \u001b[31m",
            "url": "htp:/x",
            "reason": "url_invalid",
            "detail": "it is none",
            "advice": "Check it.",
        },
        {
            "line": 5,
            "outcome": "duplicate",
            "title": "A",
            "url": "https://a.example/",
            "firstLine": 2,
        },
        {"line": 6, "outcome": "followed", "title": "B", "url": "https://b.example/"},
        {"line": 7, "outcome": "broken", "reason": "no_feed_url", "advice": "Look for one."},
        {
            "line": 8,
            "outcome": "broken",
            "title": "Typo too",
            "url": "x",
            "reason": "url_invalid",
            "advice": "Check it.",
        },
    ],
}
NOTHING_NEW = {
    "outlines": 1,
    "added": 0,
    "followed": 1,
    "duplicates": 0,
    "broken": 0,
    "categories": 0,
    "lines": IMPORTED["lines"][2:3],  # type: ignore[index]
}


@pytest_asyncio.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedGateway]:
    async with scripted_gateway() as serving:
        monkeypatch.setenv("FEEDMILL_URL", serving.url)
        monkeypatch.setenv("FEEDMILL_TOKEN", TOKEN)
        serving.answers["POST /api/v1/opml"] = (200, IMPORTED)
        serving.answers["GET /api/v1/opml"] = (200, web.Response(body="<opml>é</opml>".encode()))
        yield serving


@pytest.fixture
def file(tmp_path: Path) -> Path:
    listed = tmp_path / "feeds.opml"
    listed.write_text(FEEDLY)
    return listed


async def test_an_import_tells_what_came_of_every_line(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    said = await person.types("import", str(file))

    assert said == Said(
        code=0,
        out="4 of 9 feeds added, 2 categories made, 1 followed already, "
        "1 more than once in the file, 3 broken.\n"
        "\n"
        "url_invalid: Check it.\n"
        "  line 3: Typo [31m htp:/x (it is none)\n"
        "  line 8: Typo too x\n"
        "\n"
        "duplicate: A feed is in one category here: where it stands first in the file.\n"
        "  line 5: A https://a.example/ (first on line 2)\n"
        "\n"
        "no_feed_url: Look for one.\n"
        "  line 7:\n",
        err="",
    )
    assert (gateway.asked, gateway.bodies) == (["POST /api/v1/opml"], [FEEDLY.encode()])


async def test_an_import_with_nothing_to_tell_is_one_line(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    gateway.answers["POST /api/v1/opml"] = (200, NOTHING_NEW)

    said = await person.types("import", str(file))

    assert said == Said(code=0, out="0 of 1 feeds added, 1 followed already.\n", err="")


async def test_an_import_that_takes_long_is_waited_for(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    href = "/api/v1/imports/3"
    promised = {**IMPORTED, "added": 1, "waiting": 3, "href": href, "status": "running"}
    gateway.answers["POST /api/v1/opml"] = (202, {**promised, "lines": []})
    gateway.answers[f"GET {href}"] = (200, {**IMPORTED, "href": href, "status": "completed"})

    said = await person.types("import", str(file))

    assert said.code == 0
    assert said.out.startswith(
        "3 of 9 outlines still to be followed\n4 of 9 feeds added, 2 categories made,"
    )
    assert gateway.asked == ["POST /api/v1/opml", f"GET {href}"]


async def test_an_import_that_nobody_waits_for_says_where_it_is_told(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    promised = {**NOTHING_NEW, "waiting": 1, "href": "/api/v1/imports/3", "status": "running"}
    gateway.answers["POST /api/v1/opml"] = (202, promised)

    said = await person.types("import", str(file), "--no-wait")

    assert said.code == 0
    assert said.out == "0 of 1 feeds added, 1 followed already, 1 still to come.\n"
    assert said.err == "It goes on by itself: /api/v1/imports/3\n"


async def test_an_import_that_ended_early_fails_and_says_what_helps(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    ended = {**NOTHING_NEW, "waiting": 1, "href": "/api/v1/imports/3", "status": "cancelled"}
    gateway.answers["POST /api/v1/opml"] = (202, ended)

    said = await person.types("import", str(file))

    assert said.code == 1
    assert "the import ended early (cancelled), with 1 outlines not followed" in said.err


async def test_an_import_as_json_is_what_the_gateway_said(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    said = await person.types("import", str(file), "--json")

    assert json.loads(said.out) == IMPORTED
    assert "\x1b" not in said.out


async def test_a_list_comes_from_a_pipe(
    person: Person, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff<opml/>")))

    said = await person.types("import", "-")

    assert (said.code, gateway.bodies) == (0, [b"\xff<opml/>"])


async def test_a_refused_file_says_why_and_fails(
    person: Person, gateway: ScriptedGateway, file: Path
) -> None:
    refused = problem(
        422, "List refused", "It is no XML.", reason="not_a_list", advice="Export it again."
    )
    gateway.answers["POST /api/v1/opml"] = (422, refused)

    said = await person.types("import", str(file))

    assert said == Said(
        code=1, out="", err="feedmill: not_a_list: It is no XML.\nExport it again.\n"
    )


async def test_a_file_that_cannot_be_read_is_not_sent(
    person: Person, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"<" * (MAX_LIST_BYTES + 1))

    missing = await person.types("import", "missing.opml")
    folder = await person.types("import", str(tmp_path))
    too_large = await person.types("import", str(large))

    assert missing == Said(
        code=1, out="", err="feedmill: missing.opml: No such file or directory\n"
    )
    assert folder == Said(code=1, out="", err=f"feedmill: {tmp_path}: Is a directory\n")
    assert too_large == Said(
        code=1,
        out="",
        err=f"feedmill: list_too_large: {large}\n{ADVICE[Reason.LIST_TOO_LARGE]}\n",
    )
    assert gateway.asked == []


async def test_an_export_goes_to_a_file_or_a_pipe(
    person: Person, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    to_file = await person.types("export", "mine.opml")
    gateway.answers["GET /api/v1/opml"] = (200, web.Response(body="<opml>ü</opml>".encode()))
    to_pipe = await person.types("export")

    assert to_file == Said(code=0, out="", err="")
    assert (tmp_path / "mine.opml").read_text() == "<opml>é</opml>"
    assert to_pipe == Said(code=0, out="<opml>ü</opml>", err="")


async def test_an_export_that_cannot_be_written_fails(
    person: Person, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    said = await person.types("export", str(tmp_path / "nowhere" / "mine.opml"))

    assert said.code == 1
    assert "No such file or directory" in said.err


async def test_a_feed_is_added_to_a_category(person: Person, gateway: ScriptedGateway) -> None:
    feed = {"id": 7, "url": "https://a.example/", "addedAt": "2026-01-31T12:00:00Z"}
    run = {"workflowId": "feed-ingestion/7", "runId": "0a", "href": "/api/v1/runs/x/0a"}
    kept = {**feed, "category": ["Tech", "AI"]}
    gateway.answers["POST /api/v1/feeds"] = (202, {"feed": feed, "run": run})
    gateway.answers["PATCH /api/v1/feeds/7"] = (200, kept)

    said = await person.types(
        "add", "https://a.example/", "--category", " /Tech / AI", "--no-wait", "--json"
    )

    assert json.loads(said.out) == {"feed": kept, "run": run, "finished": None}
    assert gateway.bodies == [{"url": "https://a.example/"}, {"category": ["Tech", "AI"]}]


async def test_a_feed_that_takes_long_is_put_into_its_category_at_last(
    person: Person, gateway: ScriptedGateway
) -> None:
    run = {"workflowId": "subscribe/1/0a", "runId": "0a", "href": "/api/v1/runs/x/0a"}
    ended = {**run, "status": "completed", "progress": {"feedId": 7, "step": "done"}}
    gateway.answers["POST /api/v1/feeds"] = (202, {"feed": None, "run": run})
    gateway.answers["PATCH /api/v1/feeds/7"] = (200, {})
    gateway.streams = [[message("run.finished", ended)]]

    said = await person.types("add", "https://a.example/", "--category", "Tech")
    unwatched = await person.types("add", "https://a.example/", "--category", "Tech", "--no-wait")

    assert said.code == 0, said
    assert gateway.bodies[1] == {"category": ["Tech"]}
    assert unwatched.code == 1
    assert "in no category" in unwatched.err


async def test_feeds_are_listed_by_category(person: Person, gateway: ScriptedGateway) -> None:
    def feed(number: int, title: str, *category: str) -> dict[str, object]:
        return {
            "id": number,
            "url": "https://a.example/",
            "title": title,
            "category": category,
            "addedAt": "2026-01-31T12:00:00Z",
        }

    items = [feed(1, "A", "tech", "AI"), feed(2, "B"), feed(3, "C", "Mills"), feed(4, "D", "tech")]
    gateway.answers["GET /api/v1/feeds"] = (200, {"items": items})

    said = await person.types("feeds")

    assert [line.split() for line in said.out.splitlines()] == [
        ["ID", "feed", "category", "health", "entries", "waiting", "last", "asked"],
        ["2", "B", "new", "0", "0", "never"],
        ["3", "C", "Mills", "new", "0", "0", "never"],
        ["4", "D", "tech", "new", "0", "0", "never"],
        ["1", "A", "tech", "/", "AI", "new", "0", "0", "never"],
    ]


def many_feeds() -> bytes:
    """Return a list of 5,000 feeds in 1,020 categories, with names that make trouble."""
    trouble = ["R&amp;D", "&lt;b&gt;", "&quot;q&quot; 'q'", "a/b", "日本 🧀", "plain"]
    outlines = []
    for shelf in range(20):
        outlines.append(f'<outline text="Shelf {shelf} {trouble[shelf % 6]}">')
        for box in range(50):
            outlines.append(f'<outline text="Box {box} {trouble[box % 6]}">')
            outlines += [
                f'<outline type="rss" text="{trouble[number % 6]} {shelf}.{box}.{number}" '
                f'xmlUrl="https://h{(shelf * 50 + box) % 700}.example/{shelf}/{box}?n={number}&amp;x=1"/>'
                for number in range(5)
            ]
            outlines.append("</outline>")
        outlines.append("</outline>")
    return opml(*outlines)


@pytest_asyncio.fixture
async def own_temporal() -> AsyncIterator[Client]:
    """A Temporal of its own: the one that tests share remembers workers for minutes."""
    async with another_temporal() as client:
        yield client


async def test_an_import_is_waited_for_while_the_gateway_is_restarted(
    person: Person,
    store: Store,
    own_temporal: Client,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    port = free_port()
    monkeypatch.setattr("support.live_gateway.free_port", lambda: port)
    monkeypatch.setattr("feedmill_gateway.lists.importing._IMPORTING_SECONDS", 0.5)
    monkeypatch.setenv("FEEDMILL_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FEEDMILL_TOKEN", live_gateway.TOKEN)
    (tmp_path / "given.opml").write_bytes(opml('<outline xmlUrl="https://a.example/"/>'))
    owner = (await open_library(store)).user_id

    async with running_gateway(store, own_temporal, database_url):
        importing = asyncio.create_task(person.types("import", "given.opml"))
        async with asyncio.timeout(20):
            while not await kept(store, owner):
                await asyncio.sleep(0.05)
    # So long that it is asked in vain.
    await asyncio.sleep(1.5)
    async with (
        running_gateway(store, own_temporal, database_url),
        build_worker(
            own_temporal,
            TaskQueue.ORCHESTRATION,
            workflows=[ImportSubscriptionsWorkflow],
            activities=[Importer(store).follow_listed],
        ),
    ):
        said = await importing

    assert said.code == 0, said.err
    assert "1 of 1 outlines still to be followed\n" in said.out
    assert "1 of 1 feeds added.\n" in said.out


async def kept(store: Store, user_id: int) -> list[KeptImport]:
    async with store.transaction() as tx:
        return await tx.imports.recent(user_id)


async def test_five_thousand_outlines_go_round(
    person: Person,
    store: Store,
    own_temporal: Client,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "given.opml").write_bytes(many_feeds())
    monkeypatch.setenv("FEEDMILL_TOKEN", live_gateway.TOKEN)
    owner = (await open_library(store)).user_id
    async with (
        build_worker(
            own_temporal,
            TaskQueue.ORCHESTRATION,
            workflows=[ImportSubscriptionsWorkflow],
            activities=[Importer(store).follow_listed],
        ),
        running_gateway(store, own_temporal, database_url) as gateway,
    ):
        monkeypatch.setenv("FEEDMILL_URL", gateway.url)
        started = time.perf_counter()
        first = await person.types("import", "given.opml")
        imported_at = time.perf_counter()
        await person.types("export", "first.opml")
        exported_at = time.perf_counter()
        again = await person.types("import", "first.opml")
        async with store.transaction() as tx:
            listed = await tx.lists.listed(owner)
            paths = set(await tx.categories.of(owner))
            await tx.connection.execute(delete(feeds))
            await tx.connection.execute(delete(categories))
        anew = await person.types("import", "first.opml")
        await person.types("export", "second.opml")
    async with store.transaction() as tx:
        listed_anew = await tx.lists.listed(owner)
        paths_anew = set(await tx.categories.of(owner))

    print(f"import {imported_at - started:.2f} s, export {exported_at - imported_at:.2f} s")
    # Above it stand the words of the worker, which shares our output here.
    told = [said.out.splitlines()[-1] for said in (first, again, anew)]
    assert told == [
        "5000 of 5000 feeds added, 1020 categories made.",
        "0 of 5000 feeds added, 5000 followed already.",
        "5000 of 5000 feeds added, 1020 categories made.",
    ]
    assert (len(listed), _in_order(listed_anew)) == (5_000, _in_order(listed))
    assert paths_anew == paths
    assert _outlines(tmp_path / "second.opml") == _outlines(tmp_path / "first.opml")


def _in_order(listed: list[ListedFeed]) -> list[ListedFeed]:
    return sorted(listed, key=lambda feed: feed.url)


def _outlines(file: Path) -> str:
    return file.read_text().partition("<body>")[2]
