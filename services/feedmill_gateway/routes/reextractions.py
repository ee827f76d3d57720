from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from feedmill.models.events import RunRef
from feedmill.models.reader import ReextractionView
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import ReextractionsDep, StoreDep
from feedmill_gateway.queries import NewReextraction

router = APIRouter(prefix="/api/v1/reextractions", tags=["reextractions"])


@router.post("", status_code=HTTPStatus.ACCEPTED, summary="Read kept pages anew")
async def start(
    body: NewReextraction, user: UserDep, store: StoreDep, reextractions: ReextractionsDep
) -> ReextractionView:
    """Find the articles of kept pages anew, as better extraction would; no site is asked.

    Articles that read otherwise then are distilled anew. While one runs, asking again joins it.
    """
    if body.feed_id is not None:
        async with store.transaction() as tx:
            await tx.reader.feed(user, body.feed_id)
    return await reextractions.start(body.feed_id, body.since)


@router.get("/{workflow_id:path}/{run_id:uuid}", summary="Show a reextraction")
async def show(
    workflow_id: str, run_id: UUID, _user: UserDep, reextractions: ReextractionsDep
) -> ReextractionView:
    """Return how far a reextraction has come."""
    return await reextractions.describe(RunRef(workflow_id=workflow_id, run_id=str(run_id)))
