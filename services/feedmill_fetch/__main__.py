from datetime import timedelta

from feedmill.config import FetchSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.isolation import open_pool
from feedmill.store import open_store
from feedmill.web.client import open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.web.robots import Robots
from feedmill.worker import main_of, run_worker
from feedmill_fetch.asking import PageAsker
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.reextracting import Reextractor


async def main() -> None:
    settings = load(FetchSettings)
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.extractor_processes) as extractors,
    ):
        governor = Governor(store, manners_of(settings))
        robots = Robots(store, web, governor)
        asker = PageAsker(
            store, web, governor, robots, extractors, keeps_pages=settings.keep_pages_days > 0
        )
        pruner = PagePruner(store, timedelta(days=settings.keep_pages_days))
        fetcher = Fetcher(store, asker, pruner, always_asks=settings.always_fetch_pages)
        reextractor = Reextractor(store, extractors)
        await run_worker(
            settings,
            TaskQueue.FETCH,
            store,
            activities=[fetcher.fetch_entries, reextractor.reextract_pages],
        )


if __name__ == "__main__":
    main_of(main)
