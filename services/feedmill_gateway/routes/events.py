from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import BellDep, RunsDep, StoreDep
from feedmill_gateway.queries import resume_after
from feedmill_gateway.routes.runs import RUN_PATH, RunDep
from feedmill_gateway.streams import EventStream, RunMessages, reader_messages

router = APIRouter(prefix="/api/v1", tags=["events"])

AfterDep = Annotated[int | None, Depends(resume_after)]

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `id` is the event's number, `event` its kind, "
        "`data` the event as JSON.",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}},
    }
}


@router.get(
    "/events",
    summary="Receive events",
    status_code=HTTPStatus.OK,
    response_class=EventStream,
    responses=_STREAM,
)
async def stream_events(
    user: UserDep, store: StoreDep, bell: BellDep, after: AfterDep
) -> EventStream:
    """Receive what happens to the feeds you follow, as it happens.

    Begins now, or after the event that `Last-Event-ID` names: nothing is lost and nothing comes
    twice, whichever replica answers.
    """
    if after is None:
        async with store.transaction() as tx:
            after = await tx.events.last_number()
    return EventStream(reader_messages(store, bell, user, after))


@router.get(
    f"/runs{RUN_PATH}/events",
    summary="Follow a run",
    status_code=HTTPStatus.OK,
    response_class=EventStream,
    responses=_STREAM,
)
async def stream_run(
    run: RunDep, store: StoreDep, runs: RunsDep, bell: BellDep, after: AfterDep
) -> EventStream:
    """Receive everything about one run from its beginning, and how far it has come.

    Beside the events there are `run.progress` and, at the end, `run.finished`; these have no
    number. The stream ends with the run.
    """
    await runs.find(run)
    return EventStream(RunMessages(store, runs, bell, run, after or 0).stream())
