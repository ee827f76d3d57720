"""What an activity may want of the worker it runs in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio import activity

from feedmill.contracts.options import HEARTBEAT_EVERY
from feedmill.models.events import RunRef

T = TypeVar("T")
R = TypeVar("R")


def current_run() -> RunRef | None:
    """Return the workflow run this activity works for; None outside a workflow's activity."""
    if not activity.in_activity():
        return None
    info = activity.info()
    if info.workflow_id is None or info.workflow_run_id is None:
        return None
    return RunRef(workflow_id=info.workflow_id, run_id=info.workflow_run_id)


def attempt_key() -> str:
    """Return a name for the work of this activity, the same for each of its attempts."""
    info = activity.info()
    return f"{info.workflow_run_id}/{info.activity_id}"


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


async def in_parallel(
    work: Callable[[T], Awaitable[R]], items: Iterable[T], *, at_once: int
) -> list[R]:
    """Do the work for each item of a slice, so many at once, and return the answers in order.

    Every item gets its try; then the first exception is raised as it is: unlike a task group's, the
    class by which retrying is decided stays visible.
    """
    places = asyncio.Semaphore(at_once)

    async def in_turn(item: T) -> R:
        async with places:
            return await work(item)

    answers = await asyncio.gather(*(in_turn(item) for item in items), return_exceptions=True)
    return [_unless_raised(answer) for answer in answers]


def _unless_raised(answer: R | BaseException) -> R:
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY.total_seconds())
