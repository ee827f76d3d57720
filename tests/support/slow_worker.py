"""A worker process for tests of how a process leaves: one activity that takes as long as it is told."""

import asyncio
import os

from temporalio import activity

from feedmill.config import OrchestratorSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.store import open_store
from feedmill.worker import heartbeating, main_of, run_worker
from support.workflows import CallOne


@activity.defn
async def take_your_time() -> str:
    print("BEGUN", flush=True)
    async with heartbeating():
        await asyncio.sleep(float(os.environ["SLOW_SECONDS"]))
    return "finished"


async def main() -> None:
    settings = load(OrchestratorSettings)
    async with open_store(settings) as store:
        await run_worker(
            settings,
            TaskQueue.ORCHESTRATION,
            store,
            activities=[take_your_time],
            workflows=[CallOne],
        )


if __name__ == "__main__":
    main_of(main)
