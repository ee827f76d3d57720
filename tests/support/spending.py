"""What calls to a model that nobody makes would leave in the store."""

from datetime import timedelta

from feedmill.models.spending import Ceilings, Payer, Reservation, Spent, Usage
from feedmill.store import Store
from feedmill.store.till import Entrant

_UNBOUNDED = Ceilings()


async def reserve(
    store: Store, most: Usage, ceilings: Ceilings = _UNBOUNDED
) -> Reservation | Spent:
    """Enter with a call that was never made before, to an endpoint that asks for no time."""
    entrant = Entrant("a call", "http://here/v1 small", timedelta(0), most)
    async with store.statement() as tx:
        answer = await tx.till.enter(entrant, ceilings)
    assert isinstance(answer, Reservation | Spent)
    return answer


async def spend(store: Store, used: Usage, payer: Payer) -> None:
    """Put down a call that used just what it reserved."""
    reserved = await reserve(store, used)
    assert isinstance(reserved, Reservation)
    async with store.statement() as tx:
        await tx.till.settle(reserved, used, payer)
