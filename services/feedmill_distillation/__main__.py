from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from feedmill.config import DistillationSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.isolation import open_pool
from feedmill.store import open_store
from feedmill.worker import main_of, run_worker
from feedmill_distillation.distilling import DistillationService, EntryDistiller
from feedmill_distillation.extractive import ExtractiveDistiller
from feedmill_distillation.model import open_model


async def main() -> None:
    settings = load(DistillationSettings)
    async with open_store(settings) as store, open_pool(settings.distiller_processes) as pool:
        local = ExtractiveDistiller(pool)
        async with open_distiller(settings, local) as distiller:
            service = DistillationService(
                store, distiller, local=local, concurrency=settings.model_concurrency
            )
            await run_worker(
                settings, TaskQueue.DISTILLATION, store, activities=[service.distill_entries]
            )


@asynccontextmanager
async def open_distiller(
    settings: DistillationSettings, local: EntryDistiller
) -> AsyncIterator[EntryDistiller]:
    """Open the model that the settings name, if they name one; else `local` does all the work."""
    if settings.model_url and settings.model_name:
        url, key = str(settings.model_url), settings.model_api_key
        async with open_model(url, settings.model_name, key) as model:
            yield model
    else:
        yield local


if __name__ == "__main__":
    main_of(main)
