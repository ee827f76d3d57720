"""A process that polls what is due once, the way ingestion does, and prints what it came to.

python -m support.poll_process DATABASE_URL ACTIVITY ATTEMPT SPACING_SECONDS
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta

from temporalio.testing import ActivityEnvironment

from feedmill.config import StoreSettings
from feedmill.isolation import open_pool
from feedmill.models.feeds import PollDueFeeds
from feedmill.store import open_store
from feedmill.web.client import open_web
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.scheduling import Pace
from support.manners import governor_of
from support.web import web_settings

PACE = Pace(
    conditional=timedelta(hours=1), unconditional=timedelta(days=1), refresh=timedelta(minutes=5)
)


async def main(database_url: str, activity: str, attempt: str, spacing: str) -> None:
    async with (
        open_store(StoreSettings(database_url=database_url, database_pool_size=5)) as store,
        open_web(web_settings()) as web,
        open_pool(1) as parsers,
    ):
        seconds = float(spacing)
        governor = governor_of(store, timedelta(seconds=seconds), in_flight=1 if seconds else 200)
        poller = Poller(store, governor, Asker(web, governor, parsers), PACE)
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=int(attempt), activity_id=activity)
        polled = await environment.run(poller.poll_due_feeds, PollDueFeeds(seconds=20))
        print(polled.model_dump_json())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
