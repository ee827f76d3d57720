from feedmill.config import IngestionSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.isolation import open_pool
from feedmill.store import open_store
from feedmill.web.client import open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.worker import main_of, run_worker
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.hub_keeping import HubKeeper
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.scheduling import pace_of
from feedmill_ingestion.tending import HubTender


async def main() -> None:
    settings = load(IngestionSettings)
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.parser_processes) as parsers,
    ):
        governor = Governor(store, manners_of(settings))
        asker = Asker(web, governor, parsers)
        pace = pace_of(settings)
        url = settings.public_url
        tender = HubTender(store, web, governor, str(url)) if url else None
        poller = Poller(store, governor, asker, pace, asks_hubs=tender is not None)
        keeper = HubKeeper(store, parsers, pace, tender)
        await run_worker(
            settings,
            TaskQueue.INGESTION,
            store,
            activities=[
                poller.poll_feeds,
                poller.poll_due_feeds,
                keeper.tend_hubs,
                keeper.take_pushes,
            ],
        )


if __name__ == "__main__":
    main_of(main)
