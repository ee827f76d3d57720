from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from feedmill.errors import NotFoundError
from feedmill.models.events import RunRef
from feedmill.models.reader import MAX_ID, RunList, RunView
from feedmill.store import Store
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import RunsDep, StoreDep
from feedmill_gateway.runs import feed_of

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])

# Workflow ids contain slashes; what comes after the last one is the run's.
RUN_PATH = "/{workflow_id:path}/{run_id:uuid}"


async def followed_run(
    workflow_id: str, run_id: UUID, user: UserDep, store: StoreDep, runs: RunsDep
) -> RunRef:
    """Return the run a path names, if it is about a feed the user follows, or wanted to follow.

    Raises
    ------
    NotFoundError
        It is not.
    """
    ref = RunRef(workflow_id=workflow_id, run_id=str(run_id))
    feed_id = feed_of(workflow_id)
    if feed_id is not None and feed_id in await _followed(store, user, [feed_id]):
        return ref
    if await runs.began(ref, user):
        return ref
    raise NotFoundError("There is no such run of a feed you follow.")


RunDep = Annotated[RunRef, Depends(followed_run)]


@router.get("", summary="List runs")
async def list_runs(user: UserDep, store: StoreDep, runs: RunsDep) -> RunList:
    """Return the newest 50 runs of feeds you follow, without their progress."""
    found = await runs.recent()
    followed = await _followed(store, user, [run.feed_id for run in found if run.feed_id])
    return RunList(items=tuple(run for run in found if run.feed_id in followed))


@router.get(RUN_PATH, summary="Show a run")
async def show_run(run: RunDep, runs: RunsDep) -> RunView:
    """Return how a run stands and how far it has come.

    The progress is null while no worker can tell, and when the run ended without a result.
    """
    return await runs.describe(run)


async def _followed(store: Store, user: int, feed_ids: list[int]) -> frozenset[int]:
    async with store.transaction() as tx:
        return await tx.reader.follows(user, [id_ for id_ in feed_ids if id_ <= MAX_ID])
