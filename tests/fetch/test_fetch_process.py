"""The service as a process, and what is left of a slice whose process is killed."""

import asyncio
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import psutil
from aiohttp import web
from sqlalchemy import text
from temporalio.client import Client

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import ScheduleFetch
from feedmill.models.entries import ContentFetched, EntriesFetched, FetchEntries, Stage
from feedmill.models.runs import FetchBatch
from feedmill.store import Store
from feedmill.worker.run import build_worker
from feedmill_orchestrator.registry import WORKFLOWS
from support.entries import add_pages, articles, entry_row, told
from support.fleet import ScriptedDistillation
from support.origin import Origin
from support.programs import free_port

# Half of them at once is less than the service asks for of a slice.
PAGES = 24
SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "


def page(number: int) -> str:
    body = f"<p>{SENTENCE} {number} {number}</p>" * 9
    return f"<html><body><article>{body}</article></body></html>"


@asynccontextmanager
async def running_service(
    temporal: Client, database_url: str, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "feedmill_fetch",
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
            "FEEDMILL_DATABASE_URL": database_url,
            "FEEDMILL_TELEMETRY_PORT": str(free_port()),
            "FEEDMILL_ALLOWED_NETWORKS": "127.0.0.0/8",
            "FEEDMILL_HOST_SPACING_SECONDS": "0",
            "FEEDMILL_HOST_IN_FLIGHT": "50",
            "FEEDMILL_EXTRACTOR_PROCESSES": "1",
            "FEEDMILL_LOG_LEVEL": "warning",
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


@asynccontextmanager
async def rest_of_the_fleet(
    temporal: Client,
) -> AsyncIterator[ScriptedDistillation]:
    distillation = ScriptedDistillation()
    async with (
        build_worker(temporal, TaskQueue.ORCHESTRATION, workflows=WORKFLOWS),
        build_worker(temporal, TaskQueue.DISTILLATION, activities=[distillation.distill_entries]),
    ):
        yield distillation


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a service the hard way, with the processes in which it reads pages."""
    family = psutil.Process(process.pid)
    for each in (family, *family.children(recursive=True)):
        each.kill()
    await process.wait()


async def test_a_service_killed_in_the_middle_of_a_slice_loses_and_repeats_nothing_committed(
    temporal: Client, store: Store, database_url: str, origin: Origin
) -> None:
    is_open = asyncio.Event()

    def slow(number: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_: web.Request) -> web.StreamResponse:
            if number >= PAGES // 2:
                await is_open.wait()
            return web.Response(text=page(number), content_type="text/html")

        return answer

    for number in range(PAGES):
        origin.script(f"/{number}", slow(number))
    ids = await add_pages(store, *(origin.url(f"/{number}") for number in range(PAGES)))

    async def half_is_committed() -> bool:
        return len(await articles(store)) == PAGES // 2 and len(origin.paths) == PAGES

    async with rest_of_the_fleet(temporal) as distillation:
        async with running_service(temporal, database_url) as first:
            handle = await temporal.start_workflow(
                ScheduleFetch.run,
                FetchBatch(entry_ids=tuple(ids), slice_size=PAGES),
                id=f"schedule-fetch/{uuid.uuid4()}",
                task_queue=TaskQueue.ORCHESTRATION,
            )
            await until(half_is_committed)
            committed = await articles(store)
            await kill(first)
        is_open.set()
        async with store.transaction() as tx:
            # The dead one's places at the host are lost sooner or later: here, at once.
            await tx.connection.execute(text("update hosts set busy = '{}'"))
        async with running_service(temporal, database_url):
            ended = await asyncio.wait_for(handle.result(), 90)

    asked = Counter(origin.paths)
    assert ended.progress.fetched == ended.progress.distilled == PAGES
    assert await articles(store) | committed == await articles(store)
    assert {(await entry_row(store, entry_id)).stage for entry_id in ids} == {Stage.FETCHED}
    assert [asked[f"/{number}"] for number in range(PAGES // 2)] == [1] * (PAGES // 2)
    assert [asked[f"/{number}"] for number in range(PAGES // 2, PAGES)] == [2] * (PAGES // 2)
    assert sorted(entry_id for _, entry_id, *_ in await told(store)) == sorted(ids)
    assert sorted(entry_id for slice_ in distillation.slices for entry_id in slice_) == sorted(ids)


async def test_the_other_role_looks_at_pages_in_a_browser(
    temporal: Client, store: Store, database_url: str, origin: Origin
) -> None:
    origin.serve(
        "/a",
        f"<html><body><div id='root'></div><script>document.getElementById('root').innerHTML = "
        f"'<article>' + '<p>{SENTENCE}</p>'.repeat(9) + '</article>'</script></body></html>",
    )
    ids = tuple(await add_pages(store, origin.url("/a")))
    async with running_service(temporal, database_url, "browser") as process:
        fetched = await temporal.execute_activity(
            "browse_entries",
            FetchEntries(entry_ids=ids),
            result_type=EntriesFetched,
            id=f"browse/{uuid.uuid4()}",
            task_queue=TaskQueue.FETCH_BROWSER,
            schedule_to_close_timeout=timedelta(seconds=90),
            heartbeat_timeout=timedelta(seconds=30),
        )
        process.terminate()
        await process.communicate()

    assert fetched.outcomes == (ContentFetched(entry_id=ids[0]),)
    assert process.returncode == 0


async def test_a_role_that_nobody_knows_is_refused(temporal: Client) -> None:
    async with running_service(temporal, "postgresql://a@127.0.0.1:1/a", "painter") as process:
        _, complaint = await process.communicate()

    assert process.returncode == 2
    assert b"one other role: browser" in complaint
