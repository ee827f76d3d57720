"""The fetch service: `python -m feedmill_fetch`, and `python -m feedmill_fetch browser` for its other pool."""

import sys
from datetime import timedelta

from feedmill.config import FetchSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.errors import SettingsError
from feedmill.isolation import open_pool
from feedmill.store import open_store
from feedmill.web.client import agent_of, open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.web.robots import Robots
from feedmill.worker import main_of, run_worker
from feedmill_fetch.asking import PageAsker
from feedmill_fetch.browser.browsing import BrowserFetcher
from feedmill_fetch.browser.chromium import open_chromium
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.recording import Recorder
from feedmill_fetch.reextracting import Reextractor
from feedmill_fetch.rules import check_folder
from feedmill_fetch.transcribing import Transcriber

_BROWSER_ROLE = "browser"


async def main() -> None:
    settings = load(FetchSettings)
    rules = check_folder(settings.rules_dir)
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.extractor_processes) as pool,
    ):
        governor = Governor(store, manners_of(settings))
        robots = Robots(store, web, governor)
        examiner = Examiner(pool, rules)
        asker = PageAsker(
            store, web, governor, robots, examiner, keeps_pages=settings.keep_pages_days > 0
        )
        pruner = PagePruner(store, timedelta(days=settings.keep_pages_days))
        recorder = Recorder(store, Transcriber(web, governor, robots, examiner))
        fetcher = Fetcher(
            store,
            asker,
            recorder,
            pruner,
            always_asks=settings.always_fetch_pages,
            has_browser=settings.browser,
        )
        reextractor = Reextractor(store, examiner)
        await run_worker(
            settings,
            TaskQueue.FETCH,
            store,
            activities=[fetcher.fetch_entries, reextractor.reextract_pages],
        )


async def main_with_browser() -> None:
    settings = load(FetchSettings)
    rules = check_folder(settings.rules_dir)
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(1) as pool,
        open_chromium(
            agent_of(settings), settings.allowed_networks, program=settings.browser_program
        ) as browser,
    ):
        governor = Governor(store, manners_of(settings))
        robots = Robots(store, web, governor)
        examiner = Examiner(pool, rules)
        asker = PageAsker(store, web, governor, robots, examiner, keeps_pages=False)
        recorder = Recorder(store, Transcriber(web, governor, robots, examiner))
        fetcher = BrowserFetcher(store, browser, governor, robots, examiner, asker, recorder)
        await run_worker(
            settings, TaskQueue.FETCH_BROWSER, store, activities=[fetcher.browse_entries]
        )


async def _refuse() -> None:
    raise SettingsError(f"the fetch service has one other role: {_BROWSER_ROLE}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main_of(main)
        case [role] if role == _BROWSER_ROLE:
            main_of(main_with_browser)
        case _:
            main_of(_refuse)
