"""Records the histories that `test_replay.py` replays: run it after adding a scenario or a workflow.

An existing file is never overwritten: it stands for a run that may still be open somewhere, and the
current code must be able to go on with it. Delete one only when no such run can exist any more.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import SingleFeedIngestion
from feedmill.errors import PermanentError
from feedmill.models.entries import ContentUnavailable, EntryDeferred, FetchOutcome
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedPolled
from feedmill.models.outcomes import Reason
from feedmill.models.runs import IngestFeed
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedIngestion, fleet
from support.programs import binary

HISTORIES = Path(__file__).parents[1] / "histories"

Services = tuple[ScriptedIngestion, ScriptedFetch, ScriptedDistillation]


def whole_way() -> Services:
    return ScriptedIngestion(_polled(25)), ScriptedFetch(), ScriptedDistillation()


def slow_host() -> Services:
    def outcome(entry_id: int, asking: int) -> FetchOutcome | None:
        later = datetime.now(UTC) + timedelta(seconds=1)
        return EntryDeferred(entry_id=entry_id, until=later) if entry_id % 3 > asking else None

    later = datetime.now(UTC) + timedelta(seconds=1)
    polls = ScriptedIngestion(FeedDeferred(feed_id=1, until=later), _polled(12))
    return polls, ScriptedFetch(outcome), ScriptedDistillation()


def dead_ends() -> Services:
    def outcome(entry_id: int, _: int) -> FetchOutcome | None:
        if entry_id % 2:
            return ContentUnavailable(entry_id=entry_id, reason=Reason.NO_ARTICLE)
        return None

    def broken(_: int) -> None:
        raise PermanentError("no such recipe")

    return ScriptedIngestion(_polled(12)), ScriptedFetch(outcome), ScriptedDistillation(broken)


def no_feed() -> Services:
    failed = FeedFailed(feed_id=1, reason=Reason.NOT_A_FEED, detail="text/html")
    return ScriptedIngestion(failed), ScriptedFetch(), ScriptedDistillation()


SCENARIOS: tuple[Callable[[], Services], ...] = (whole_way, slow_host, dead_ends, no_feed)


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    ) as environment:
        for scenario in SCENARIOS:
            path = HISTORIES / f"SingleFeedIngestion.{scenario.__name__}.json"
            if not path.exists():
                path.write_text(await _record(environment.client, scenario()))
                print(f"recorded {path.name}")


async def _record(client: Client, services: Services) -> str:
    async with fleet(client, *services):
        handle = await client.start_workflow(
            SingleFeedIngestion.run,
            IngestFeed(feed_id=1),
            id="feed-ingestion/1",
            task_queue=TaskQueue.ORCHESTRATION,
        )
        await handle.result()
    return _anonymous((await handle.fetch_history()).to_json(), client.identity)


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
