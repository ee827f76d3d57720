"""What an activity may want of the worker it runs in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from feedmill.contracts.options import HEARTBEAT_EVERY
from feedmill.models.events import RunRef


def current_run() -> RunRef | None:
    """Return the workflow run this activity works for; None outside a workflow's activity."""
    if not activity.in_activity():
        return None
    info = activity.info()
    if info.workflow_id is None or info.workflow_run_id is None:
        return None
    return RunRef(workflow_id=info.workflow_id, run_id=info.workflow_run_id)


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Tell Temporal that this attempt is alive while the block runs.

    What is done is in the store, so a heartbeat carries nothing: throttling may eat it.
    """
    task = asyncio.create_task(_beat(), name="heartbeat")
    try:
        yield
    finally:
        task.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY.total_seconds())
