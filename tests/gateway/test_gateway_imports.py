"""Imports that take their time: promised, told line by line, cancelled, and never half begun."""

import asyncio
from io import BytesIO

import pytest
import pytest_asyncio
from aiohttp import ClientSession, FormData
from sqlalchemy import func, select, text
from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from feedmill.contracts.queues import TaskQueue
from feedmill.models.lists import (
    FollowListed,
    ImportsListed,
    ListedFeed,
    ListedFollowed,
    ListImported,
    ListRead,
)
from feedmill.models.outcomes import Reason
from feedmill.models.reader import RunStatus
from feedmill.store import Store
from feedmill.store.tables import import_lines, imports, subscriptions
from feedmill.worker import heartbeating
from feedmill.worker.run import build_worker
from feedmill_orchestrator.importing import Importer
from feedmill_orchestrator.workflows.import_subscriptions import ImportSubscriptionsWorkflow
from support.library import Library
from support.live_gateway import TOKEN, browser, client, running_gateway
from support.opml import opml
from support.programs import binary

OPML = "/api/v1/opml"
FILE = opml(
    '<outline type="rss" text="A" xmlUrl="https://a.example/"/>',
    '<outline type="rss" text="B" xmlUrl="https://b.example/"/>',
    '<outline type="rss" text="Gone"/>',
)
READ = ListRead(feeds=(ListedFeed(url="https://a.example/", line=1),))


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedmill_gateway.lists.importing._IMPORTING_SECONDS", 0.5)


class HeldImporter(Importer):
    """Never comes to its first line."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.reached = asyncio.Event()

    @activity.defn
    async def follow_listed(self, request: FollowListed) -> ListedFollowed:
        self.reached.set()
        async with heartbeating():
            await asyncio.sleep(60)
        return await super().follow_listed(request)


def orchestrating(temporal: Client, importer: Importer) -> Worker:
    """Serve imports while the block lasts."""
    return build_worker(
        temporal,
        TaskQueue.ORCHESTRATION,
        workflows=[ImportSubscriptionsWorkflow],
        activities=[importer.follow_listed],
    )


async def sent(api: ClientSession, status: int) -> ListImported:
    answer = await api.post(OPML, data=BytesIO(FILE))
    assert answer.status == status, await answer.text()
    return ListImported.model_validate(await answer.json())


async def shown(api: ClientSession, report: ListImported) -> ListImported:
    answer = await api.get(report.href)
    assert answer.status == 200
    return ListImported.model_validate(await answer.json())


async def counted(store: Store, *tables: object) -> list[int]:
    async with store.transaction() as tx:
        return [
            (
                await tx.connection.execute(select(func.count()).select_from(table))  # type: ignore[arg-type]
            ).scalar_one()
            for table in tables
        ]


async def until_ended(api: ClientSession, report: ListImported) -> ListImported:
    async with asyncio.timeout(20):
        while (now := await shown(api, report)).waiting or now.status is RunStatus.RUNNING:
            await asyncio.sleep(0.05)
    return now


async def test_what_takes_long_is_promised_and_kept(
    api: ClientSession, temporal: Client, store: Store
) -> None:
    promised = await sent(api, 202)
    joined = await sent(api, 202)
    async with orchestrating(temporal, Importer(store)):
        ended = await until_ended(api, promised)
        again = await sent(api, 200)

    assert (promised.waiting, promised.broken, promised.status) == (2, 1, RunStatus.RUNNING)
    assert joined == promised
    assert [line.reason for line in promised.lines] == [Reason.NO_FEED_URL]
    assert (ended.added, ended.waiting, ended.status) == (2, 0, RunStatus.COMPLETED)
    assert ended.lines == promised.lines
    assert (again.id, again.added, again.followed) == (promised.id, 0, 2)


async def test_the_page_goes_on_telling(
    reader: ClientSession, temporal: Client, store: Store
) -> None:
    form = FormData()
    form.add_field("file", BytesIO(FILE), filename="feeds.opml", content_type="text/x-opml")
    answer = await reader.post("/opml", data=form)
    under_way = await answer.text()
    async with orchestrating(temporal, Importer(store)):
        async with asyncio.timeout(20):
            while 'http-equiv="refresh"' in (done := await (await reader.get(answer.url)).text()):
                await asyncio.sleep(0.05)

    assert answer.url.path.startswith("/imports/")
    assert "2 outlines of 3 still to be followed" in under_way
    assert 'http-equiv="refresh"' in under_way
    assert "<h1>2 feeds added</h1>" in done


async def test_an_import_is_cancelled_and_goes_on_when_it_is_sent_again(
    api: ClientSession, reader: ClientSession, temporal: Client, store: Store
) -> None:
    promised = await sent(api, 202)
    held = HeldImporter(store)
    async with orchestrating(temporal, held):
        await asyncio.wait_for(held.reached.wait(), 20)
        answer = await api.post(f"{promised.href}/cancel")
    async with orchestrating(temporal, Importer(store)):
        cancelled = ListImported.model_validate(await answer.json())
        page = await (await reader.get(f"/imports/{promised.id}")).text()
        twice = await (await api.post(f"{promised.href}/cancel")).json()
        ended = await until_ended(api, await sent(api, 200))

    assert (answer.status, cancelled.status) == (200, RunStatus.CANCELLED)
    assert cancelled.waiting == 2
    assert "It has ended early, with 2 outlines not followed" in page
    assert 'http-equiv="refresh"' not in page
    assert twice["status"] == "cancelled"
    assert (ended.added, ended.waiting) == (2, 0)


async def test_imports_are_listed_newest_first_and_only_ones_own(
    api: ClientSession, temporal: Client, store: Store, library: Library
) -> None:
    async with orchestrating(temporal, Importer(store)):
        first = await sent(api, 200)
        other = opml('<outline xmlUrl="https://c.example/"/>')
        second = ListImported.model_validate(
            await (await api.post(OPML, data=BytesIO(other))).json()
        )
    listed = ImportsListed.model_validate(await (await api.get("/api/v1/imports")).json())
    async with store.transaction() as tx:
        insert = "insert into users (name) values ('somebody else') returning id"
        stranger = (await tx.connection.execute(text(insert))).scalar_one()
        await tx.connection.execute(
            text(f"update imports set user_id = {stranger} where id = {first.id}")
        )

    assert listed.items == tuple(each.model_copy(update={"lines": ()}) for each in (second, first))
    for path in (first.href, "/api/v1/imports/77"):
        assert (await api.get(path)).status == 404
        assert (await api.post(f"{path}/cancel")).status == 404


@pytest_asyncio.fixture
async def gone() -> Client:
    """A client of a Temporal that has gone away."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), data_converter=pydantic_data_converter
    ) as environment:
        return environment.client


async def test_while_nobody_can_tell_an_import_is_not_called_ended(
    store: Store, library: Library, gone: Client, database_url: str
) -> None:
    async with store.transaction() as tx:
        kept, _ = await tx.imports.keep(library.user_id, "hash", READ)

    async with running_gateway(store, gone, database_url) as gateway, browser(gateway.url) as web:
        await web.get("/", params={"token": TOKEN})
        page = await (await web.get(f"/imports/{kept}")).text()

    assert "ended early" not in page
    assert "1 outline of 1 still to be followed" in page
    assert 'http-equiv="refresh"' in page


async def test_imports_are_listed_soon_whether_or_not_temporal_answers(
    store: Store, library: Library, gone: Client, database_url: str
) -> None:
    async with store.transaction() as tx:
        for number in range(20):
            await tx.imports.keep(library.user_id, f"hash {number}", READ)

    async with running_gateway(store, gone, database_url) as gateway, client(gateway.url) as api:
        async with asyncio.timeout(20):
            listed = ImportsListed.model_validate(await (await api.get("/api/v1/imports")).json())

    assert [(each.waiting, each.status) for each in listed.items] == [(1, None)] * 20


async def test_without_temporal_nothing_is_half_imported(
    store: Store, library: Library, gone: Client, database_url: str
) -> None:
    async with running_gateway(store, gone, database_url) as gateway, client(gateway.url) as api:
        answer = await api.post(OPML, data=BytesIO(FILE))

    problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["type"]) == (503, "urn:feedmill:problem:temporal-unavailable")
    assert await counted(store, imports, import_lines, subscriptions) == [0, 0, 0]


async def test_what_one_could_not_begin_and_another_did_goes_on(
    api: ClientSession, temporal: Client, store: Store, gone: Client, database_url: str
) -> None:
    async with running_gateway(store, gone, database_url) as cut, client(cut.url) as first:
        failing = asyncio.create_task(first.post(OPML, data=BytesIO(FILE)))
        async with asyncio.timeout(20):
            while (await counted(store, imports)) == [0]:
                await asyncio.sleep(0.05)
        promised = await sent(api, 202)
        failed = await failing
    async with orchestrating(temporal, Importer(store)):
        ended = await until_ended(api, promised)

    assert failed.status == 503
    assert (ended.added, ended.waiting) == (2, 0)
