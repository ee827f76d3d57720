"""Articles looked at again, through the API: a page asked for anew, and kept pages read anew."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from temporalio.client import Client

from feedmill.models.entries import ContentUnavailable, ContentUnchanged, FetchOutcome
from feedmill.models.feeds import FeedMissing
from feedmill.models.outcomes import Reason
from feedmill.models.reader import EntryRefetching, RunStatus, RunView
from feedmill.models.reextraction import PagesReextracted
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedIngestion,
    ScriptedReextraction,
    fleet,
)
from support.library import Library


class Services:
    """What the fleet does in these tests."""

    def __init__(self) -> None:
        self.fetched: FetchOutcome | None = None
        self.fetch = ScriptedFetch(lambda _, __: self.fetched)
        self.distillation = ScriptedDistillation()
        self.reextraction = ScriptedReextraction(
            PagesReextracted(kept=3, examined=2, changed=1, failed=1, to_distill=(7,), last=20),
            PagesReextracted(kept=1, examined=1),
        )


@pytest_asyncio.fixture
async def services(temporal: Client) -> AsyncIterator[Services]:
    services = Services()
    ingestion = ScriptedIngestion(FeedMissing(feed_id=1))
    async with fleet(
        temporal,
        ingestion,
        services.fetch,
        services.distillation,
        reextraction=services.reextraction,
    ):
        yield services


async def ended(api: ClientSession, href: str, *, seconds: float = 20) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        while True:
            view: dict[str, Any] = await (await api.get(href)).json()
            if view["status"] != "running":
                return view
            await asyncio.sleep(0.05)


async def refetch(api: ClientSession, entry_id: int) -> EntryRefetching:
    answer = await api.post(f"/api/v1/entries/{entry_id}/refetch")
    assert answer.status == 202, await answer.text()
    return EntryRefetching.model_validate(await answer.json())


async def test_an_entry_is_fetched_again_and_distilled(
    api: ClientSession, library: Library, services: Services
) -> None:
    feed_id = await library.feed()
    entry_id = await library.entry(feed_id)

    run = (await refetch(api, entry_id)).run
    view = RunView.model_validate(await ended(api, run.href))

    assert run.workflow_id == f"refetch/{feed_id}/{entry_id}"
    assert (view.status, view.feed_id) == (RunStatus.COMPLETED, feed_id)
    assert view.progress is not None
    assert (view.progress.fetched, view.progress.distilled) == (1, 1)
    [request] = services.fetch.requests
    assert request.entry_ids == (entry_id,)
    assert request.again_since is not None


@pytest.mark.parametrize(
    ("outcome", "unchanged", "unavailable", "detail"),
    [
        (ContentUnchanged(entry_id=1), 1, 0, ""),
        (
            ContentUnavailable(entry_id=1, reason=Reason.PAGE_MISSING, detail="404"),
            0,
            1,
            "page_missing: 404",
        ),
        (ContentUnavailable(entry_id=1, reason=Reason.NO_ARTICLE), 0, 1, "no_article"),
    ],
)
async def test_what_came_of_it_is_told(
    api: ClientSession,
    library: Library,
    services: Services,
    outcome: FetchOutcome,
    unchanged: int,
    unavailable: int,
    detail: str,
) -> None:
    entry_id = await library.entry(await library.feed())
    services.fetched = outcome

    run = (await refetch(api, entry_id)).run
    progress = RunView.model_validate(await ended(api, run.href)).progress

    assert progress is not None
    assert (progress.unchanged, progress.unavailable) == (unchanged, unavailable)
    assert progress.detail == detail


async def test_an_entry_of_somebody_elses_feed_is_not_fetched(
    api: ClientSession, library: Library, services: Services
) -> None:
    entry_id = await library.entry(await library.feed(followed=False))

    answers = [
        await api.post(f"/api/v1/entries/{number}/refetch") for number in (entry_id, 999_999)
    ]

    assert [answer.status for answer in answers] == [404, 404]
    assert services.fetch.requests == []


async def test_kept_pages_are_read_anew_slice_by_slice(
    api: ClientSession, services: Services, library: Library
) -> None:
    answer = await api.post("/api/v1/reextractions", json={"since": "2026-01-31T00:00:00Z"})
    assert answer.status == 202
    started = await answer.json()

    view = await ended(api, started["href"])

    assert (started["workflowId"], view["status"]) == ("reextract/all", "completed")
    assert view["progress"] == {
        "total": 3,
        "examined": 3,
        "changed": 1,
        "failed": 1,
        "done": True,
    }
    assert [request.after for request in services.reextraction.requests] == [0, 20]
    assert {str(request.since) for request in services.reextraction.requests} == {
        "2026-01-31 00:00:00+00:00"
    }
    async with asyncio.timeout(20):
        while services.distillation.slices != [(7,)]:
            await asyncio.sleep(0.05)


async def test_the_pages_of_one_feed_are_read_anew_by_who_follows_it(
    api: ClientSession, services: Services, library: Library
) -> None:
    feed_id = await library.feed()
    others = await library.feed("https://other.example/feed", followed=False)

    mine = await api.post("/api/v1/reextractions", json={"feedId": feed_id})
    theirs = await api.post("/api/v1/reextractions", json={"feedId": others})

    assert (mine.status, theirs.status) == (202, 404)
    view = await ended(api, (await mine.json())["href"])
    assert view["workflowId"] == f"reextract/{feed_id}"
    assert {request.feed_id for request in services.reextraction.requests} == {feed_id}


async def test_a_reextraction_that_fails_says_why(
    api: ClientSession, services: Services, library: Library
) -> None:
    services.reextraction.is_broken = True
    feed_id = await library.feed()

    answer = await api.post("/api/v1/reextractions", json={"feedId": feed_id})
    view = await ended(api, (await answer.json())["href"])

    assert view["status"] == "failed"
    assert "no such table" in view["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "reextract/all/0b9f2f6e-0000-4000-8000-000000000000",
        "feed-ingestion/1/0b9f2f6e-0000-4000-8000-000000000000",
    ],
)
async def test_a_reextraction_that_never_was_is_not_found(
    idle_api: ClientSession, path: str
) -> None:
    assert (await idle_api.get(f"/api/v1/reextractions/{path}")).status == 404
