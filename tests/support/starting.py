"""Starting workflows in tests, each under an id of its own."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from feedmill.contracts.queues import TaskQueue


async def start(
    client: Client, run: Any, request: object, **options: Any
) -> WorkflowHandle[Any, Any]:
    """Start a workflow on its queue."""
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(
        run,
        request,
        id=options.pop("id", f"test/{uuid.uuid4()}"),
        task_queue=TaskQueue.ORCHESTRATION,
        **options,
    )
    return handle


async def result(client: Client, run: Any, request: object, **options: Any) -> Any:
    """Start a workflow and wait for its result."""
    return await (await start(client, run, request, **options)).result()


def in_activity(**later: float) -> datetime:
    """Return a time after now by the server's clock, which may be far ahead of ours."""
    return activity.info().current_attempt_scheduled_time + timedelta(**later)
