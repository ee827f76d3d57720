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
from typing import Any, NamedTuple

from temporalio.client import Client, WorkflowContinuedAsNewError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    AllFeedsIngestion,
    ContentDistillation,
    DomainFetch,
    ImportSubscriptions,
    PollShard,
    PruneEntries,
    Reconcile,
    Redrive,
    Reextract,
    ScheduleFetch,
    SingleFeedIngestion,
    SubscribeFeed,
    Supervise,
)
from feedmill.errors import PermanentError
from feedmill.models.entries import ContentUnavailable, EntryDeferred, FetchOutcome
from feedmill.models.feeds import (
    DueFeedsPolled,
    FeedDeferred,
    FeedFailed,
    FeedPolled,
    PollOutcome,
)
from feedmill.models.hubs import HubsTended, PushesTaken
from feedmill.models.lists import ImportList, ImportProgress
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import RedriveEnded, SliceRedriven
from feedmill.models.reextraction import PagesReextracted, ReextractKept
from feedmill.models.runs import (
    DistillBatch,
    FetchBatch,
    IngestAllFeeds,
    IngestFeed,
    JoinDomain,
    ServeDomain,
    TendShard,
)
from feedmill.models.subscribing import SubscribeToFeed
from feedmill.models.upkeep import (
    ForgetOld,
    KeepShards,
    RepairStages,
    SlicePruned,
    StalledPickedUp,
)
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedHandOver,
    ScriptedHubs,
    ScriptedImporter,
    ScriptedIngestion,
    ScriptedRedriver,
    ScriptedReextraction,
    ScriptedSubscriber,
    ScriptedUpkeep,
    fleet,
)
from support.programs import binary

HISTORIES = Path(__file__).parents[1] / "histories"

# Whatever `fleet` takes, in its order.
Services = tuple[Any, ...]


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
    return (
        *whole_way(),
        ScriptedHandOver(),
        ScriptedUpkeep(),
        ScriptedSubscriber(),
        ScriptedReextraction(*SLICES),
    )


SLICES = (
    PagesReextracted(kept=3, examined=2, changed=1, to_distill=(1,), last=2),
    PagesReextracted(kept=1, examined=1),
)


def long_list() -> Services:
    """Three slices of a list."""
    importer = ScriptedImporter(
        ImportProgress(outlines=5, added=2, waiting=3),
        ImportProgress(outlines=5, added=3, followed=1, waiting=1),
        ImportProgress(outlines=5, added=4, followed=1),
    )
    return (
        *whole_way(),
        ScriptedHandOver(),
        ScriptedUpkeep(),
        ScriptedSubscriber(),
        ScriptedReextraction(),
        None,
        importer,
    )


def dead_ends_of_a_reason() -> Services:
    *services, importer = long_list()
    redriver = ScriptedRedriver(
        SliceRedriven(new_entry_ids=tuple(range(1, 500)), fetched_entry_ids=(500,)),
        SliceRedriven(new_entry_ids=(501,)),
    )
    return (*services, importer, redriver)


class Scenario(NamedTuple):
    """One run to be recorded: what is started, and who answers it."""

    name: str
    run: Any
    request: object
    services: Callable[[], Services]
    signals: tuple[tuple[str, object], ...] = ()


def early_slices() -> Services:
    return whole_way()


def busy_host() -> Services:
    polls, fetch, distillation, hubs_, *_ = slow_host()
    hand_over = ScriptedHandOver(joins=lambda entry_ids: entry_ids[:3])
    return polls, fetch, distillation, hubs_, hand_over


def every_feed() -> Services:
    def outcome(feed_id: int, asking: int) -> PollOutcome:
        later = datetime.now(UTC) + timedelta(seconds=1)
        if feed_id == 3 and not asking:
            return FeedDeferred(feed_id=3, until=later)
        return FeedPolled(feed_id=feed_id, waiting_entry_ids=(feed_id,))

    polls, hand_over = ScriptedIngestion(outcome=outcome), ScriptedHandOver(range(1, 7))
    return polls, ScriptedFetch(), ScriptedDistillation(), ScriptedHubs(), hand_over


def something_stalled() -> Services:
    stalled = StalledPickedUp(new_entry_ids=(1, 2), fetched_entry_ids=(3,), left=1)
    pruned = (SlicePruned(pruned=3, next_after=9), SlicePruned(pruned=1))
    upkeep = ScriptedUpkeep([stalled], pruned)
    return (*whole_way(), ScriptedHandOver(), upkeep)


_BATCH = FetchBatch(entry_ids=tuple(range(1, 13)))
_SHARD = TendShard(rounds=3)
_JOINS = (("join", JoinDomain(entry_ids=tuple(range(1, 13)))),)

SCENARIOS: tuple[Scenario, ...] = (
    *(
        Scenario(each.__name__, SingleFeedIngestion.run, IngestFeed(feed_id=1), each)
        for each in (whole_way, slow_host, dead_ends, no_feed, early_slices, tried_again)
    ),
    *(
        Scenario(each.__name__, ScheduleFetch.run, _BATCH, each)
        for each in (slow_host, dead_ends, busy_host)
    ),
    *(Scenario(each.__name__, PollShard.run, _SHARD, each) for each in (rounds, hubs)),
    Scenario(
        "every_feed",
        AllFeedsIngestion.run,
        IngestAllFeeds(feeds_per_slice=2, feeds_per_history=4),
        every_feed,
    ),
    Scenario("slices", Reextract.run, ReextractKept(), slices),
    Scenario("slow_host", DomainFetch.run, ServeDomain(host="a.example"), slow_host, _JOINS),
    Scenario(
        "goes_on", DomainFetch.run, ServeDomain(host="a.example", slices=2), slow_host, _JOINS
    ),
    Scenario("whole_way", ContentDistillation.run, DistillBatch(entry_ids=(1, 2, 3)), whole_way),
    Scenario("something_stalled", Reconcile.run, RepairStages(), something_stalled),
    Scenario("something_old", PruneEntries.run, ForgetOld(keep_days=90), something_stalled),
    Scenario(
        "whole_way",
        SubscribeFeed.run,
        SubscribeToFeed(user_id=1, url="https://a.example/feed"),
        whole_way,
    ),
    Scenario(
        "undone",
        SubscribeFeed.run,
        SubscribeToFeed(user_id=1, url="https://a.example/page"),
        no_feed,
    ),
    Scenario(
        "long_list", ImportSubscriptions.run, ImportList(import_id=1, slice_size=2), long_list
    ),
    Scenario(
        "of_a_reason",
        Redrive.run,
        RedriveEnded(reason=Reason.PAGE_BLOCKED),
        dead_ends_of_a_reason,
    ),
    Scenario("all_run", Supervise.run, KeepShards(shards=2), whole_way),
)


async def main(folder: Path = HISTORIES) -> None:
    folder.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    ) as environment:
        for scenario in SCENARIOS:
            path = folder / f"{_workflow_of(scenario)}.{scenario.name}.json"
            if not path.exists():
                path.write_text(await record(environment.client, scenario))
                print(f"recorded {path.name}")


async def record(client: Client, scenario: Scenario) -> str:
    """Run a scenario, and return its history without traces of this machine."""
    workflow_id = f"{_workflow_of(scenario)}/{scenario.name}"
    async with fleet(client, *scenario.services()):
        signal, *more = scenario.signals or (("", None),)
        handle = await client.start_workflow(
            scenario.run,
            scenario.request,
            id=workflow_id,
            task_queue=TaskQueue.ORCHESTRATION,
            start_signal=signal[0] or None,
            start_signal_args=[signal[1]] if signal[0] else [],
        )
        for name, argument in more:
            await handle.signal(name, argument)
        with suppress(WorkflowContinuedAsNewError):
            await handle.result(follow_runs=False)
        first = client.get_workflow_handle(workflow_id, run_id=handle.first_execution_run_id)
        history = await first.fetch_history()
        # What goes on in another history is in nobody's way.
        with suppress(RPCError):
            await client.get_workflow_handle(workflow_id).terminate()
    return _anonymous(history.to_json(), client.identity)


def _workflow_of(scenario: Scenario) -> str:
    name: str = scenario.run.__qualname__.split(".")[0]
    return name


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
