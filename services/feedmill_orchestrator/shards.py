"""The shards' pollers: running as long as the fleet does, whoever starts first."""

import asyncio

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import PollShard, poll_shard_id
from feedmill.models.runs import TendShard
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

_RETRY_SECONDS = 5.0


async def keep_shards(client: Client, shards: int) -> None:
    """Start every shard's poller that does not run yet, however long Temporal takes to let us."""
    waiting = [TendShard(shard=shard, shards=shards) for shard in range(shards)]
    while waiting:
        try:
            await start_shard(client, waiting[0])
        except RPCError as error:
            log.warning("shard not started", shard=waiting[0].shard, error=error.message)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            waiting.pop(0)


async def start_shard(client: Client, request: TendShard) -> bool:
    """Start a shard's poller; False when it runs already."""
    try:
        await client.start_workflow(
            PollShard.run,
            request,
            id=poll_shard_id(request.shard),
            task_queue=TaskQueue.ORCHESTRATION,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"shard {request.shard} of {request.shards}",
        )
    except WorkflowAlreadyStartedError:
        return False
    return True
