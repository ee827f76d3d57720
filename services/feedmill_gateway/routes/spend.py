from typing import Annotated

from fastapi import APIRouter, Query

from feedmill.models.spending import SpendReport
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import StoreDep

router = APIRouter(prefix="/api/v1/spend", tags=["spend"])


@router.get("", summary="Show what distillation cost")
async def show_spend(
    _user: UserDep,
    store: StoreDep,
    days: Annotated[int, Query(ge=1, le=366, description="today among them")] = 7,
) -> SpendReport:
    """Return calls, tokens and money by day (UTC), feed, recipe and model, of all readers together."""
    async with store.transaction() as tx:
        return await tx.spend.report(days=days)
