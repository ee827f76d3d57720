from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from feedmill.config import DistillationSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.isolation import open_pool
from feedmill.store import Store, open_store
from feedmill.worker import main_of, run_worker
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.extractive import ExtractiveDistiller
from feedmill_distillation.kitchen import Kitchen, read_kitchen
from feedmill_distillation.menu import EntryDistiller
from feedmill_distillation.model import open_client

# Articles at hand for each that the model may have.
_AT_HAND, _AND_A_FEW = 2, 2


async def main() -> None:
    settings = load(DistillationSettings)
    kitchen = read_kitchen(settings)
    async with open_store(settings) as store, open_pool(settings.distiller_processes) as pool:
        local = ExtractiveDistiller(pool)
        async with open_service(settings, kitchen, store, local) as service:
            await run_worker(
                settings,
                TaskQueue.DISTILLATION,
                store,
                activities=[service.distill_entries],
                begin=lambda _client: service.offer(),
            )


@asynccontextmanager
async def open_service(
    settings: DistillationSettings, kitchen: Kitchen, store: Store, local: EntryDistiller
) -> AsyncIterator[DistillationService]:
    """Open the model that the settings name, if they name one; else `local` does all the work."""
    if settings.model_url is None:
        yield DistillationService(store, local, local=local, concurrency=settings.model_concurrency)
        return
    kitchen.show_ceilings()
    async with open_client(str(settings.model_url), settings.model_api_key) as client:
        named = kitchen.distillers(client, store, local)
        yield DistillationService(
            store,
            named[settings.recipe],
            local=local,
            # While some are with the model, the next are made ready and the last are stored.
            concurrency=_AT_HAND * settings.model_concurrency + _AND_A_FEW,
            named=named,
            ladder=[named[step] for step in settings.when_spent],
        )


if __name__ == "__main__":
    main_of(main)
