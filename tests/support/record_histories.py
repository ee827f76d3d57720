"""Records the histories that `test_replay.py` replays: run it after adding a scenario or a workflow.

An existing file is never overwritten: it stands for a run that may still be open somewhere, and the
current code must be able to go on with it. Delete one only when no such run can exist any more.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowContinuedAsNewError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    PollShard,
    Reextract,
    ScheduleFetch,
    SingleFeedIngestion,
)
from feedmill.errors import PermanentError
from feedmill.models.entries import ContentUnavailable, EntryDeferred, FetchOutcome
from feedmill.models.feeds import DueFeedsPolled, FeedDeferred, FeedFailed, FeedPolled
from feedmill.models.hubs import HubsTended, PushesTaken
from feedmill.models.outcomes import Reason
from feedmill.models.reextraction import PagesReextracted, ReextractKept
from feedmill.models.runs import FetchBatch, IngestFeed, TendShard
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedHubs,
    ScriptedIngestion,
    ScriptedReextraction,
    fleet,
)
from support.programs import binary

HISTORIES = Path(__file__).parents[1] / "histories"

Services = tuple[ScriptedIngestion, ScriptedFetch, ScriptedDistillation, ScriptedHubs]


def whole_way() -> Services:
    return ScriptedIngestion(_polled(25)), ScriptedFetch(), ScriptedDistillation(), ScriptedHubs()


def slow_host() -> Services:
    def outcome(entry_id: int, asking: int) -> FetchOutcome | None:
        later = datetime.now(UTC) + timedelta(seconds=1)
        return EntryDeferred(entry_id=entry_id, until=later) if entry_id % 3 > asking else None

    later = datetime.now(UTC) + timedelta(seconds=1)
    polls = ScriptedIngestion(FeedDeferred(feed_id=1, until=later), _polled(12))
    return polls, ScriptedFetch(outcome), ScriptedDistillation(), ScriptedHubs()


def dead_ends() -> Services:
    def outcome(entry_id: int, _: int) -> FetchOutcome | None:
        if entry_id % 2:
            return ContentUnavailable(entry_id=entry_id, reason=Reason.NO_ARTICLE)
        return None

    def broken(_: int) -> None:
        raise PermanentError("no such recipe")

    polls = ScriptedIngestion(_polled(12))
    return polls, ScriptedFetch(outcome), ScriptedDistillation(broken), ScriptedHubs()


def no_feed() -> Services:
    failed = FeedFailed(feed_id=1, reason=Reason.NOT_A_FEED, detail="text/html")
    return ScriptedIngestion(failed), ScriptedFetch(), ScriptedDistillation(), ScriptedHubs()


SCENARIOS: tuple[Callable[[], Services], ...] = (
    whole_way,
    slow_host,
    dead_ends,
    no_feed,
)


def tried_again() -> Services:
    """A page that fails for a while, in a run that a person waits for: handed to one that is patient."""

    def outcome(entry_id: int, asking: int) -> FetchOutcome | None:
        if entry_id != 1 or asking:
            return None
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return EntryDeferred(entry_id=1, until=tomorrow, reason=Reason.SITE_BROKEN, detail="500")

    return (
        ScriptedIngestion(_polled(3)),
        ScriptedFetch(outcome),
        ScriptedDistillation(),
        ScriptedHubs(),
    )


def rounds() -> Services:
    soon = datetime.now(UTC)
    polls = ScriptedIngestion(
        rounds=[
            DueFeedsPolled(polled=2, new_entry_ids=(1, 2, 3), next_due_at=soon),
            DueFeedsPolled(polled=1, next_due_at=soon),
            DueFeedsPolled(next_due_at=soon),
        ]
    )
    return polls, ScriptedFetch(), ScriptedDistillation(), ScriptedHubs()


def hubs() -> Services:
    soon = datetime.now(UTC)
    polls = ScriptedIngestion(
        rounds=[
            DueFeedsPolled(polled=2, new_entry_ids=(1,), hubs_to_tend=12, next_due_at=soon),
            DueFeedsPolled(pushes_waiting=3, hubs_to_tend=2, next_due_at=soon),
            DueFeedsPolled(pushes_waiting=1, next_due_at=soon),
        ]
    )
    tended = [HubsTended(asked=9, refused=1, left=2), HubsTended(asked=2)]
    taken = [PushesTaken(taken=3, unreadable=1, new_entry_ids=(2, 3)), PushesTaken(taken=1)]
    return polls, ScriptedFetch(), ScriptedDistillation(), ScriptedHubs(tended, taken)


def slices() -> Services:
    """Two slices of kept pages, of which one has something to distil."""
    return ScriptedIngestion(_polled(0)), ScriptedFetch(), ScriptedDistillation(), ScriptedHubs()


SLICES = (
    PagesReextracted(kept=3, examined=2, changed=1, to_distill=(1,), last=2),
    PagesReextracted(kept=1, examined=1),
)


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    ) as environment:
        for scenario in SCENARIOS:
            await _record(
                environment.client, scenario, SingleFeedIngestion.run, IngestFeed(feed_id=1)
            )
        await _record(
            environment.client, tried_again, SingleFeedIngestion.run, IngestFeed(feed_id=1)
        )
        batch = FetchBatch(entry_ids=tuple(range(1, 13)))
        for scenario in (slow_host, dead_ends):
            await _record(environment.client, scenario, ScheduleFetch.run, batch)
        await _record(environment.client, slices, Reextract.run, ReextractKept())
        for scenario in (rounds, hubs):
            await _record(environment.client, scenario, PollShard.run, TendShard(rounds=3))


async def _record(
    client: Client, scenario: Callable[[], Services], run: Callable[..., Any], request: object
) -> None:
    name = run.__qualname__.split(".")[0]
    path = HISTORIES / f"{name}.{scenario.__name__}.json"
    if path.exists():
        return
    async with fleet(client, *scenario(), reextraction=ScriptedReextraction(*SLICES)):
        handle = await client.start_workflow(
            run, request, id=f"{name}/1", task_queue=TaskQueue.ORCHESTRATION
        )
        with suppress(WorkflowContinuedAsNewError):
            await handle.result(follow_runs=False)
        history = await client.get_workflow_handle(
            handle.id, run_id=handle.first_execution_run_id
        ).fetch_history()
    if name == "PollShard":
        await client.get_workflow_handle(handle.id).terminate()
    path.write_text(_anonymous(history.to_json(), client.identity))
    print(f"recorded {path.name}")


def _anonymous(history: str, identity: str) -> str:
    """Return a history without the names and paths of the machine it was recorded on."""

    def without_traces(event: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in event.items() if name != "stackTrace"}

    unnamed = history.replace(identity, "recorder")
    return json.dumps(json.loads(unnamed, object_hook=without_traces), indent=1) + "\n"


def _polled(count: int) -> FeedPolled:
    return FeedPolled(feed_id=1, waiting_entry_ids=tuple(range(1, count + 1)))


if __name__ == "__main__":
    asyncio.run(main())
