"""A model distiller as the service builds it: with the till that all workers share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from feedmill.models.spending import Ceilings
from feedmill.store import Store
from feedmill_distillation.endpoint import Endpoint
from feedmill_distillation.model import ModelDistiller, open_client
from feedmill_distillation.prices import Price
from feedmill_distillation.recipe_files import RecipeFile
from feedmill_distillation.till import Pace, StoreTill
from support.model_server import COMPLETION_TOKENS, PROMPT_TOKENS, ModelServer

PRICE = Price(input=Decimal(1), output=Decimal(2))
CALL_NANOS = PRICE.nanos(PROMPT_TOKENS, COMPLETION_TOKENS)
FILE = RecipeFile(name="standard", prompt="Distil.", answer_tokens=100)


@asynccontextmanager
async def open_till_model(
    server: ModelServer,
    store: Store,
    *,
    ceilings: Ceilings = Ceilings(),  # noqa: B008 - frozen
    pace: Pace = Pace(),  # noqa: B008 - frozen
    price: Price | None = PRICE,
    model: str = "small",
    file: RecipeFile = FILE,
    places: int = 100,
) -> AsyncIterator[ModelDistiller]:
    till = StoreTill(
        store,
        f"{server.url} {model}",
        price=price,
        ceilings=ceilings,
        pace=pace,
        places=asyncio.Semaphore(places),
    )
    async with open_client(server.url, None, seconds=20) as client:
        endpoint = Endpoint(client, model, seconds=20, memory=till)
        yield ModelDistiller(endpoint, model, file, till)
