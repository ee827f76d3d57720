from datetime import timedelta

from feedmill.config import IngestionSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.isolation import open_pool
from feedmill.store import open_store
from feedmill.web.client import open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.worker import main_of, run_worker
from feedmill_ingestion.polling import Poller


async def main() -> None:
    settings = load(IngestionSettings)
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.parser_processes) as parsers,
    ):
        governor = Governor(store, manners_of(settings))
        interval = timedelta(seconds=settings.poll_interval_seconds)
        poller = Poller(store, web, governor, parsers, interval)
        await run_worker(settings, TaskQueue.INGESTION, store, activities=[poller.poll_feeds])


if __name__ == "__main__":
    main_of(main)
